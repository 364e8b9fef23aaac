/** Whether this crxn, and this machine, will do for upkeep: asked before anything is changed. */

import type { Blueprint } from "../gateway/blueprint.ts";
import { unfit } from "../gateway/confirm.ts";
import { CrxnError, Exit } from "../gateway/errors.ts";
import { changeableByOthers } from "../machine/trust.ts";
import { placeFault } from "../machine/metrics_file.ts";

/** @throws CrxnError 69 */
export async function requireUpkeep({ config, facts: { caller } }: Blueprint): Promise<void> {
  const reason = caller && unfit([...caller.command, caller.config]);
  if (reason) {
    throw new CrxnError(
      Exit.unavailable,
      `upkeep: the timers cannot call this crxn: ${reason}.`,
      "Copy crxn to /usr/local/bin and run it there, with a config that stays. Nothing was changed.",
    );
  }
  for (const path of (caller?.command ?? []).filter((word) => word.startsWith("/"))) {
    const theirs = await changeableByOthers(path);
    if (!theirs) continue;
    throw new CrxnError(
      Exit.unavailable,
      `upkeep: ${path} is not to be run by a timer as root: ${theirs}.`,
      "Copy crxn to /usr/local/bin, as root's, and run it there. Nothing was changed.",
    );
  }
  const fault = config.upkeep?.metrics && await placeFault(config.upkeep.metrics);
  if (!fault) return;
  throw new CrxnError(
    Exit.unavailable,
    `upkeep.metrics: ${fault}`,
    "Install prometheus-node-exporter, which brings its folder, or make the folder. Nothing was changed.",
  );
}
