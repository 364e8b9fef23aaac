/** `crxn init --import`: the config of a gateway that was made by hand, so that `crxn up` takes it over. */

import { compare } from "../gateway/compare.ts";
import { parseConfig } from "../gateway/config/parse.ts";
import { CrxnError, Exit, type ExitCode } from "../gateway/errors.ts";
import { type HandMade, readHandMade } from "../gateway/hand_made.ts";
import { handMadeText } from "../gateway/hand_made_text.ts";
import { replay } from "../gateway/journal.ts";
import { Unit } from "../gateway/names.ts";
import { takenOver } from "../gateway/takeover.ts";
import { readJournal } from "../machine/journal.ts";
import { machineSize } from "../machine/size.ts";
import { questionsOf, readSurvey } from "../machine/survey.ts";
import { readUnits } from "../machine/systemd.ts";
import { taygaFiles } from "../machine/tayga.ts";
import { type Context, prepare, requireRoot } from "./context.ts";
import { writeConfig } from "./write_config.ts";

export interface ImportOptions {
  instance?: string | undefined;
  print?: true | undefined;
}

export async function importGateway(context: Context, { instance, print }: ImportOptions): Promise<ExitCode> {
  requireRoot("`crxn init --import`");
  const { runner, ui, options: { config: path } } = context;
  const journal = await readJournal();
  if (journal.entries.size > 0) {
    throw new CrxnError(
      Exit.failed,
      "The gateway here is crxn's own, not one made by hand.",
      "Its config is the one that `crxn up` was given.",
    );
  }
  const files = await taygaFiles();
  const units = await readUnits(runner, files.map((f) => f.unit));
  const taygas = files.map((f) => ({ ...f, running: units[f.unit]?.active === "active" }));
  const questions = questionsOf(undefined, replay([]));
  const survey = await readSurvey(runner, { ...questions, units: [...questions.units, Unit.yggdrasil] });
  const made = readHandMade(survey, taygas, instance);
  const text = handMadeText(made);
  const config = await parseConfig(text, path, machineSize());
  const prepared = await prepare(context, { text, config });
  const notes = [...made.notes, ...outlook(made, prepared)];
  if (print) {
    for (const note of notes) ui.say(`note: ${note}`);
    ui.out(
      ui.json ? JSON.stringify({ schema: "crxn.init/1", path: null, config: text, notes }, null, 2) : text.trimEnd(),
    );
    return Exit.ok;
  }
  return await writeConfig(context, { text, mode: 0o644, notes, what: "This is the gateway that was found:" });
}

/** What `up` is going to do with it. */
function outlook(
  { instance }: HandMade,
  { blueprint, survey, journal }: Awaited<ReturnType<typeof prepare>>,
): string[] {
  const unit = Unit.translator(instance);
  try {
    compare(blueprint.items, survey, journal);
  } catch (error) {
    if (!(error instanceof CrxnError)) throw error;
    return [`\`crxn up\` will not begin: ${error.message} ${error.remedy ?? ""}`.trim()];
  }
  return takenOver(blueprint.items, survey, journal).some((t) => t.service.unit === unit)
    ? [`\`crxn up\` takes ${unit} over while it runs: nothing is interrupted.`]
    : [`\`crxn up\` starts tayga anew: translation stops for less than a second.`];
}
