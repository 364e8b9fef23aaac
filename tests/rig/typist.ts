/** What an operator types on a terminal of a machine, and what it shows: script(1), which every Debian has. */

import type { Place } from "./place.ts";
import { quoted } from "./process.ts";

const PROMPT = "root@gw:~# ";

/**
 * Waits for the next question, and for a person's moment: what is typed ahead a program may throw away. One more question than
 * there are keys gets the end of the input, so that nobody waits for ever.
 */
const ASKED = `seen=0; asked() {
  until size=$(stat -c %s $shown); [ $size -gt $seen ] && tail -c 300 $shown | tail -n 1 | grep -qE '(^|\r)(Answer.*:|.*\\[y/N\\]) $'; do sleep 0.1; done
  seen=$size; sleep 0.2
}`;

export class Typist {
  #shown: string[] = [];

  constructor(readonly machine: Place) {}

  /**
   * Types a command line, and answers to what it asks.
   * @param options.shown whether it belongs to the transcript
   * @param options.ends what it has to have said
   * @param options.exit what it has to end with
   */
  async types(
    line: string,
    { keys = [], shown = true, ends, exit = 0 }: { keys?: string[]; shown?: boolean; ends?: RegExp; exit?: number } =
      {},
  ): Promise<string> {
    const { text, code } = await this.ends(line, keys);
    if (shown) this.#shown.push(`${PROMPT}${line}\n${text}`);
    if (code !== exit) throw new Error(`${line} ended with ${code}, not ${exit}:\n${text}`);
    if (ends && !ends.test(text)) throw new Error(`${line} says:\n${text}`);
    return text;
  }

  /** The same, with the exit code, and not in the transcript. */
  async ends(line: string, keys: string[]): Promise<{ text: string; code: number }> {
    const command = `stty cols 80 rows 50 2>/dev/null; export TERM=dumb; cd /root; ${line}`;
    const script = keys.length === 0
      ? `exec script -qec ${quoted(command)} /dev/null`
      : `folder=$(mktemp -d); shown=$folder/shown; mkfifo $folder/keys; : >$shown
${ASKED}
{ ${keys.map((key) => `asked; printf '%s\\n' ${quoted(key)}`).join("; ")}; asked; } >$folder/keys & typing=$!
script -qfec ${quoted(command)} $shown <$folder/keys; code=$?
kill $typing 2>/dev/null; rm -r $folder; exit $code`;
    const { stdout, code } = await this.machine.run(["sh", "-c", script], { timeoutSeconds: 590 });
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
