/** `crxn down`: takes everything back. */

import { Command } from "@commander-js/extra-typings";
import { CrxnError, Exit, type ExitCode } from "../gateway/errors.ts";
import { Path } from "../gateway/names.ts";
import { planJson, planLines } from "../gateway/plan.ts";
import { purgePackages } from "../machine/apt.ts";
import { readJournal } from "../machine/journal.ts";
import { lock } from "../machine/lock.ts";
import { questionsOf, readSurvey } from "../machine/survey.ts";
import { type Context, requireRoot } from "./context.ts";
import { takeBack, takeBackSteps } from "./converge.ts";
import { withCommon } from "./options.ts";
import { printPlan } from "./plan_output.ts";
import { paintFor } from "./ui.ts";
import { paintPlan } from "./up.ts";

export const downCommand = () =>
  withCommon(
    new Command("down")
      .summary("take it all back")
      .description(
        "Takes back everything that `crxn up` did: the machine is as it was before. What others put there stays.\n" +
          "It goes by crxn's journal and needs no config.",
      )
      .option("--dry-run", "show what would change and change nothing (exit code 2: there are changes)")
      .option("--purge", "also remove the packages that crxn installed, the kept identity and crxn's own files"),
    { yes: true },
  );

export interface DownOptions {
  dryRun?: true | undefined;
  purge?: true | undefined;
}

export async function down(context: Context, options: DownOptions): Promise<ExitCode> {
  const { ui, runner } = context;
  requireRoot("`crxn down`");
  using _lock = options.dryRun ? undefined : await lock("down");
  const journal = await readJournal();
  const survey = await readSurvey(runner, questionsOf(undefined, journal));
  const steps = takeBackSteps([], survey, journal);
  const purge = options.purge ? journal.brought.filter((name) => survey.packages?.[name]) : [];
  if (options.dryRun) {
    printPlan(ui, "down", [...steps, ...(purge.length > 0 ? [{ title: `purge ${purge.join(", ")}`, actions: [] }] : [])]);
    return steps.length + purge.length > 0 ? Exit.changes : Exit.ok;
  }
  if (steps.length > 0 || purge.length > 0) {
    if (!context.options.yes) {
      if (!ui.interactive) {
        throw new CrxnError(
          Exit.usage,
          "Nobody can be asked here: there is no terminal.",
          "Add --yes to do it, or --dry-run to see only the plan.",
          { json: { plan: planJson(steps) } },
        );
      }
      const paint = paintFor(Deno.stderr);
      for (const line of planLines(steps)) ui.say(paintPlan(line, paint));
      if (purge.length > 0) ui.say(`* purge ${purge.join(", ")}`);
      if (!ui.ask("Do it?")) throw new CrxnError(Exit.failed, "Nothing was changed.");
    }
    await takeBack(context, [], (step) => ui.progress(step.title));
    ui.done();
    if (purge.length > 0) await purgePackages(runner, purge);
  }
  if (options.purge) await Deno.remove(Path.state, { recursive: true }).catch(() => {});
  if (ui.json) ui.out(JSON.stringify({ schema: "crxn.down/1", changes: steps.length, purged: purge }, null, 2));
  else ui.out(steps.length > 0 ? "Everything is taken back: the machine is as it was." : "There is nothing to take back.");
  return Exit.ok;
}
