/** What a command says: results to stdout, everything else to stderr; colour and live lines only on a terminal. */

import * as colors from "@std/fmt/colors";
import { CrxnError, Exit, type ExitCode } from "../gateway/errors.ts";

export interface Ui {
  json: boolean;
  /** A person sits at it: stdin and stderr are terminals. */
  interactive: boolean;
  /** A result, to stdout. */
  out(text: string): void;
  /** A note on the way, to stderr. */
  say(text: string): void;
  /** A line that the next one replaces; on no terminal a line of its own, when `what` changes. */
  progress(what: string): void;
  /** Ends the live line. */
  done(): void;
  ask(question: string): boolean;
}

const noColor = (Deno.env.get("NO_COLOR") ?? "") !== "";

/** Whether the locale is one of UTF-8 (setlocale(3): the first of these that is set decides; none is the C locale). */
export function speaksUtf8(env: (name: string) => string | undefined): boolean {
  const locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(env).find((value) => (value ?? "") !== "") ?? "";
  return /utf-?8/i.test(locale);
}

const utf8 = speaksUtf8((name) => Deno.env.get(name));

/** What crxn itself writes with more than ASCII, and how it is written without. */
const PLAIN: Record<string, string> = { "\u2014": "-", "\u2013": "-", "\u2026": "...", "\u2192": "->", "\u2190": "<-" };

/** Text in ASCII alone, for a terminal that knows no more; what others wrote is shown by its code. */
export const asciiOf = (text: string): string =>
  // deno-lint-ignore no-control-regex
  text.replace(/[^\x00-\x7f]/gu, (c) => PLAIN[c] ?? `\\u{${c.codePointAt(0)!.toString(16)}}`);

/** Styles for text that goes to `stream`. */
export function paintFor(stream: { isTerminal(): boolean }) {
  const on = stream.isTerminal() && !noColor && Deno.env.get("TERM") !== "dumb";
  const style = (f: (t: string) => string) => (text: string) => {
    if (!on) return text;
    colors.setColorEnabled(true);
    return f(text);
  };
  return {
    bold: style(colors.bold),
    dim: style(colors.dim),
    red: style(colors.red),
    green: style(colors.green),
    yellow: style(colors.yellow),
    cyan: style(colors.cyan),
  };
}

export type Paint = ReturnType<typeof paintFor>;

/** What `paintFor` makes: of all escape sequences only these get to a terminal. */
// deno-lint-ignore no-control-regex
const STYLE = /\x1b\[(?:0|1|2|22|31|32|33|36|39)m/g;
/** Control characters of both sets (ECMA-48) but tab and newline, and what turns the direction of writing around (UAX 9). */
// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const hex = (char: string, digits: number) => char.charCodeAt(0).toString(16).padStart(digits, "0");

/** Text for a terminal: log lines, comments of rules and names of files are other people's, and must not command it. */
export function harmless(text: string): string {
  let [out, from] = ["", 0];
  const shown = (piece: string) => piece.replace(CONTROL, (c) => c > "\xff" ? `\\u${hex(c, 4)}` : `\\x${hex(c, 2)}`);
  for (const { 0: style, index } of text.matchAll(STYLE)) {
    out += shown(text.slice(from, index)) + style;
    from = index + style.length;
  }
  return out + shown(text.slice(from));
}

/** Text as it goes to this terminal. */
export const shownAs = (text: string, unicode = utf8): string => unicode ? harmless(text) : asciiOf(harmless(text));

/**
 * Somebody else's text for one line between crxn's own: it can neither end the line nor colour it.
 */
export const inOneLine = (text: string): string =>
  // deno-lint-ignore no-control-regex
  text.replace(/[\x00-\x1f\x7f]/g, (c) => c === "\t" ? " " : `\\x${hex(c, 2)}`).trimEnd();

/** JSON of the same meaning without control characters: JSON.stringify leaves those of the upper set as they are. */
export const harmlessJson = (text: string) => text.replace(/[\x7f-\x9f]/g, (c) => `\\u${hex(c, 4)}`);

/** Of the terminal, which may be gone. */
export function columns(): number {
  try {
    return Deno.consoleSize().columns || 80;
  } catch {
    return 80;
  }
}

/** All of it, as it is. @returns false when nobody listens any more */
export function put(text: string, stream: { writeSync(p: Uint8Array): number } = Deno.stdout): boolean {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let done = 0; done < bytes.length;) done += stream.writeSync(bytes.subarray(done));
    return true;
  } catch (error) {
    // `crxn status | head` closes the pipe, a lost SSH session the terminal (EIO): that is no fault.
    if (!(error instanceof Deno.errors.BrokenPipe) && !/\(os error 5\)/.test(String(error))) throw error;
    return false;
  }
}

export function terminalUi(json: boolean): Ui {
  const live = Deno.stderr.isTerminal() && Deno.env.get("TERM") !== "dumb";
  const write = (stream: { writeSync(p: Uint8Array): number }, text: string) => void put(text, stream);
  let shown = "";
  const clear = () => {
    if (live && shown !== "") write(Deno.stderr, "\r\x1b[K");
    shown = "";
  };
  return {
    json,
    interactive: Deno.stdin.isTerminal() && Deno.stderr.isTerminal(),
    out: (text) => {
      clear();
      write(Deno.stdout, (json ? harmlessJson : shownAs)(text) + "\n");
    },
    say: (text) => {
      clear();
      write(Deno.stderr, shownAs(text) + "\n");
    },
    progress: (step) => {
      const what = shownAs(step);
      if (what === shown) return;
      const width = live ? columns() : 0;
      write(Deno.stderr, live ? `\r\x1b[K${what.slice(0, Math.max(width - 1, 10))}` : `${what}\n`);
      shown = what;
    },
    done: clear,
    ask: (question) => {
      clear();
      write(Deno.stderr, `${shownAs(question)} [y/N] `);
      const buffer = new Uint8Array(256);
      const read = Deno.stdin.readSync(buffer) ?? 0;
      return /^y(es)?$/i.test(new TextDecoder().decode(buffer.subarray(0, read)).trim());
    },
  };
}

/** Prints an error for its reader and returns the exit code. Only a bug shows a stack trace. */
export function reportError(ui: Ui, error: unknown, command: string): ExitCode {
  ui.done();
  const known = error instanceof CrxnError;
  const exit = known ? error.exit : Exit.bug;
  const message = error instanceof Error ? error.message : String(error);
  if (ui.json) {
    ui.out(JSON.stringify(
      {
        schema: "crxn.error/1",
        command,
        exit,
        error: message,
        ...(known && error.remedy ? { remedy: error.remedy } : {}),
        ...(known ? error.detail?.json : {}),
      },
      null,
      2,
    ));
    return exit;
  }
  const paint = paintFor(Deno.stderr);
  ui.say(`${paint.red("crxn:")} ${message}`);
  if (known) {
    if (error.detail?.text) ui.say(error.detail.text.replace(/^/gm, "    "));
    if (error.remedy) ui.say(error.remedy);
  } else {
    ui.say("This is a bug in crxn. Please report it with the lines below.");
    ui.say(error instanceof Error ? error.stack ?? "" : "");
  }
  return exit;
}
