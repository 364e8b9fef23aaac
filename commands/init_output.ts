/** What `crxn init` says besides its questions. */

import { redact } from "../gateway/config/problem.ts";
import { CrxnError, Exit, type ExitCode } from "../gateway/errors.ts";
import { type Answers, isYggdrasil } from "../gateway/init/answers.ts";
import { Path } from "../gateway/names.ts";
import type { Context } from "./context.ts";
import { foundLines, type Settled } from "./init_settle.ts";
import { paragraph } from "./init_terminal.ts";
import { modeOf, place, type Target } from "../machine/config_place.ts";

/** A config, ready to be written. */
export interface Made {
  text: string;
  secret: boolean;
  /** What `up` would not do yet, and why. */
  warning?: string;
}

/** Nobody is there to say yes. */
export const unasked = ({ before, path }: Target, config: string): CrxnError =>
  new CrxnError(
    Exit.usage,
    before
      ? `There is a config at ${path} already, and nobody can be asked here: there is no terminal.`
      : "Nobody can be asked here: there is no terminal.",
    before
      ? "Add --yes to write a new one and keep that one beside it, or --print to see it first. Nothing was written."
      : "Add --yes to write the config, or --print to see it first. Nothing was written.",
    { json: { config } },
  );

/** Before the first question. */
export function opening(file: string, target: Target | undefined): string[] {
  return [
    "This asks for what the machine does not tell, and then shows the config.",
    "Enter takes the answer in brackets, ? explains a question, back returns to the",
    "one before, and Ctrl-C ends it all: nothing is written before the last answer.",
    ...(target?.before
      ? ["", `There is a config at ${file} already.`, "It stays, unless you say otherwise at the end."]
      : []),
  ];
}

/** Before the last one. */
export function closing({ text, secret, warning }: Made, settled: Settled, target: Target, columns: number): string[] {
  const width = Math.max(columns, 40) - 1;
  const mode = modeOf(secret, target).toString(8).padStart(4, "0");
  return [
    "",
    ...foundLines(settled).map((line) => paragraph(`Found without asking: ${line}.`, width)),
    paragraph(
      `This is ${target.path} (root's, mode ${mode}${secret ? "; its passwords are not shown here" : ""}):`,
      width,
    ),
    "",
    redact(text).trimEnd().replace(/^(?=.)/gm, "    "),
    "",
    ...(warning ? [paragraph(`Mind: \`crxn up\` would not do it yet: ${warning}`, width), ""] : []),
    ...(target.before
      ? [`${target.path} is there already; it would be kept as ${target.path}~ (or a numbered name).`]
      : []),
  ];
}

/** Writes or prints it, and says what comes next. */
export async function deliver(
  context: Context,
  made: Made,
  settled: Settled,
  target: Target | undefined,
): Promise<ExitCode> {
  const { ui } = context;
  const mode = modeOf(made.secret, target ?? {});
  const backup = target && await place(target, made.text, mode);
  const next = nextSteps(context, settled.answers);
  if (made.warning) ui.say(`warning: \`crxn up\` would not do it yet: ${made.warning}`);
  if (ui.json) {
    const values = Object.fromEntries([...settled.answers].map(([key, { values, from }]) => [key, { values, from }]));
    ui.out(JSON.stringify(
      {
        schema: "crxn.init/1",
        path: target?.path ?? null,
        written: target !== undefined,
        ...(backup ? { backup } : {}),
        mode: mode.toString(8).padStart(4, "0"),
        config: made.text,
        values,
        proposals: settled.proposals,
        ...(made.warning ? { warning: made.warning } : {}),
        next: next.map(([command]) => command),
      },
      null,
      2,
    ));
  } else if (!target) ui.out(made.text.trimEnd());
  else {
    ui.out(`Wrote ${target.path}.`);
    if (backup) ui.out(`The config that was there is ${backup}.`);
    ui.out("Next:");
    for (const [command, what] of next) {
      ui.out(`  ${command.padEnd(Math.max(...next.map(([c]) => c.length)))}  ${what}`);
    }
  }
  return Exit.ok;
}

function nextSteps({ options: { config } }: Context, answers: Answers): [command: string, what: string][] {
  const where = config === Path.config ? "" : ` --config ${config}`;
  const daemon = answers.get("daemon")?.values[0];
  return [
    ...(isYggdrasil(answers)
      ? [
        [
          `crxn init --key${daemon ? ` --daemon ${daemon}` : ""}${where}`,
          "the key that the far operator needs",
        ] satisfies [string, string],
      ]
      : []),
    [`crxn up --dry-run${where}`, "what would be done; changes nothing"],
    [`crxn up${where}`, "shows the same, asks, does it"],
  ];
}
