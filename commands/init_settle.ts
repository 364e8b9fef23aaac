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
  /** Question -> what the config that is there answers. */
  present?: Map<string, string>;
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
    const found = foundFor(question, answers, ground, missing.length === 0);
    if (found === undefined) missing.push(question);
    else if (typeof found === "string") {
      throw new CrxnError(Exit.usage, found, `Say what is right: ${question.option}.`);
    }
    answers = typeof found === "object" ? found : withAnswer(answers, key, [], "found");
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

/** The first question without an answer; what the config that is there says to it is proposed first. */
export function nextOf(answers: Answers, { terrain, judge, present }: Ground): Question | undefined {
  const question = questionsAfter(answers, terrain, judge).find((q) => !answers.has(q.key));
  const value = question && present?.get(question.key);
  if (!question || value === undefined || !isReadable(question, value)) return question;
  const others = question.proposals.filter((p) => p.value !== value);
  return { ...question, proposals: [{ value, why: "in the present config" }, ...others] };
}

function isReadable({ read }: Question, text: string): boolean {
  try {
    read(text);
    return true;
  } catch (error) {
    if (error instanceof Fault) return false;
    throw error;
  }
}

/**
 * The answers with the first proposal that fits, or with none where that is an answer.
 * @param judged false: they are incomplete, and only the first proposal is looked at
 * @returns why not even the first fits, or undefined where nothing is proposed
 */
export function foundFor(
  { key, proposals, optional, certain, read }: Question,
  answers: Answers,
  { terrain }: Ground,
  judged = true,
): Answers | string | undefined {
  const tried = proposals.length > 0 ? proposals.map((p) => read(p.value)) : optional || certain ? [[]] : [];
  const taken = tried.map((values) => withAnswer(answers, key, values, "found"));
  if (!judged) return taken[0];
  const findings = taken.map((all) => findingsOf(all, terrain)[0]);
  const fits = findings.indexOf(undefined);
  return fits >= 0 ? taken[fits] : findings[0] && findingText(findings[0]);
}

/** What was taken without asking anybody, in words. */
export const foundLines = ({ answers, proposals }: Settled): string[] =>
  [...answers].filter(([, { from, values }]) => from === "found" && values.length > 0).map(([key, { values }]) => {
    const why = proposals[key]?.find((p) => p.value === values.join(", "))?.why;
    return `${key}: ${redact(values.join(", "))}${why ? ` (${why})` : ""}`;
  });
