/** `crxn doctor --fix`: mends, then looks at all of it again, until nothing new shows. */

import { SENDING } from "../checks/run.ts";
import type { Context } from "./context.ts";
import type { Examined } from "./doctor_output.ts";
import { Mending } from "./mending.ts";

/** What comes back by itself some time after a mend. */
const SLOW = ["overlay-peers", "translator-device", "probe", "path-mtu", "accept-ra"];
/** How often all is mended and looked at. */
const ROUNDS = 3;
/** Milliseconds that a mended gateway gets to show it: daemons start, peers come back. */
const PATIENCE = 20_000;
/** Where something else stays broken, so that it may never. */
const LITTLE_PATIENCE = 6_000;

/**
 * @param look at the machine, by these checks
 * @param start what the last look has shown
 */
export async function fix(
  context: Context,
  look: (ids: ReadonlySet<string>) => Promise<Examined>,
  wanted: ReadonlySet<string>,
  start: Examined,
): Promise<Examined> {
  // While things are being mended no packets are sent: that takes time.
  const quick = new Set([...wanted].filter((id) => !SENDING.includes(id)));
  using mending = new Mending(context, () => look(quick));
  let seen = start;
  for (let round = 0; round < ROUNDS && await mending.run(seen); round++) {
    seen = await settled(context, () => look(wanted), mending.mended);
  }
  context.ui.done();
  return { ...seen, report: { ...seen.report, fixed: mending.results(seen) } };
}

/** Looks again until what was mended is content, or for as long as daemons may take to come back. */
async function settled({ ui }: Context, look: () => Promise<Examined>, mended: string[]): Promise<Examined> {
  const start = Date.now();
  while (true) {
    const seen = await look();
    // Of the first pings through what has just come back one may be lost.
    const failing = seen.report.findings
      .filter((f) => f.verdict === "fail" || (f.id === "probe" && f.verdict === "warn")).map((f) => f.id);
    const awaited = failing.filter((id) => mended.includes(id) || SLOW.includes(id));
    const patience = awaited.length === failing.length ? PATIENCE : LITTLE_PATIENCE;
    if (mended.length === 0 || awaited.length === 0 || Date.now() - start > patience) return seen;
    ui.progress(`waiting for ${awaited.join(", ")}`);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}
