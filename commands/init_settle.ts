/** Settles the questions of `crxn init` without a person: by the command line and by the machine. */

import { type Answers, findingsOf, isVia, withAnswer } from "../gateway/init/answers.ts";
import type { Question } from "../gateway/init/question.ts";
import { questionsAfter } from "../gateway/init/questions.ts";
import type { Proposal, Terrain } from "../gateway/init/terrain.ts";
import { Fault, type Finding, pathText, redact, refusal, unlessRefused } from "../gateway/config/problem.ts";
import { CrxnError, Exit } from "../gateway/errors.ts";
import { noPlace } from "./init_options.ts";

export interface Settled {
  answers: Answers;
  /** What the machine proposed, by question. */
  proposals: Record<string, Proposal[]>;
}

/** What decides besides the answers. */
export interface Ground {
  terrain: Terrain;
  /** Question -> what the config that is there answers. */
  present?: Map<string, string>;
}

/**
 * Canonical values of a text.
 * @throws Fault, also where there is none in it and one is needed
 */
export function readAnswer({ read, optional }: Question, text: string): string[] {
  const values = read(text);
  if (values.length === 0 && !optional) throw new Fault("holds no answer", "one is needed here");
  return values;
}

export const findingText = ({ path, message, remedy }: Finding) => `${pathText(path)}: ${message} — ${remedy}`;

/**
 * What the command line says, checked as if it had been typed as an answer.
 * @param given question -> text
 * @param answers what is no question and is known already
 * @throws CrxnError 64 for what is wrong or has no place
 */
export function takeGiven(given: Map<string, string>, answers: Answers, { terrain }: Ground): Answers {
  for (const [key, text] of given) {
    const question = questionsAfter(answers, terrain).find((q) => q.key === key);
    const option = (question?.option ?? optionOf(key)).split(" ")[0]!;
    if (!question) throw noPlace(option);
    try {
      answers = withAnswer(answers, key, readAnswer(question, text), "given");
    } catch (error) {
      throw new CrxnError(Exit.usage, `${option}: ${refusal(error, text)}`);
    }
  }
  const [finding] = findingsOf(answers, terrain);
  if (finding) throw new CrxnError(Exit.usage, findingText(finding));
  return answers;
}

/** For a question that has no place here. */
const optionOf = (key: string): string =>
  isVia(key) ? "--route" : { peers: "--peer", networks: "--route" }[key] ?? `--${key}`;

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

/**
 * The first question without an answer; what the config that is there says to it is proposed first. What the machine has and the
 * config cannot hold (an IPv6 next hop, a link named `eth+0`) is no proposal, and what it would have been is not certain.
 */
export function nextOf(answers: Answers, { terrain, present }: Ground): Question | undefined {
  const question = questionsAfter(answers, terrain).find((q) => !answers.has(q.key));
  if (!question) return undefined;
  const isReadable = ({ value }: Proposal) => unlessRefused(() => readAnswer(question, value)) !== undefined;
  const found = question.proposals.filter(isReadable);
  const certain = question.certain === true && found[0] === question.proposals[0];
  const value = present?.get(question.key);
  const there = value === undefined ? [] : [{ value, why: "in the present config" }].filter(isReadable);
  return { ...question, certain, proposals: [...there, ...found.filter((p) => p.value !== there[0]?.value)] };
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
