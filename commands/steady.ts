/** Whether units come up, and stay up. */

import type { UnitSeen } from "../gateway/survey.ts";
import type { Runner } from "../machine/run.ts";
import { readUnits } from "../machine/systemd.ts";
import type { Context } from "./context.ts";

/** Milliseconds that units have to come up, and to settle. */
const PATIENCE = 15_000;

/** Milliseconds, longer than RestartSec of our units: a daemon that dies at once has been started again by then. */
const STEADY = 600;

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export interface Up {
  /** Units that did not come up in time. */
  down: string[];
  /** Those, and what has come up and does not stay up; known after a moment. */
  settled: Promise<string[]>;
}

/** @param changed what was up before is not watched any longer */
export async function waitForUnits({ ui, runner }: Context, units: string[], changed: boolean): Promise<Up> {
  const deadline = Date.now() + PATIENCE;
  while (true) {
    const seen = await readUnits(runner, units);
    const down = units.filter((u) => seen[u]?.active !== "active");
    if (down.length === 0) {
      return { down, settled: changed ? unsteady(runner, units, seen, deadline) : Promise.resolve([]) };
    }
    if (Date.now() > deadline) return { down, settled: Promise.resolve(down) };
    ui.progress(`waiting for ${down.join(", ")}`);
    await pause(100);
  }
}

/** Between two restarts a unit of Type=simple is active, too: one that runs is the same process a moment later. */
async function unsteady(
  runner: Runner,
  units: string[],
  seen: Record<string, UnitSeen>,
  deadline: number,
): Promise<string[]> {
  let before = seen;
  while (true) {
    await pause(STEADY);
    const now = await readUnits(runner, units);
    const moved = units.filter((u) => now[u]?.active !== "active" || now[u]?.restarts !== before[u]?.restarts);
    if (moved.length === 0 || Date.now() > deadline) return moved;
    before = now;
  }
}
