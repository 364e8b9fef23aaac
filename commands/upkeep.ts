/** What the timer crxn-mend calls: mends the gateway's own items unattended, and says so in the log. */

import { CHECKS } from "../checks/list.ts";
import { SENDING } from "../checks/run.ts";
import { CrxnError, Exit, type ExitCode } from "../gateway/errors.ts";
import { sumOf } from "../gateway/upkeep.ts";
import { readPending } from "../machine/confirm.ts";
import { readJournal } from "../machine/journal.ts";
import { alone } from "./alone.ts";
import { type Context, loadConfig, type LoadedConfig, requireRoot } from "./context.ts";
import { examine } from "./doctor.ts";
import { fix } from "./doctor_fix.ts";
import type { Fixed } from "./doctor_output.ts";
import { mendable } from "./mending.ts";
import { inOneLine } from "./ui.ts";

/** No packets are sent: they would come each time. Packages are a person's to bring back. */
const WANTED = new Set(CHECKS.map((c) => c.id).filter((id) => !SENDING.includes(id) && id !== "packages"));

/** sd-daemon(3): levels of lines for the log. */
const LEVEL = { error: "<3>", warning: "<4>", notice: "<5>" };

/**
 * Does nothing while `up --confirm` waits, after a `down`, and by a config that `up` has not made.
 * @param sum of the config at `up`
 * @returns 1 when something could not be mended
 */
export async function mend(context: Context, sum: string): Promise<ExitCode> {
  const { ui } = context;
  requireRoot("`crxn doctor --fix`");
  const reason = await idle();
  if (reason) return say(ui, reason);
  const loaded = await asMade(context, sum);
  if (typeof loaded === "string") return say(ui, loaded);
  const look = (ids: ReadonlySet<string>) => examine(context, loaded, ids, undefined);
  // Without the lock: whoever comes meanwhile has not to wait for a look.
  if (mendable(await look(WANTED)).length === 0) return Exit.ok;
  using _alone = await alone(context, "doctor --fix, by its timer");
  // Whoever had it may have taken the gateway down, or changed the config.
  const changed = await idle();
  if (changed) return say(ui, changed);
  const now = await asMade(context, sum);
  if (typeof now === "string") return say(ui, now);
  // The log gets each step and what became of it, not the plan with every rule.
  const terse: Context = { ...context, ui: { ...ui, say: () => {} } };
  const { report } = await fix(terse, look, WANTED, await look(WANTED));
  const done = (report.fixed ?? []).filter((f) => f.result !== "left");
  for (const one of done) ui.out(lineOf(one));
  return done.some((f) => f.result === "failed") ? Exit.failed : Exit.ok;
}

/** Why nothing is to be done. */
async function idle(): Promise<string | undefined> {
  if (readPending()) return "`crxn up --confirm` waits: nothing is mended before that is decided.";
  const { entries } = await readJournal();
  return entries.size === 0 ? "Nothing of a gateway is here: `crxn down` was run." : undefined;
}

/** The config, if it is the one that `up` has made; otherwise why nothing is mended by it. */
async function asMade({ options }: Context, sum: string): Promise<LoadedConfig | string> {
  try {
    const loaded = await loadConfig(options.config);
    if (sumOf(loaded.config) === sum) return loaded;
    return `${LEVEL.warning}crxn.yaml has changed since \`crxn up\`: nothing is mended until that has made it.`;
  } catch (error) {
    if (!(error instanceof CrxnError)) throw error;
    return `${LEVEL.warning}crxn.yaml is not as \`crxn up\` found it: nothing is mended. ${inOneLine(error.message)}`;
  }
}

const lineOf = ({ id, result, found, reason }: Fixed): string =>
  result === "mended"
    ? `${LEVEL.notice}mended: ${id}: ${inOneLine(found)}`
    : `${LEVEL.error}not mended: ${id}: ${inOneLine(found)}${reason ? ` (${inOneLine(reason)})` : ""}`;

function say(ui: Context["ui"], text: string): ExitCode {
  ui.out(text);
  return Exit.ok;
}
