/** Asks the machine what will be asked in any case while the rest of crxn is still being loaded: programs and loading share the time. */

import { HOST, listed, SURVEY } from "./always.ts";
import { type Result, type Runner, type RunOptions, SystemRunner } from "./run.ts";

/** Answers each question that was asked ahead once; after that, and all others, when they are asked. */
export class AheadRunner extends SystemRunner implements Runner {
  readonly #answers = new Map<string, Promise<Result>>();

  ask(questions: string[][]): void {
    for (const argv of questions) {
      const answer = super.run(argv);
      // Whoever asks hears of its fault.
      answer.catch(() => {});
      this.#answers.set(keyOf(argv), answer);
    }
  }

  override run(argv: string[], options?: RunOptions): Promise<Result> {
    const key = keyOf(argv);
    const answer = this.#answers.get(key);
    this.#answers.delete(key);
    return answer ?? super.run(argv, options);
  }
}

const keyOf = (argv: string[]): string => argv.join("\0");

/** What commands that look at the machine and change nothing ask of it. `doctor --fix` first makes sure that it is alone. */
export function questionsOf(args: string[]): string[][] {
  const [command] = args;
  if (args.some((word) => /^--(help|explain|fix)\b/.test(word))) return [];
  if (command === "doctor") return [...listed(SURVEY), ...listed(HOST)];
  return command === "status" ? listed(SURVEY) : [];
}
