/** A person of the imagination at `crxn init`, and what comes of it. */

import { assert, assertEquals } from "@std/assert";
import { Asker } from "../../commands/init_ask.ts";
import { takeGiven } from "../../commands/init_settle.ts";
import { givenOf, type InitAnswers, settingsOf } from "../../commands/init_options.ts";
import type { Dialogue } from "../../commands/init_terminal.ts";
import { parseConfig, problemsOnMachine } from "../../gateway/config/parse.ts";
import { type Answers, documentOf, withUplink } from "../../gateway/init/answers.ts";
import { configText } from "../../gateway/init/config_text.ts";
import type { Terrain } from "../../gateway/init/terrain.ts";

/** Types lines; what it is told is kept. */
export class Person implements Dialogue {
  readonly columns = 80;
  readonly heard: string[] = [];
  constructor(private readonly lines: string[]) {}

  say(text: string): void {
    this.heard.push(text);
  }

  read(prompt: string): Promise<string> {
    const line = this.lines.shift();
    this.heard.push(`${prompt}${line}`);
    if (line === undefined) throw new Error(`Nothing to answer to:\n${this.heard.join("\n")}`);
    return Promise.resolve(line);
  }

  get left(): number {
    return this.lines.length;
  }
}

export interface Told {
  heard: string;
  answers: Answers;
  text: string;
}

export const ground = (machine: Terrain) => ({ terrain: machine });

export function known(machine: Terrain, options: InitAnswers): Answers {
  const given = givenOf(options);
  return takeGiven(given, settingsOf(options, given), ground(machine));
}

/** Answers until nothing is left to ask; the config is one for the real parser. */
export async function tell(machine: Terrain, lines: string[], options: InitAnswers = {}): Promise<Told> {
  const person = new Person([...lines]);
  const answers = await new Asker(known(machine, options), ground(machine), person).settle();
  assertEquals(person.left, 0, `left unasked after:\n${person.heard.join("\n")}`);
  const heard = person.heard.join("\n");
  for (const line of heard.split("\n")) assert(line.length < 80 || /[0-9a-f]{64}/.test(line), `too long: ${line}`);
  return { heard, answers, text: await textOf(answers, machine) };
}

export async function textOf(answers: Answers, machine: Terrain): Promise<string> {
  const all = withUplink(answers, machine);
  const text = configText(all);
  const config = await parseConfig(text, "crxn.yaml");
  assertEquals(config, await parseConfig(JSON.stringify(documentOf(all)), "document"), "the comments change nothing");
  assertEquals(await problemsOnMachine(config, text, "crxn.yaml", machine.networks), []);
  return text;
}

/** Without comments and empty lines. */
export const bare = (text: string) => text.split("\n").filter((l) => !/^ *(#|$)/.test(l)).join("\n");
