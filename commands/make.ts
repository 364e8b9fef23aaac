/** What `up` does once it may: the steps, or the way back from them, and what comes after. */

import { CrxnError, Exit } from "../gateway/errors.ts";
import type { Item } from "../gateway/item.ts";
import type { Entry } from "../gateway/journal.ts";
import { see } from "../gateway/see.ts";
import type { Step } from "../gateway/step.ts";
import { apply } from "../machine/apply.ts";
import { keepIdentity } from "../machine/identity.ts";
import { unitLogs } from "../machine/logs.ts";
import { Interrupted, type Signals } from "../machine/signals.ts";
import type { Context, Prepared } from "./context.ts";
import { describe, settle, takeBack } from "./converge.ts";
import type { OpenWay } from "./way_back.ts";

/**
 * The gateway as this run found it. What an earlier one had noted when it was killed, and not made yet, is no part of it; but
 * where a service is, its unit makes the rest.
 */
export function itemsOf({ journal, survey }: Prepared): Item[] {
  const begun = ({ item }: Entry) =>
    item.kind !== "service" || !item.ahead || survey.units[item.unit]?.active === "active";
  const all = [...journal.entries.values()].filter(begun);
  if (all.some(({ item }) => item.kind === "service")) return all.map(({ item }) => item);
  const made = ({ item, before }: Entry) => {
    if (item.kind === "sysctl") return see(item, survey).is === "present";
    return !NOTED_AHEAD.includes(item.kind) || before.file != null || see(item, survey).is !== "absent";
  };
  return all.filter(made).map(({ item }) => item);
}

/** What is noted before its turn comes, and files of which there was none. */
const NOTED_AHEAD: Item["kind"][] = ["link", "address", "route", "chain", "table", "file"];

/** Does the steps; when one fails, the machine goes back to how this run found it. */
export async function make(
  context: Context,
  prepared: Prepared,
  steps: Step[],
  signals: Signals,
  way?: OpenWay,
): Promise<void> {
  const { ui, runner } = context;
  const { blueprint, survey, identity } = prepared;
  if (identity) await keepIdentity(identity);
  let current: Step | undefined;
  try {
    await apply(runner, steps, survey, (step, i) => {
      signals.check();
      current = step;
      ui.progress(`[${i + 1}/${steps.length}] ${step.title}`);
    }, blueprint.items);
    signals.check();
    ui.done();
  } catch (error) {
    ui.done();
    const interrupted = error instanceof Interrupted;
    const service = interrupted ? undefined : current?.item;
    const logs = await unitLogs(runner, service?.kind === "service" ? service.unit : undefined);
    const what = current ? `"${current.title}" failed.` : "The journal cannot be written.";
    ui.say(`${interrupted ? error.message : what} Taking back what this run did.`);
    let failed = false;
    const left = await takeBack(context, itemsOf(prepared), (step) => ui.progress(`taking back: ${step.title}`)).then(
      (taken) => taken.length > 0 ? `Something that is not crxn's is in the place of:\n  ${taken.join("\n  ")}` : "",
      (error) => {
        failed = true;
        return describe(error);
      },
    );
    ui.done();
    // Where something could not be taken back the timer stays, and tries again.
    if (!failed) await way?.abandon();
    throw new CrxnError(
      Exit.failed,
      interrupted || !current ? messageOf(error) : `${current.title}: ${messageOf(error)}`,
      [
        error instanceof CrxnError && !interrupted ? error.remedy : undefined,
        left && way && failed ? `${left}\nThe timer of --confirm tries again.` : left ||
          "The machine is as it was before this run" +
            (blueprint.items.some((i) => i.kind === "package") ? "; installed packages stay." : "."),
      ].filter(Boolean).join("\n"),
      { text: [error instanceof CrxnError ? error.detail?.text ?? "" : "", logs].filter(Boolean).join("\n") },
    );
  }
}

const messageOf = (error: unknown) => error instanceof Error ? error.message : String(error);

/** What the config no longer wants is gone; what comes after that is done as well, also when an earlier run did not get to it. */
export async function settleAll({ runner }: Context): Promise<void> {
  const problems = await settle(runner);
  if (problems.length === 0) return;
  throw new CrxnError(
    Exit.failed,
    `The gateway is as the config says, but not everything of before could be taken back:\n  ${problems.join("\n  ")}`,
    "It is still in the journal: the next `crxn up` or `crxn down` tries again.",
  );
}
