/** `crxn up`: makes the machine what the config says. */

import { Command } from "@commander-js/extra-typings";
import { foresee } from "../checks/foresee.ts";
import { CHECKS } from "../checks/list.ts";
import { compare } from "../gateway/compare.ts";
import type { Step } from "../gateway/step.ts";
import { keyWarnings } from "../gateway/config/key_warnings.ts";
import { problemText } from "../gateway/config/problem.ts";
import { leftoverPrograms } from "../gateway/daemon.ts";
import { CrxnError, Exit, type ExitCode } from "../gateway/errors.ts";
import { linkOf } from "../gateway/survey.ts";
import { readPending } from "../machine/confirm.ts";
import { writeUndoScript } from "../machine/journal.ts";
import { alone, current, uninterrupted } from "./alone.ts";
import {
  type Context,
  loadConfig,
  type LoadedConfig,
  prepare,
  type Prepared,
  requireDebian,
  requireRoot,
} from "./context.ts";
import { requireDaemon } from "./daemon.ts";
import { briefLines } from "./doctor_brief.ts";
import { inputOf, readInput } from "./doctor_input.ts";
import { bring } from "./install.ts";
import { itemsOf, make, settleAll } from "./make.ts";
import { ipv4, seconds, withCommon } from "./options.ts";
import { consent, printPlan, tunnelLines } from "./plan_output.ts";
import { paintFor } from "./ui.ts";
import { anew, keepsDoorOpen, openWay, wayBack, wayBackLines } from "./way_back.ts";
import { welcome } from "./welcome.ts";

export const upCommand = () =>
  withCommon(
    new Command("up")
      .description(
        "Makes this machine the gateway (or overlay node) that the config describes: installs what is missing, shows what it\n" +
          "is going to do, does it, and tries the path. Running it again changes nothing; a changed config changes only what differs.",
      )
      .option("--dry-run", "show what would change and change nothing (exit code 2: there are changes)")
      .option(
        "--confirm [seconds]",
        "take it all back unless `crxn confirm` comes from a new session in time (120 s)",
        seconds,
      )
      .option("--target <ipv4>", "a host in the overlay to ping through the gateway at the end", ipv4),
    { yes: true, wait: true },
  );

export interface UpOptions {
  dryRun?: true | undefined;
  target?: string | undefined;
  confirm?: number | true | undefined;
}

export async function up(context: Context, options: UpOptions): Promise<ExitCode> {
  const { ui, runner } = context;
  const early = await loadConfig(context.options.config);
  requireRoot("`crxn up`");
  using _alone = options.dryRun ? undefined : await alone(context, "up");
  const loaded = await current(context, early);
  await requireDaemon(loaded.config);
  let prepared = await prepare(context, loaded);
  requireDebian(prepared.survey);
  requireLink(prepared);
  if (loaded.config.upkeep) await (await import("./upkeep_fit.ts")).requireUpkeep(prepared.blueprint);
  let pending = readPending();
  let steps = plan(prepared, options.confirm !== undefined || pending !== undefined);
  await warn(context, loaded, prepared);
  // Of a machine that is right as it is, the end says all.
  const idle = steps.length === 0 && !options.dryRun;
  const foreseen = idle ? [] : foresee(CHECKS, inputOf(loaded, prepared));
  await keepsDoorOpen(runner, prepared, steps);
  for (const line of briefLines(foreseen, paintFor(Deno.stderr))) ui.say(line);
  if (options.dryRun) {
    printPlan(ui, "up", steps, prepared.blueprint, foreseen);
    return steps.length > 0 ? Exit.changes : Exit.ok;
  }
  if (steps.length > 0) {
    const wish = await wayBack(context, options.confirm, prepared, steps);
    if (wish) steps = withoutRemovals(steps);
    const heading = [...wayBackLines(wish), "This is what will be done:", ...tunnelLines(prepared.blueprint)];
    consent(context, steps, heading.join("\n"));
    using signals = uninterrupted(context);
    if (steps.some((step) => step.packages || step.fetch)) {
      await bring(context, steps);
      // Packages bring programs, groups and units: only now can the rest be seen.
      prepared = await prepare(context, loaded, prepared.identity);
      steps = plan(prepared, wish !== undefined);
    }
    const way = wish && steps.length > 0 ? await openWay(runner, wish, itemsOf(prepared)) : undefined;
    await make(context, prepared, steps, signals, way);
    await settleAll(context);
    await writeUndoScript();
    pending = await way?.begin();
  } else {
    // What an earlier run did not get to; the journal was read a moment ago.
    if (prepared.journal.undone.size > 0) await settleAll(context);
    if (pending && options.confirm) pending = await anew(context, options.confirm, prepared, pending);
    else if (options.confirm) ui.say("Nothing is changed, and so nothing has to be confirmed.");
  }
  return await welcome(context, prepared, {
    changed: steps,
    ...(pending ? { pending } : {}),
    ...(options.target ? { target: options.target } : {}),
    // A machine that was right as it was has been read already.
    look: async () => steps.length > 0 ? await readInput(context, loaded) : inputOf(loaded, prepared),
  });
}

/** What is no error of the config's form, and cannot work: said before anything is done. */
async function warn({ ui, options }: Context, { config, text }: LoadedConfig, { blueprint }: Prepared): Promise<void> {
  const { daemon } = blueprint.facts;
  if (!daemon) return;
  for (const problem of await keyWarnings(config, daemon.generation, text, options.config)) {
    ui.say(`warning: ${problemText(problem)}`);
  }
}

/** An existing link is somebody else's to make: without it there is nothing to put an address on. */
function requireLink({ blueprint: { config }, survey }: Prepared): void {
  const { type, interface: name } = config.overlay;
  if (type !== "interface" || linkOf(survey, name)) return;
  const others = survey.links.map((l) => l.name).filter((n) => n !== "lo").join(", ");
  throw new CrxnError(
    Exit.unavailable,
    `The overlay's link "${name}" does not exist on this machine (there are: ${others}).`,
    "Bring it up first, or correct overlay.interface. Nothing was changed.",
  );
}

/** @param open whether a way back is open: a daemon that it needs is not removed */
function plan({ blueprint, survey, journal }: Prepared, open: boolean): Step[] {
  const steps = [...compare(blueprint.items, survey, journal), ...leftoverPrograms(blueprint.items, journal)];
  return open ? withoutRemovals(steps) : steps;
}

const withoutRemovals = (steps: Step[]): Step[] => steps.filter((step) => step.forgets === undefined);
