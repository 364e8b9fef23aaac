/** Whether units come up, and stay up. */

import type { Item, LinkItem } from "../gateway/item.ts";
import type { UnitSeen } from "../gateway/survey.ts";
import { readLinks } from "../machine/ip.ts";
import type { Runner } from "../machine/run.ts";
import { readUnits } from "../machine/systemd.ts";
import type { Context } from "./context.ts";

/** Milliseconds that units have to come up, and to settle. */
const PATIENCE = 15_000;

/** Milliseconds between two looks, less than RestartSec of the daemons: one that dies at once is seen waiting. */
const INTERVAL = 100;

/** Milliseconds after which a daemon that has stayed the same is believed without its device. */
const STEADY = 600;

/** Milliseconds from the first look that has all up to the last: a daemon may have its device open and die all the same. */
const WATCHED = 300;

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

type Units = Record<string, UnitSeen>;

export interface Up {
  /** Units that did not come up in time. */
  down: string[];
  /** Those, and what has come up and does not stay up; known after a moment. */
  settled: Promise<string[]>;
  /** What has died since `settled` had it up: to be asked last, when everything else is known. */
  fallen: () => Promise<string[]>;
}

/**
 * @param changed what was up before is not watched any longer
 * @param known of a moment ago: where nothing was changed and all are up in it, systemd is not asked once more
 */
export async function waitForUnits(
  { ui, runner }: Context,
  items: Item[],
  changed: boolean,
  known?: Units,
): Promise<Up> {
  const units = items.flatMap((i) => i.kind === "service" ? [i.unit] : []);
  const isDown = (seen: Units) => (u: string) => seen[u]?.active !== "active";
  if (!changed && known && !units.some(isDown(known))) return STEADY_ALREADY;
  const deadline = Date.now() + PATIENCE;
  while (true) {
    const seen = await readUnits(runner, units);
    const down = units.filter(isDown(seen));
    if (down.length === 0) {
      if (!changed) return STEADY_ALREADY;
      const begun = Date.now();
      const watch = steady(runner, units, heldBy(units, items), { seen, deadline });
      return {
        down,
        settled: watch.then(({ moved }) => moved),
        fallen: async () => {
          const { seen } = await watch;
          await pause(begun + WATCHED - Date.now());
          return movedOf(units, seen, await readUnits(runner, units));
        },
      };
    }
    if (Date.now() > deadline) return { down, settled: Promise.resolve(down), fallen: () => Promise.resolve(down) };
    ui.progress(`waiting for ${down.join(", ")}`);
    await pause(INTERVAL);
  }
}

/** All were up before, and nobody has touched them. */
const STEADY_ALREADY: Up = { down: [], settled: Promise.resolve([]), fallen: () => Promise.resolve([]) };

/** Devices that a daemon opens when it is done with its config and its listeners. */
const heldBy = (units: string[], items: Item[]): string[] =>
  items.filter((i): i is LinkItem => i.kind === "link" && i.holder !== undefined && units.includes(i.holder))
    .map((i) => i.name);

/** Between two restarts a unit of Type=simple is active, too: one that runs is the same process a moment later. */
const movedOf = (units: string[], before: Units, now: Units): string[] =>
  units.filter((u) => now[u]?.active !== "active" || now[u]?.restarts !== before[u]?.restarts);

/** Until all are as they were a moment ago, and the daemons have their devices open (a TUN device has a carrier then). */
async function steady(
  runner: Runner,
  units: string[],
  devices: string[],
  { seen, deadline }: { seen: Units; deadline: number },
): Promise<{ moved: string[]; seen: Units }> {
  for (let since = Date.now();;) {
    await pause(INTERVAL);
    const [now, links] = await Promise.all([readUnits(runner, units), readLinks(runner)]);
    const moved = movedOf(units, seen, now);
    if (moved.length > 0) since = Date.now();
    const open = devices.every((name) => links.some((l) => l.name === name && l.carrier));
    if (moved.length === 0 && (open || Date.now() - since >= STEADY) || Date.now() > deadline) {
      return { moved, seen: now };
    }
    seen = now;
  }
}
