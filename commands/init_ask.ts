/** Settles all questions of `crxn init`: by the command line, by the machine, by asking. */

import { type Answers, carrierOf, findingsOf, type Source } from "../gateway/init/answers.ts";
import type { Question } from "../gateway/init/question.ts";
import { type KeyJudge, questionsAfter } from "../gateway/init/questions.ts";
import type { Proposal, Terrain } from "../gateway/init/terrain.ts";
import { Fault, type Finding, pathText, quote, redact } from "../gateway/config/problem.ts";
import { CrxnError, Exit } from "../gateway/errors.ts";
import { type Dialogue, wrap } from "./init_terminal.ts";

export interface Settled {
  answers: Answers;
  /** What the machine proposed, by question. */
  proposals: Record<string, Proposal[]>;
}

/** What decides besides the answers. */
export interface Ground {
  terrain: Terrain;
  judge: KeyJudge;
}

/** Why an answer cannot be taken. */
const because = (error: unknown, text: string): string => {
  if (!(error instanceof Fault)) throw error;
  return `${quote(text)} ${error.message} — ${error.remedy}`;
};

const findingText = ({ path, message, remedy }: Finding) => `${pathText(path)}: ${message} — ${remedy}`;

/**
 * What the command line says, checked as if it had been typed as an answer.
 * @param given question -> text
 * @param answers what is no question and is known already
 * @throws CrxnError 64 for what is wrong or has no place
 */
export function takeGiven(given: Map<string, string>, answers: Answers, { terrain, judge }: Ground): Answers {
  for (const [key, text] of given) {
    const question = questionsAfter(answers, terrain, judge).find((q) => q.key === key);
    const option = (question?.option ?? optionOf(key)).split(" ")[0]!;
    if (!question) {
      throw new CrxnError(
        Exit.usage,
        `${option} has no place in this config.`,
        "Over an existing link there are no peers, no listeners, no local networks and no keys; a node has no prefix and no pool.",
      );
    }
    try {
      answers = new Map([...answers, [key, { values: question.read(text), from: "given" }]]);
    } catch (error) {
      throw new CrxnError(Exit.usage, `${option}: ${because(error, text)}`);
    }
  }
  const [finding] = findingsOf(answers, terrain);
  if (finding) throw new CrxnError(Exit.usage, findingText(finding));
  return answers;
}

/** For a question that has no place here. */
const optionOf = (key: string): string =>
  key.startsWith(carrierOf("")) ? "--route" : { peers: "--peer", networks: "--route" }[key] ?? `--${key}`;

/**
 * Settles the rest without asking.
 * @throws CrxnError 64 with what is missing, and how it is given
 */
export function settleAlone(answers: Answers, ground: Ground): Settled {
  const proposals: Settled["proposals"] = {};
  const missing: Question[] = [];
  for (let question; (question = nextOf(answers, ground));) {
    const { key } = question;
    proposals[key] = question.proposals;
    const values = foundFor(question);
    if (values === undefined) missing.push(question);
    answers = new Map([...answers, [key, { values: values ?? [], from: "found" }]]);
    const [finding] = missing.length > 0 ? [] : findingsOf(answers, ground.terrain);
    if (finding) throw new CrxnError(Exit.usage, findingText(finding), `Say what is right: ${question.option}.`);
  }
  if (missing.length === 0) return { answers, proposals };
  const width = Math.max(...missing.map((q) => q.option.length));
  throw new CrxnError(
    Exit.usage,
    "The machine does not tell, and nobody is asked here (no terminal, or --yes):",
    "Say what is missing, or run `crxn init` on a terminal. Nothing was written.",
    {
      text: missing.map((q) => `${q.option.padEnd(width)}  ${q.text}`).join("\n"),
      json: { missing: missing.map(({ key, option, text }) => ({ key, option, text })) },
    },
  );
}

const nextOf = (answers: Answers, { terrain, judge }: Ground) =>
  questionsAfter(answers, terrain, judge).find((q) => !answers.has(q.key));

/** The first proposal, or none where that is an answer. */
function foundFor({ proposals: [best], optional, certain, read }: Question): string[] | undefined {
  if (best) return read(best.value);
  return optional || certain ? [] : undefined;
}

