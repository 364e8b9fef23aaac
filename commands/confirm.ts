/** `crxn confirm`: keeps what `crxn up --confirm` did; and what takes it back when nobody does. */

import { Command, Option } from "@commander-js/extra-typings";
import { type Pending, timeOf } from "../gateway/confirm.ts";
import { leftoverPrograms } from "../gateway/daemon.ts";
import { CrxnError, Exit, type ExitCode } from "../gateway/errors.ts";
import { itemsIn } from "../gateway/journal.ts";
import { apply } from "../machine/apply.ts";
import { disarm, readPending } from "../machine/confirm.ts";
import { readJournal } from "../machine/journal.ts";
import type { Runner } from "../machine/run.ts";
import { sshSession } from "../machine/session.ts";
import { questionsOf, readSurvey } from "../machine/survey.ts";
import { alone, uninterrupted } from "./alone.ts";
import { type Context, requireRoot } from "./context.ts";
import { takeBack } from "./converge.ts";
import { withCommon } from "./options.ts";

export const confirmCommand = () =>
  withCommon(
    new Command("confirm")
      .description(
        "Keeps what `crxn up --confirm` did, which takes itself back otherwise. It has to come from a new session: that\n" +
          "the machine can still be reached is what it confirms.",
      )
      .addOption(new Option("--expired", "nobody has confirmed: take it back (what the timer calls)").hideHelp()),
    { yes: true, wait: true },
  );

export interface ConfirmOptions {
  expired?: true | undefined;
}

export async function confirm(context: Context, options: ConfirmOptions): Promise<ExitCode> {
  const { ui, runner } = context;
  requireRoot("`crxn confirm`");
  using _alone = await alone(context, options.expired ? "taking back what nobody confirmed" : "confirm");
  const pending = readPending();
  if (options.expired) return await expired(context, pending);
  if (!pending) {
    throw new CrxnError(
      Exit.failed,
      "Nothing waits to be confirmed.",
      "Either it was confirmed, or its time was over and it was taken back: `crxn status` shows what there is.",
    );
  }
  const session = await sshSession(runner);
  if (pending.session !== undefined && session?.connection === pending.session) {
    throw new CrxnError(
      Exit.failed,
      "This is the session that `crxn up` came from: it says nothing about whether a new one gets through.",
      `Open another one (ssh without a shared connection, outside of tmux and screen) and run \`crxn confirm\` there, until ${
        timeOf(pending.until)
      }.`,
    );
  }
  using _signals = uninterrupted(context);
  await disarm(runner);
  await removeLeftovers(runner);
  if (ui.json) ui.out(JSON.stringify({ schema: "crxn.confirm/1", confirmed: true }, null, 2));
  else ui.out("Confirmed: it stays as it is.");
  return Exit.ok;
}

/** Its time is over: back to how the machine was before the `up` that waits. */
async function expired(context: Context, pending: Pending | undefined): Promise<ExitCode> {
  const { ui, runner } = context;
  using _signals = uninterrupted(context);
  if (pending) {
    ui.say(`Nobody has confirmed within ${pending.seconds} s: taking back what \`crxn up\` did.`);
    const taken = await takeBack(context, pending.items, (step) => ui.progress(step.title));
    ui.done();
    if (taken.length > 0) {
      ui.say(`warning: something that is not crxn's is in the place of:\n  ${taken.join("\n  ")}`);
    }
  }
  await disarm(runner);
  await removeLeftovers(runner);
  if (pending) ui.out(pending.items.length > 0 ? "The gateway is as it was before." : "Everything is taken back.");
  return Exit.ok;
}

/** A daemon that only the way back would have needed: while that was open it stayed. */
async function removeLeftovers(runner: Runner): Promise<void> {
  const journal = await readJournal();
  const steps = journal.entries.size > 0 ? leftoverPrograms(itemsIn(journal), journal) : [];
  if (steps.length > 0) await apply(runner, steps, await readSurvey(runner, questionsOf(undefined, journal)), () => {});
}
