/** Several questions to one program at once: starting one takes longer than most of its answers. */

import { Program } from "../gateway/action.ts";
import type { Result, Runner, RunOptions } from "./run.ts";

/** Questions that differ in their last words only. */
interface Batch {
  questions: string[][];
  /** The one that asks them all. */
  argv: string[];
  options?: RunOptions;
  /** The answers in it, one for each question; undefined when it has not that many. */
  split(stdout: string): string[] | undefined;
  /** The exit code of an answer without a line, where the program has one of its own. */
  empty?: number;
}

/** What can be asked together; the rest stays as it is. */
export function batches(all: string[][]): Batch[] {
  const groups = Map.groupBy(all, (argv) => argv.slice(0, headOf(argv)).join("\0"));
  groups.delete("");
  return [...groups.values()].filter((questions) => questions.length > 1).map(batchOf);
}

/** How many words a question has in common with those that it can be asked together with; 0 when it stays alone. */
function headOf([program, ...words]: string[]): number {
  if (program === Program.systemctl && words[0] === "show") return words.indexOf("--") + 2;
  if (program === Program.grep) return words[0] === "-aHs" && words[1] === "" ? words.indexOf("--") + 2 : 0;
  const [json, family, ...rest] = words;
  const isPlain = rest.every((word) => /^[\w./:-]+$/.test(word));
  return program === Program.ip && json === "-j" && /^-[46]$/.test(family ?? "") && isPlain ? 3 : 0;
}

function batchOf(questions: string[][]): Batch {
  const argv = questions[0]!.slice(0, headOf(questions[0]!));
  const tails = questions.map((question) => question.slice(argv.length));
  if (argv[0] === Program.ip) return batchOfIp(questions, argv, tails);
  return argv[0] === Program.grep ? batchOfGrep(questions, argv, tails) : batchOfSystemctl(questions, argv, tails);
}

/** grep(1), -H: each line with its file's name in front. Of a file without lines nothing, and 1 where there are none at all. */
const batchOfGrep = (questions: string[][], argv: string[], tails: string[][]): Batch => ({
  questions,
  argv: [...argv, ...tails.flat()],
  split: (stdout) => {
    const lines = stdout.split(/(?<=\n)/);
    return tails.map((files) => lines.filter((line) => files.some((file) => line.startsWith(`${file}:`))).join(""));
  },
  empty: 1,
});

/** ip(8), -batch: a line of JSON for each line of stdin; it ends with the first that fails. */
const batchOfIp = (questions: string[][], argv: string[], tails: string[][]): Batch => ({
  questions,
  argv: [...argv, "-batch", "-"],
  options: { stdin: tails.map((words) => words.join(" ") + "\n").join("") },
  split: (stdout) => {
    const lines = stdout.split("\n").filter((line) => line !== "");
    return lines.length === tails.length && lines.every((line) => line.startsWith("["))
      ? lines.map((line) => line + "\n")
      : undefined;
  },
});

/** systemctl(1), show: a block for each unit, in their order, with an empty line between two. */
const batchOfSystemctl = (questions: string[][], argv: string[], tails: string[][]): Batch => ({
  questions,
  argv: [...argv, ...tails.flat()],
  split: (stdout) => {
    const blocks = stdout.split("\n\n").filter((block) => block.trim() !== "");
    if (blocks.length !== tails.flat().length) return undefined;
    return tails.map((units) => blocks.splice(0, units.length).map((block) => block.trim()).join("\n\n") + "\n");
  },
});

/**
 * What each question by itself would have been answered.
 * @returns undefined when not every question got an answer; then each has to be asked by itself
 */
export async function askBatch(runner: Runner, batch: Batch): Promise<Result[] | undefined> {
  const { code, stdout } = await runner.run(batch.argv, batch.options);
  const answers = code === 0 || code === batch.empty ? batch.split(stdout) : undefined;
  return answers && batch.questions.map((argv, i) => {
    const answer = answers[i]!;
    return { argv, code: answer === "" ? batch.empty ?? code : code, stdout: answer, stderr: "" };
  });
}
