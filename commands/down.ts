/** `crxn down`: takes everything back. */

import { Command } from "@commander-js/extra-typings";
import type { Step } from "../gateway/step.ts";
import { removeProgramStep } from "../gateway/daemon.ts";
import { Exit, type ExitCode } from "../gateway/errors.ts";
import { Path } from "../gateway/names.ts";
import { apply } from "../machine/apply.ts";
import { foreseePurge, purgePackages } from "../machine/apt.ts";
import { disarm } from "../machine/confirm.ts";
import { removeTree } from "../machine/files.ts";
import { readJournal } from "../machine/journal.ts";
import { alone, uninterrupted } from "./alone.ts";
import { type Context, requireRoot } from "./context.ts";
import { readToTakeBack, takeBack, takeBackSteps } from "./converge.ts";
import { withCommon } from "./options.ts";
import { consent, printPlan, stayLines } from "./plan_output.ts";

export const downCommand = () =>
  withCommon(
    new Command("down")
      .description(
        "Takes back everything that `crxn up` did: the machine is as it was before. What others put there stays.\n" +
          "It goes by crxn's journal and needs no config.",
      )
      .option("--dry-run", "show what would change and change nothing (exit code 2: there are changes)")
      .option(
        "--purge",
        "also remove what crxn installed (packages, a fetched daemon), the kept identity and crxn's own files",
      ),
    { yes: true, wait: true },
  );

export interface DownOptions {
  dryRun?: true | undefined;
  purge?: true | undefined;
}

export async function down(context: Context, options: DownOptions): Promise<ExitCode> {
  const { ui, runner } = context;
  requireRoot("`crxn down`");
  using _alone = options.dryRun ? undefined : await alone(context, "down");
  const journal = await readJournal();
  const survey = await readToTakeBack(runner, journal);
  const steps = takeBackSteps([], survey, journal);
  const brought = options.purge ? journal.brought.filter((name) => survey.packages?.[name]) : [];
  if (brought.length > 0) ui.progress("asking apt what a purge takes along");
  const { packages: purge, stay } = await foreseePurge(runner, brought);
  ui.done();
  const programs = options.purge ? [...journal.fetched.values()].map(removeProgramStep) : [];
  const plan = [...steps, ...(purge.length > 0 ? [purgeStep(purge)] : []), ...programs];
  if (options.dryRun) {
    printPlan(ui, "down", plan, undefined, [], stay);
    return plan.length > 0 ? Exit.changes : Exit.ok;
  }
  if (!ui.json) { for (const line of stayLines(stay)) ui.say(line); }
  if (plan.length > 0) consent(context, plan);
  // First of all: what was open is given up, and must not make a gateway of what a failed `down` leaves.
  await disarm(runner);
  // A `down` that was killed at its very end has no steps left, but something to settle.
  if (plan.length > 0 || journal.undone.size > 0) {
    using signals = uninterrupted(context);
    const begin = (step: Step) => {
      signals.check("What is left is in the journal: `crxn down` carries on, and so does `crxn up`.");
      ui.progress(step.title);
    };
    // While somebody was asked the machine may have changed.
    await takeBack(context, [], begin, context.options.yes && purge.length === 0 ? survey : undefined);
    ui.done();
    if (purge.length > 0) {
      begin(purgeStep(purge));
      await purgePackages(runner, purge);
    }
    await apply(runner, programs, survey, begin);
    ui.done();
  }
  if (options.purge) {
    for (const folder of [Path.state, Path.downloads]) await removeTree(folder);
  }
  const removed = programs.flatMap((step) => step.forgets ?? []);
  if (ui.json) {
    const body = { changes: steps.length, purged: purge, ...(stay.length > 0 ? { stay } : {}), removed };
    ui.out(JSON.stringify({ schema: "crxn.down/1", ...body }, null, 2));
  } else {ui.out(
      steps.length > 0 ? "Everything is taken back: the machine is as it was." : "There is nothing to take back.",
    );}
  return Exit.ok;
}

const purgeStep = (packages: string[]): Step => ({ title: `purge ${packages.join(", ")}`, actions: [] });
