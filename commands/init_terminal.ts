/**
 * A dialogue by lines: the terminal stays as it is, with its own editing and echo, so that it works on a serial console, with
 * TERM=dumb, over a bad line and for a screen reader, and nothing has to be put in order when it ends.
 */

import { CrxnError, Exit } from "../gateway/errors.ts";
import { wrap } from "../gateway/wrap.ts";
import { columns, put, shownAs, type Ui } from "./ui.ts";

export interface Dialogue {
  /** Of a line on the terminal. */
  columns: number;
  say(text: string): void;
  /**
   * One line, without blanks around it.
   * @throws CrxnError 130 for Ctrl-C, 1 when the input ends
   */
  read(prompt: string): Promise<string>;
}

/** Listens for Ctrl-C until it is disposed of. */
export class Terminal implements Dialogue, Disposable {
  readonly columns = columns();
  #typed = "";
  #prompt = "";
  readonly #decoder = new TextDecoder();
  readonly #interrupted = Promise.withResolvers<never>();
  readonly #interrupt = () =>
    this.#interrupted.reject(new CrxnError(Exit.interrupted, "Interrupted. Nothing was written."));
  /** Back from Ctrl-Z. */
  readonly #resume = () => this.#write(this.#prompt);

  constructor(private readonly ui: Ui) {
    // Nobody may be waiting when it comes.
    this.#interrupted.promise.catch(() => {});
    Deno.addSignalListener("SIGINT", this.#interrupt);
    Deno.addSignalListener("SIGCONT", this.#resume);
  }

  say(text: string): void {
    this.ui.say(text);
  }

  async read(prompt: string): Promise<string> {
    this.ui.done();
    this.#prompt = prompt;
    this.#write(prompt);
    const buffer = new Uint8Array(4096);
    while (!this.#typed.includes("\n")) {
      // Not readSync: it would keep the signal waiting.
      const read = await Promise.race([Deno.stdin.read(buffer), this.#interrupted.promise]).catch((error) => {
        // The terminal is gone (EIO).
        if (error instanceof CrxnError) throw error;
        return null;
      }).catch((error) => this.#end(error));
      if (read === null) {
        this.#end(new CrxnError(Exit.failed, "The input ended before all was answered. Nothing was written."));
      }
      this.#typed += this.#decoder.decode(buffer.subarray(0, read), { stream: true });
    }
    this.#prompt = "";
    const end = this.#typed.indexOf("\n");
    const line = this.#typed.slice(0, end).trim();
    this.#typed = this.#typed.slice(end + 1);
    return line;
  }

  /** The message gets a line of its own. */
  #end(error: unknown): never {
    this.#write("\n");
    throw error;
  }

  #write(text: string): void {
    put(shownAs(text), Deno.stderr);
  }

  [Symbol.dispose](): void {
    Deno.removeSignalListener("SIGINT", this.#interrupt);
    Deno.removeSignalListener("SIGCONT", this.#resume);
  }
}

/** Words into lines of that width, as one text; each line begins with `indent`. */
export const paragraph = (text: string, width: number, indent = ""): string =>
  wrap(text, width - indent.length).map((line) => indent + line).join("\n");
