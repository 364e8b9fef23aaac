/** `crxn install`: brings the packages that the config needs, starts nothing. */

import { Command } from "@commander-js/extra-typings";
import { Exit, type ExitCode } from "../gateway/errors.ts";
import { see } from "../gateway/see.ts";
import { installPackages } from "../machine/apt.ts";
import { noteBrought, readJournal } from "../machine/journal.ts";
import { lock } from "../machine/lock.ts";
import { questionsOf, readSurvey } from "../machine/survey.ts";
import { type Context, loadConfig, requireDebian, requireRoot } from "./context.ts";
import { withCommon } from "./options.ts";
import { packageItems } from "../gateway/blueprint.ts";

export const installCommand = () =>
  withCommon(
    new Command("install")
      .summary("install the packages that the config needs")
      .description("Installs with apt what the config needs, and nothing recommended beside it. Starts nothing."),
    { yes: true },
  );

export async function install(context: Context): Promise<ExitCode> {
  const { ui, runner, options } = context;
  const { config } = await loadConfig(options.config);
  requireRoot("`crxn install`");
  using _lock = await lock("install");
  const survey = await readSurvey(runner, questionsOf(config, await readJournal()));
  requireDebian(survey);
  const items = packageItems(config);
  const missing = items.filter((i) => see(i, survey).is !== "present").map((i) => i.name);
  if (missing.length > 0) await bringPackages(context, missing);
  const packages = items.map((i) => i.name);
  if (ui.json) ui.out(JSON.stringify({ schema: "crxn.install/1", installed: missing, packages }, null, 2));
  else ui.out(missing.length > 0 ? `Installed: ${missing.join(", ")}.` : `Already there: ${packages.join(", ")}.`);
  return Exit.ok;
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
