/** `crxn install`: brings the packages and the daemon that the config needs, starts nothing. */

import { Command } from "@commander-js/extra-typings";
import { packageItems } from "../gateway/blueprint.ts";
import { compare } from "../gateway/compare.ts";
import type { Step } from "../gateway/step.ts";
import { programItems } from "../gateway/daemon.ts";
import { Exit, type ExitCode } from "../gateway/errors.ts";
import { installPackages } from "../machine/apt.ts";
import { noteBrought, readJournal } from "../machine/journal.ts";
import { fetchProgram, placeProgram, type Program } from "../machine/program.ts";
import { questionsOf, readSurvey } from "../machine/survey.ts";
import { alone, current, uninterrupted } from "./alone.ts";
import { type Context, loadConfig, requireDebian, requireRoot } from "./context.ts";
import { requireDaemon } from "./daemon.ts";
import { withCommon } from "./options.ts";

export const installCommand = () =>
  withCommon(
    new Command("install")
      .description(
        "Installs with apt what the config needs, and nothing recommended beside it. Fetches the daemon that overlay.daemon\n" +
          "names by url and sha256. Starts nothing.",
      ),
    { yes: true, wait: true },
  );

export async function install(context: Context): Promise<ExitCode> {
  const { ui, runner, options } = context;
  const early = await loadConfig(options.config);
  requireRoot("`crxn install`");
  using _alone = await alone(context, "install");
  const { config } = await current(context, early);
  const survey = await readSurvey(runner, questionsOf(config, await readJournal()));
  requireDebian(survey);
  await requireDaemon(config);
  const packages = packageItems(config).map((i) => i.name);
  const programs = programItems(config).map((i) => i.path);
  const steps = compare([...packageItems(config), ...programItems(config)], survey, { entries: new Map() });
  using _signals = uninterrupted(context);
  await bring(context, steps);
  const installed = steps.flatMap((s) => s.packages ?? []);
  const fetched = steps.flatMap((s) => s.fetch ?? []);
  if (ui.json) ui.out(JSON.stringify({ schema: "crxn.install/1", installed, packages, fetched }, null, 2));
  else {
    if (installed.length > 0) ui.out(`Installed: ${installed.join(", ")}.`);
    for (const { path, url } of fetched) ui.out(`Fetched: ${path}, from ${url}.`);
    if (steps.length === 0) ui.out(`Already there: ${[...packages, ...programs].join(", ")}.`);
  }
  return Exit.ok;
}

/**
 * Brings what the steps name: programs by URL, packages with apt.
 * Downloads are verified before apt changes anything, so that a wrong sum leaves the machine as it is.
 */
export async function bring(context: Context, steps: Step[]): Promise<void> {
  const { ui, runner } = context;
  const programs: Program[] = [];
  for (const step of steps) {
    if (!step.fetch) continue;
    ui.progress(step.title);
    programs.push(await fetchProgram(runner, step.fetch));
    ui.done();
  }
  const packages = steps.flatMap((s) => s.packages ?? []);
  if (packages.length > 0) await bringPackages(context, packages);
  for (const program of programs) await placeProgram(program);
}

/** Installs, and remembers what came for `down --purge`. */
export async function bringPackages(context: Context, packages: string[]): Promise<void> {
  const { ui, runner } = context;
  let shown = "";
  await installPackages(runner, packages, {
    onBring: async (brings) => {
      if (brings.length > 0) {
        await noteBrought(brings);
        ui.say(`apt brings: ${brings.join(", ")}`);
      }
    },
    onProgress: (percent, what) => {
      // On no terminal one line for each tenth is enough.
      const step = ui.interactive
        ? `${Math.round(percent)} % ${what}`
        : what === "reading package lists"
        ? what
        : `${Math.floor(percent / 25) * 25} %`;
      if (step !== shown) ui.progress(`installing: ${step}`);
      shown = step;
    },
  });
  ui.done();
}
