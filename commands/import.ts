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
import { modeOf, place, targetOf } from "./init_write.ts";

export interface ImportOptions {
  instance?: string | undefined;
  print?: true | undefined;
}

export async function importGateway(context: Context, { instance, print }: ImportOptions): Promise<ExitCode> {
  requireRoot("`crxn init --import`");
  const { runner, options: { config: path } } = context;
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
  const found = readHandMade(survey, taygas, instance);
  const text = handMadeText(found);
  const config = await parseConfig(text, path, machineSize());
  const prepared = await prepare(context, { text, config });
  const notes = [...found.notes, ...outlook(found, prepared)];
  const made = { text, notes };
  return print ? tell(context, made) : await write(context, made);
}

interface Made {
  text: string;
  notes: string[];
}

/** Prints it; with where it was written, if it was. */
function tell({ ui }: Context, { text, notes }: Made, written?: { path: string; backup?: string }): ExitCode {
  for (const note of notes) ui.say(`note: ${note}`);
  if (ui.json) {
    const document = {
      schema: "crxn.init/1",
      path: null,
      written: written !== undefined,
      mode: "0644",
      config: text,
      notes,
    };
    ui.out(JSON.stringify({ ...document, ...written }, null, 2));
  } else if (!written) ui.out(text.trimEnd());
  else {
    const kept = written.backup ? ` What was there is ${written.backup}.` : "";
    ui.out(`Wrote ${written.path}.${kept}\nNext:\n  crxn up --dry-run  what would be done; changes nothing\n  crxn up`);
  }
  return Exit.ok;
}

/** @throws CrxnError 64 where nobody can be asked, 1 where the answer is no */
async function write(context: Context, made: Made): Promise<ExitCode> {
  const { ui, options: { config, yes } } = context;
  const target = await targetOf(config);
  if (!yes) {
    if (!ui.interactive) {
      throw new CrxnError(
        Exit.usage,
        "Nobody can be asked here: there is no terminal.",
        "Add --yes to write it, or --print.",
      );
    }
    ui.say(`This is the gateway that was found:\n\n${made.text}`);
    for (const note of made.notes) ui.say(`note: ${note}`);
    if (!ui.ask(target.before ? `Write ${config}, and keep the old one?` : `Write ${config}?`)) {
      throw new CrxnError(Exit.failed, "Nothing was written.");
    }
  }
  const backup = await place(target, made.text, modeOf(false, target));
  const notes = yes ? made.notes : [];
  return tell(context, { ...made, notes }, { path: target.path, ...(backup ? { backup } : {}) });
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
