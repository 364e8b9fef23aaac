/** `crxn init --import`: the config of a gateway that was made by hand, so that `crxn up` takes it over. */

import { compare } from "../gateway/compare.ts";
import { parseConfig } from "../gateway/config/parse.ts";
import { ConfigError } from "../gateway/config/problem.ts";
import { CrxnError, Exit, type ExitCode } from "../gateway/errors.ts";
import { type HandMade, readHandMade } from "../gateway/hand_made.ts";
import { handMadeText } from "../gateway/hand_made_text.ts";
import { replay } from "../gateway/journal.ts";
import { Path, Unit } from "../gateway/names.ts";
import { takenOver } from "../gateway/takeover.ts";
import { readJournal } from "../machine/journal.ts";
import { machineSize } from "../machine/size.ts";
import { questionsOf, readSurvey } from "../machine/survey.ts";
import { readUnits } from "../machine/systemd.ts";
import { taygaFiles } from "../machine/tayga.ts";
import { type Context, prepare, type Prepared, requireAnswers, requireRoot } from "./context.ts";
import { unasked } from "./init_output.ts";
import { modeOf, place, targetOf } from "../machine/config_place.ts";

export interface ImportOptions {
  instance?: string | undefined;
  print?: true | undefined;
}

export async function importGateway(context: Context, { instance, print }: ImportOptions): Promise<ExitCode> {
  requireRoot("`crxn init --import`");
  const { runner } = context;
  const journal = await readJournal();
  if (journal.entries.size > 0) {
    throw new CrxnError(
      Exit.failed,
      "The gateway here is crxn's own, not one made by hand.",
      "Its config is the one that `crxn up` was given.",
    );
  }
  const files = await taygaFiles(runner);
  const units = await readUnits(runner, files.map((f) => f.unit));
  const taygas = files.map((f) => ({ ...f, running: units[f.unit]?.active === "active" }));
  const questions = questionsOf(undefined, replay([]));
  const survey = await readSurvey(runner, { ...questions, units: [...questions.units, Unit.yggdrasil] });
  requireAnswers(survey);
  if (!survey.rules.inet) {
    throw new CrxnError(
      Exit.failed,
      "The rules of iptables could not be read: they tell where the overlay is.",
      "Try again.",
    );
  }
  const found = readHandMade(survey, taygas, instance);
  const text = handMadeText(found);
  const prepared = await described(context, found, text);
  const notes = [...found.notes, ...outlook(found, prepared)];
  const made = { text, notes };
  return print ? tell(context, made) : await write(context, made);
}

/** @throws CrxnError 69 for what no config of crxn's can say */
async function described(context: Context, { file }: HandMade, text: string): Promise<Prepared> {
  try {
    return await prepare(context, { text, config: await parseConfig(text, context.options.config, machineSize()) });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // Of a text that nobody has seen: its lines say nothing.
    const reasons = error.problems.map(({ path, message, remedy }) => `${path} ${message} (${remedy})`);
    throw new CrxnError(
      Exit.unavailable,
      `What ${file} and this machine say makes no config of crxn's: ${reasons.join("; ")}.`,
      "Change it there, or write a config by hand (`crxn init`).",
    );
  }
}

interface Made {
  text: string;
  notes: string[];
}

/** Prints it, or where it was written. */
function tell({ ui, options: { config } }: Context, { text, notes }: Made, written?: Written): ExitCode {
  for (const note of notes) ui.say(`note: ${note}`);
  const where = config === Path.config ? "" : ` --config ${config}`;
  const next = [`crxn up --dry-run${where}`, `crxn up${where}`];
  if (ui.json) {
    const none = { path: null, written: false, mode: octal(modeOf(false, {})) };
    const said = written ? { ...written, written: true, mode: octal(written.mode) } : none;
    ui.out(JSON.stringify({ schema: "crxn.init/1", ...said, config: text, notes, next }, null, 2));
  } else if (!written) ui.out(text.trimEnd());
  else {
    ui.out(`Wrote ${written.path}.`);
    if (written.backup) ui.out(`The config that was there is ${written.backup}.`);
    ui.out(["Next:", ...next.map((command) => `  ${command}`)].join("\n"));
  }
  return Exit.ok;
}

interface Written {
  path: string;
  mode: number;
  backup?: string;
}

const octal = (mode: number) => mode.toString(8).padStart(4, "0");

/** @throws CrxnError 64 where nobody can be asked, 1 where the answer is no */
async function write(context: Context, made: Made): Promise<ExitCode> {
  const { ui, options: { config, yes } } = context;
  const target = await targetOf(config);
  if (!yes) {
    if (!ui.interactive) throw unasked(target, made.text);
    ui.say(`This is the gateway that was found:\n\n${made.text}`);
    for (const note of made.notes) ui.say(`note: ${note}`);
    if (!ui.ask(target.before ? `Write ${config}, and keep the old one?` : `Write ${config}?`)) {
      throw new CrxnError(Exit.failed, "Nothing was written.");
    }
  }
  const mode = modeOf(false, target);
  const backup = await place(target, made.text, mode);
  // Whoever was asked has read the notes already.
  const said = { text: made.text, notes: yes || ui.json ? made.notes : [] };
  return tell(context, said, { path: target.path, mode, ...(backup ? { backup } : {}) });
}

/** What `up` is going to do with it. */
function outlook(
  { instance }: HandMade,
  { blueprint, survey, journal }: Prepared,
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
