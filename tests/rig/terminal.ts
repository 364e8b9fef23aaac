import type { Place } from "./place.ts";
import { quoted, until } from "./process.ts";

/** What the shell in the terminal shows when it waits. */
const READY = "READY# ";
const LOG = "/run/rig-terminal.log";

/** A terminal of 80 columns and 50 lines on a machine, in which a shell runs and keys are pressed: tmux(1). */
export class Keyboard implements AsyncDisposable {
  /** Characters of the log that have been looked at. */
  #seen = 0;

  private constructor(readonly place: Place) {}

  /** Installs tmux where it is missing, and starts a shell in it. @param term the shell's TERM */
  static async at(place: Place, term = "screen"): Promise<Keyboard> {
    await place.must(
      "command -v tmux >/dev/null || { apt-get -qq update; DEBIAN_FRONTEND=noninteractive apt-get -qq -y " +
        "--no-install-recommends install tmux >/dev/null; }",
    );
    const shell = quoted(`exec env PS1='${READY}' TERM=${term} sh`);
    await place.must(
      `rm -f ${LOG}; tmux -L rig -f /dev/null new-session -d -s rig -x 80 -y 50 ${shell}
      tmux -L rig pipe-pane -t rig 'cat >> ${LOG}'; tmux -L rig send-keys -t rig Enter`,
    );
    const keyboard = new Keyboard(place);
    await keyboard.shows(/READY# $/);
    return keyboard;
  }

  /** Types a text and Enter. */
  async type(text: string): Promise<void> {
    await this.#look();
    const literal = text === "" ? "" : `tmux -L rig send-keys -t rig -l -- ${quoted(text)}; `;
    await this.place.must(`${literal}tmux -L rig send-keys -t rig Enter`);
  }

  /** Presses a key by tmux's name for it: "C-c". */
  async press(key: string): Promise<void> {
    await this.#look();
    await this.place.must(["tmux", "-L", "rig", "send-keys", "-t", "rig", key]);
  }

  /** Waits until what has come since the last key matches, and returns it. @throws {Error} after `seconds` */
  async shows(pattern: RegExp, seconds = 20): Promise<string> {
    let text = "";
    try {
      return await until(`${pattern} in the terminal`, seconds, async () => {
        text = (await this.#log()).slice(this.#seen);
        return pattern.test(text) ? text : undefined;
      });
    } catch (error) {
      throw new Error(`${error instanceof Error ? error.message : error}, which shows:\n${text}`);
    }
  }

  /** Runs a command to its end. @returns what it showed, and its exit code */
  async run(command: string): Promise<{ text: string; code: number }> {
    await this.type(command);
    return await this.end();
  }

  /** Waits for the shell. @returns what was shown since the last key, and the exit code of what ended */
  async end(): Promise<{ text: string; code: number }> {
    const text = await this.shows(/READY# $/, 60);
    await this.type("echo code=$?");
    const [, code] = /code=(\d+)\n/.exec(await this.shows(/code=\d+\n[^]*READY# $/))!;
    return { text, code: Number(code) };
  }

  /** How the terminal is set, as stty(1) has it. */
  async settings(): Promise<string> {
    return (await this.run("stty -a")).text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.place.run(["tmux", "-L", "rig", "kill-server"]);
  }

  async #look(): Promise<void> {
    this.#seen = (await this.#log()).length;
  }

  async #log(): Promise<string> {
    return (await this.place.run(["cat", LOG])).stdout.replaceAll("\r", "");
  }
}