/** What was taken without asking anybody, in words. */
export const foundLines = ({ answers, proposals }: Settled): string[] =>
  [...answers].filter(([, { from, values }]) => from === "found" && values.length > 0).map(([key, { values }]) => {
    const why = proposals[key]?.[0]?.why;
    return `${key}: ${redact(values.join(", "))}${why ? ` (${why})` : ""}`;
  });

/** Settles the rest by asking what is not certain. */
export class Asker {
  /** Questions that were put, in order. */
  #asked: string[] = [];
  readonly #before = new Map<string, string>();
  readonly proposals: Settled["proposals"] = {};

  constructor(private answers: Answers, private readonly ground: Ground, private readonly dialogue: Dialogue) {}

  async settle(): Promise<Answers> {
    for (let question; (question = nextOf(this.answers, this.ground));) {
      this.proposals[question.key] = question.proposals;
      if (question.certain && this.#take(question, foundFor(question) ?? [], "found") === undefined) continue;
      await this.#ask(question);
    }
    return this.answers;
  }

  /** Goes back to the question before; it is asked again by {@linkcode settle}. @returns whether there was one */
  back(): boolean {
    const last = this.#asked.pop();
    if (last === undefined) return false;
    const all = [...this.answers];
    const from = all.findIndex(([key]) => key === last);
    this.#before.set(last, all[from]![1].values.join(", "));
    this.answers = new Map(all.filter(([, { from: source }], i) => i < from || source === "given"));
    return true;
  }

  /** @returns why it is refused */
  #take(question: Question, values: string[], from: Source): string | undefined {
    const answers: Answers = new Map([...this.answers, [question.key, { values, from }]]);
    const [finding] = findingsOf(answers, this.ground.terrain);
    if (finding) return findingText(finding);
    this.answers = answers;
    return undefined;
  }

  async #ask(question: Question): Promise<void> {
    const offers = this.#offersOf(question);
    const say = (text: string, indent = "") =>
      this.dialogue.say(wrap(text, Math.min(Math.max(this.dialogue.columns, 40), 100) - 1, indent));
    say("");
    say(question.text);
    for (const [i, { value, why }] of offers.entries()) {
      say(`${offers.length > 1 ? `${i + 1}) ` : ""}${redact(value)} (${why})`, "  ");
    }
    const best = offers[0]?.value ?? (question.optional ? "none" : undefined);
    const hint = offers.length > 0 && question.optional ? ", - for none" : "";
    const shown = best === undefined ? "" : ` [${redact(best).length > 60 ? "as above" : redact(best)}${hint}]`;
    for (;;) {
      const text = await this.dialogue.read(`Answer${shown}: `);
      if (text === "?") {
        say(question.help, "  ");
        continue;
      }
      if (text === "back") {
        if (this.back()) return;
        say("This is the first question.", "  ");
        continue;
      }
      const why = this.#answer(question, offers, text);
      if (why === undefined) {
        const remark = question.remark?.(this.answers.get(question.key)!.values);
        if (remark) say(`Mind: ${remark}`, "  ");
        return;
      }
      say(`Not taken: ${why}`, "  ");
    }
  }

  /** What it was before it was gone back behind comes first. */
  #offersOf({ key, proposals }: Question): Proposal[] {
    const before = this.#before.get(key);
    if (!before) return proposals;
    return [{ value: before, why: "your answer before" }, ...proposals.filter((p) => p.value !== before)];
  }

  /** @returns why it is refused */
  #answer(question: Question, offers: Proposal[], text: string): string | undefined {
    const none = question.optional && (/^(-|none)$/i.test(text) || (text === "" && offers.length === 0));
    const number = /^[1-9]$/.test(text) && offers.length > 1 ? offers[Number(text) - 1] : undefined;
    const chosen = none ? "" : text === "" ? offers[0]?.value ?? "" : number?.value ?? text;
    if (!none && chosen === "") return "an answer is needed here; ? explains the question";
    try {
      const values = none ? [] : question.read(chosen);
      if (values.length === 0 && !question.optional) return "an answer is needed here; ? explains the question";
      const refused = this.#take(question, values, "answered");
      if (refused === undefined) this.#asked.push(question.key);
      return refused;
    } catch (error) {
      return because(error, chosen);
    }
  }
}
