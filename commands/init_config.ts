/** `crxn init`: finds out, asks for the rest, shows the config and writes it. */

import { compare } from "../gateway/compare.ts";
import { parseConfig, problemsOnMachine } from "../gateway/config/parse.ts";
import { ConfigError, redact } from "../gateway/config/problem.ts";
import { CrxnError, Exit, type ExitCode } from "../gateway/errors.ts";
import { type Answers, isYggdrasil, withUplink } from "../gateway/init/answers.ts";
import { configText, isSecret } from "../gateway/init/config_text.ts";
import type { Terrain } from "../gateway/init/terrain.ts";
import { replay } from "../gateway/journal.ts";
import { canBeOf } from "../gateway/key_kind.ts";
import { Path } from "../gateway/names.ts";
import { readDaemon } from "../machine/daemon.ts";
import { readJournal } from "../machine/journal.ts";
import { machineSize } from "../machine/size.ts";
import { readTerrain } from "../machine/terrain.ts";
import { type Context, networksOf, prepare, requireDebian, requireYggdrasil } from "./context.ts";
import { Asker } from "./init_ask.ts";
import { foundLines, type Ground, settleAlone, type Settled, takeGiven } from "./init_settle.ts";
import { givenOf, type InitAnswers, settingsOf } from "./init_options.ts";
import { Terminal, wrap } from "./init_terminal.ts";
import { modeOf, place, type Target, targetOf } from "./init_write.ts";

export interface MakeOptions extends InitAnswers {
  print?: true | undefined;
}

export async function makeConfig(context: Context, options: MakeOptions): Promise<ExitCode> {
  const { ui, options: { config: file, yes } } = context;
  const asks = ui.interactive && !yes;
  const given = givenOf(options);
  if (!options.print && Deno.uid() !== 0) {
    throw new CrxnError(
      Exit.noPermission,
      `\`crxn init\` needs root to write ${file}.`,
      "Run it with sudo, or as root; with --print it prints the config, and needs none.",
    );
  }
  const target = options.print ? undefined : await targetOf(file);
  const terrain = await look(context, options.daemon);
  const ground: Ground = { terrain, judge: canBeOf };
  const known = takeGiven(given, settingsOf(options, given), ground);
  if (!asks) {
    const settled = settleAlone(known, ground);
    const made = await finish(context, settled, terrain);
    if (target && !yes) throw unasked(target, made.text);
    for (const line of foundLines(settled)) ui.say(`found: ${line}`);
    return await deliver(context, made, settled, target);
  }
  using terminal = new Terminal(ui);
  for (const line of opening(file, target)) terminal.say(line);
  const asker = new Asker(known, ground, terminal);
  for (;;) {
    const settled = { answers: await asker.settle(), proposals: asker.proposals };
    const made = await finish(context, settled, terrain);
    if (!target) return await deliver(context, made, settled, target);
    terminal.say(closing(made, settled, target, terminal.columns).join("\n"));
    const answer = await terminal.read(target.before ? "Write it, and keep the old one? [y/N] " : "Write it? [y/N] ");
    if (answer === "back" && asker.back()) continue;
    if (!/^y(es)?$/i.test(answer)) throw new CrxnError(Exit.failed, "Nothing was written.");
    return await deliver(context, made, settled, target);
  }
}

/** The machine, as far as it matters here. */
async function look({ runner }: Context, path: string): Promise<Terrain> {
  const daemon = await readDaemon(runner, path, Deno.uid() === 0);
  requireYggdrasil({ ...(daemon ? { daemon } : {}) });
  const [seen, journal] = await Promise.all([
    readTerrain(runner, daemon),
    // What cannot be read, without root or at all, is not what this is about.
    readJournal().catch(() => replay([])),
  ]);
  return { ...seen, networks: networksOf(seen, journal) };
}

interface Made {
  text: string;
  secret: boolean;
  /** What `up` would not do yet, and why. */
  warning?: string;
}

/**
 * The config as a text that the real parser has read, and that has been held against this machine as `up` does.
 * @throws ConfigError when it does not fit: no answer can have led there
 */
async function finish(context: Context, { answers }: Settled, terrain: Terrain): Promise<Made> {
  const { options: { config: file } } = context;
  const text = configText(withUplink(answers, terrain));
  const config = await parseConfig(text, file, machineSize());
  const problems = await problemsOnMachine(config, text, file, terrain.networks);
  if (problems.length > 0) throw new ConfigError(problems);
  const made = { text, secret: isSecret(text) };
  if (Deno.uid() !== 0) return made;
  try {
    const prepared = await prepare(context, { text, config });
    requireDebian(prepared.survey);
    compare(prepared.blueprint.items, prepared.survey, prepared.journal);
    return made;
  } catch (error) {
    if (!(error instanceof CrxnError) || error instanceof ConfigError) throw error;
    return { ...made, warning: [error.message, error.remedy].filter(Boolean).join(" ") };
  }
}

const unasked = ({ before, path }: Target, config: string): CrxnError =>
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

function opening(file: string, target: Target | undefined): string[] {
  return [
    "This asks for what the machine does not tell, and then shows the config.",
    "Enter takes the answer in brackets, ? explains a question, back returns to the",
    "one before, and Ctrl-C ends it all: nothing is written before the last answer.",
    ...(target?.before
      ? ["", `There is a config at ${file} already.`, "It stays, unless you say otherwise at the end."]
      : []),
  ];
}

function closing({ text, secret, warning }: Made, settled: Settled, target: Target, columns: number): string[] {
  const width = Math.max(columns, 40) - 1;
  const mode = modeOf(secret, target).toString(8).padStart(4, "0");
  return [
    "",
    ...foundLines(settled).map((line) => wrap(`Found without asking: ${line}.`, width)),
    wrap(`This is ${target.path} (root's, mode ${mode}${secret ? "; its passwords are not shown here" : ""}):`, width),
    "",
    redact(text).trimEnd().replace(/^(?=.)/gm, "    "),
    "",
    ...(warning ? [wrap(`Mind: \`crxn up\` would not do it yet: ${warning}`, width), ""] : []),
    ...(target.before
      ? [`${target.path} is there already; it would be kept as ${target.path}~ (or a numbered name).`]
      : []),
  ];
}

async function deliver(context: Context, made: Made, settled: Settled, target: Target | undefined): Promise<ExitCode> {
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
        [`crxn init --key${daemon ? ` --daemon ${daemon}` : ""}`, "the key that the far operator needs"] as [
          string,
          string,
        ],
      ]
      : []),
    [`crxn up --dry-run${where}`, "what would be done; changes nothing"],
    [`crxn up${where}`, "shows the same, asks, does it"],
  ];
}
