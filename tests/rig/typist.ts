/** What an operator types on a terminal of a machine, and what it shows: script(1), which every Debian has. */

import type { Place } from "./place.ts";
import { quoted } from "./process.ts";

const PROMPT = "root@gw:~# ";

export class Typist {
  #shown: string[] = [];

  constructor(readonly machine: Place) {}

  /**
   * Types a command line, and answers to what it asks.
   * @param options.shown whether it belongs to the transcript
   * @param options.ends what it has to have said
   */
  async types(
    line: string,
    { keys = [], shown = true, ends }: { keys?: string[]; shown?: boolean; ends?: RegExp } = {},
  ): Promise<string> {
    const { text } = await this.ends(line, keys);
    if (shown) this.#shown.push(`${PROMPT}${line}\n${text}`);
    if (ends && !ends.test(text)) throw new Error(`${line} says:\n${text}`);
    return text;
  }

  /** The same, with the exit code, and not in the transcript. */
  async ends(line: string, keys: string[]): Promise<{ text: string; code: number }> {
    // A line at a time, as fast as a person at most: what is typed ahead a program may throw away.
    const answers = keys.map((key) => `sleep 1.5; printf '%s\\n' ${quoted(key)}`).join("; ");
    const feed = keys.length > 0 ? `{ ${answers}; sleep 2; } | ` : "";
    const command = `stty cols 80 rows 50 2>/dev/null; export TERM=dumb; cd /root; ${line}`;
    const { stdout, code } = await this.machine.run(
      ["sh", "-c", `${feed}script -qec ${quoted(command)} /dev/null`],
      { timeoutSeconds: 590 },
    );
    // deno-lint-ignore no-control-regex
    return { text: stdout.replaceAll("\r", "").replace(/\x1b\[[0-9;]*[A-Za-z]/g, ""), code };
  }

  /** A line of the transcript that is done in another way. */
  note(line: string): void {
    this.#shown.push(`${PROMPT}${line}\n`);
  }

  transcript(): string {
    return this.#shown.map((t) => `${t.trimEnd()}\n`).join("\n");
  }
}
