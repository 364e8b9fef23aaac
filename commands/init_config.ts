/** `crxn init`: finds out, asks for the rest, shows the config and writes it. */

import { parse as parseYaml } from "@std/yaml";
import { Program } from "../gateway/action.ts";
import { compare } from "../gateway/compare.ts";
import { parseConfig, problemsOnMachine } from "../gateway/config/parse.ts";
import { ConfigError } from "../gateway/config/problem.ts";
import { CrxnError, Exit, type ExitCode } from "../gateway/errors.ts";
import { withUplink } from "../gateway/init/answers.ts";
import { configText, isSecret } from "../gateway/init/config_text.ts";
import { type Present, presentOf } from "../gateway/init/present.ts";
import type { Terrain } from "../gateway/init/terrain.ts";
import { replay } from "../gateway/journal.ts";
import { readDaemon } from "../machine/daemon.ts";
import { readJournal } from "../machine/journal.ts";
import { machineSize } from "../machine/size.ts";
import { readTerrain } from "../machine/terrain.ts";
import {
  type Context,
  loadConfig,
  networksOf,
  prepare,
  requireDebian,
  requireRoot,
  requireYggdrasil,
} from "./context.ts";
import { requireDaemon } from "./daemon.ts";
import { Asker } from "./init_ask.ts";
import { foundLines, type Ground, settleAlone, type Settled, takeGiven } from "./init_settle.ts";
import { givenOf, type InitAnswers, settingsOf } from "./init_options.ts";
import { closing, deliver, type Made, opening, unasked } from "./init_output.ts";
import { paragraph, Terminal } from "./init_terminal.ts";
import { targetOf } from "../machine/config_place.ts";

export interface MakeOptions extends InitAnswers {
  print?: true | undefined;
}

export async function makeConfig(context: Context, options: MakeOptions): Promise<ExitCode> {
  const { ui, options: { config: file, yes } } = context;
  const asks = ui.interactive && !yes;
  const given = givenOf(options);
  if (!options.print) {
    requireRoot("`crxn init`", "Run it with sudo, or as root; with --print it prints the config, and needs none.");
  }
  const target = options.print ? undefined : await targetOf(file);
  const present = await readPresent(file);
  const settings = settingsOf(options, given, present?.settings);
  const terrain = await look(context, options.daemon ?? present?.settings.daemon ?? Program.yggdrasil);
  const ground: Ground = { terrain, ...(present ? { present: present.answers } : {}) };
  const known = takeGiven(given, settings, ground);
  const lost = present?.leftOut.length
    ? `The present config has keys that nothing asks for, and the new one will not have them: ${
      present.leftOut.join(", ")
    }.`
    : undefined;
  if (!asks) {
    const settled = settleAlone(known, ground);
    const made = await finish(context, settled, terrain);
    if (target && !yes) throw unasked(target, made.text);
    for (const line of foundLines(settled)) ui.say(`found: ${line}`);
    if (lost) ui.say(`warning: ${lost}`);
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
    if (lost && target.before) terminal.say(paragraph(lost, Math.max(terminal.columns, 40) - 1));
    const yes = await asker.confirm(target.before ? "Write it, and keep the old one?" : "Write it?");
    if (yes === undefined) continue;
    if (!yes) throw new CrxnError(Exit.failed, "Nothing was written.");
    return await deliver(context, made, settled, target);
  }
}

/** What the config that is there says: also of the daemon that --key is for. Undefined where there is none that crxn would read. */
export async function readPresent(file: string): Promise<Present | undefined> {
  try {
    const { text, config } = await loadConfig(file);
    return presentOf(config, parseYaml(text));
  } catch (error) {
    if (error instanceof CrxnError) return undefined;
    throw error;
  }
}

/** The machine, as far as it matters here. */
async function look({ runner }: Context, path: string): Promise<Terrain> {
  const daemon = await readDaemon(runner, path, Deno.uid() === 0);
  // Debian's may be broken, and not be needed.
  if (path !== Program.yggdrasil) requireYggdrasil({ ...(daemon ? { daemon } : {}) });
  const [seen, journal] = await Promise.all([
    readTerrain(runner, daemon),
    // What cannot be read, without root or at all, is not what this is about.
    readJournal().catch(() => replay([])),
  ]);
  return { ...seen, networks: networksOf(seen, journal) };
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
    await requireDaemon(config);
    const prepared = await prepare(context, { text, config });
    requireDebian(prepared.survey);
    compare(prepared.blueprint.items, prepared.survey, prepared.journal);
    return made;
  } catch (error) {
    if (!(error instanceof CrxnError) || error instanceof ConfigError) throw error;
    return { ...made, warning: [error.message, error.remedy].filter(Boolean).join(" ") };
  }
}
