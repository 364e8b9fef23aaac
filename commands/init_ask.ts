/** The dialogue of `crxn init`: what is not certain is asked, and each answer judged at once. */

import { redact, refusal } from "../gateway/config/problem.ts";
import { type Answers, findingsOf, isYggdrasil, type Source, valueOf, withAnswer } from "../gateway/init/answers.ts";
import type { Question } from "../gateway/init/question.ts";
import type { Proposal } from "../gateway/init/terrain.ts";
import { findingText, foundFor, type Ground, nextOf, readAnswer, type Settled } from "./init_settle.ts";
import { type Dialogue, paragraph } from "./init_terminal.ts";

/** The existing link by which the overlay is reached. */
const linkOf = (answers: Answers) => isYggdrasil(answers) ? undefined : valueOf(answers, "interface");

const FIRST = "This is the first question.";

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
      const found = question.certain ? foundFor(question, this.answers, this.ground) : undefined;
      if (typeof found === "object") this.answers = found;
      else await this.#ask(question);
    }
    return this.answers;
  }

  /**
   * The last question, which nothing but "yes" answers.
   * @returns undefined where the one before is to be asked again
   */
  async confirm(question: string): Promise<boolean | undefined> {
    for (;;) {
      const answer = await this.dialogue.read(`${question} [y/N] `);
      if (answer !== "back") return /^y(es)?$/i.test(answer);
      if (this.back()) return undefined;
      this.#say(FIRST, "  ");
    }
  }

  /** Goes back to the question before; it is asked again by {@linkcode settle}. @returns whether there was one */
  back(): boolean {
    const last = this.#asked.pop();
    if (last === undefined) return false;
    const all = [...this.answers];
    const from = all.findIndex(([key]) => key === last);
    const known = last === "overlay" && !this.#asked.includes("interface") ? linkOf(this.answers) : undefined;
    this.#before.set(last, known ?? all[from]![1].values.join(", "));
    this.answers = new Map(all.filter(([, { from: source }], i) => i < from || source === "given"));
    return true;
  }

  /** @returns why it is refused */
  #take(question: Question, values: string[], from: Source): string | undefined {
    const answers = withAnswer(this.answers, question.key, values, from);
    const [finding] = findingsOf(answers, this.ground.terrain);
    if (finding) return findingText(finding);
    this.answers = answers;
    return undefined;
  }

  async #ask(question: Question): Promise<void> {
    const offers = this.#offersOf(question);
    const say = (text: string, indent = "") => this.#say(text, indent);
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
        say(FIRST, "  ");
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

  #say(text: string, indent: string): void {
    this.dialogue.say(paragraph(text, Math.min(Math.max(this.dialogue.columns, 40), 100) - 1, indent));
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
      const values = none ? [] : readAnswer(question, chosen);
      const refused = this.#take(question, values, "answered");
      if (refused === undefined) this.#asked.push(question.key);
      return refused;
    } catch (error) {
      return refusal(error, chosen);
    }
  }
}
