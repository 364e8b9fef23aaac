/** Settles the questions of `crxn init` without a person: by the command line and by the machine. */

import { type Answers, carrierOf, findingsOf, withAnswer } from "../gateway/init/answers.ts";
import type { Question } from "../gateway/init/question.ts";
import { questionsAfter } from "../gateway/init/questions.ts";
import type { KeyJudge } from "../gateway/init/questions_yggdrasil.ts";
import type { Proposal, Terrain } from "../gateway/init/terrain.ts";
import { Fault, type Finding, pathText, quote, redact } from "../gateway/config/problem.ts";
import { CrxnError, Exit } from "../gateway/errors.ts";

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
export const because = (error: unknown, text: string): string => {
  if (!(error instanceof Fault)) throw error;
  return `${quote(text)} ${error.message} — ${error.remedy}`;
};

export const findingText = ({ path, message, remedy }: Finding) => `${pathText(path)}: ${message} — ${remedy}`;

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
      answers = withAnswer(answers, key, question.read(text), "given");
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
    answers = withAnswer(answers, key, values ?? [], "found");
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

export const nextOf = (answers: Answers, { terrain, judge }: Ground) =>
  questionsAfter(answers, terrain, judge).find((q) => !answers.has(q.key));

/** The first proposal, or none where that is an answer. */
export function foundFor({ proposals: [best], optional, certain, read }: Question): string[] | undefined {
  if (best) return read(best.value);
  return optional || certain ? [] : undefined;
}

/** What was taken without asking anybody, in words. */
export const foundLines = ({ answers, proposals }: Settled): string[] =>
  [...answers].filter(([, { from, values }]) => from === "found" && values.length > 0).map(([key, { values }]) => {
    const why = proposals[key]?.[0]?.why;
    return `${key}: ${redact(values.join(", "))}${why ? ` (${why})` : ""}`;
  });
