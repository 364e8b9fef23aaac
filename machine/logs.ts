/** journalctl(1): what units said. */

import { Program } from "../gateway/action.ts";
import type { LogLine } from "../gateway/host.ts";
import type { Runner } from "./run.ts";

/** Lines of all units together; the latest count. */
const LINES = 2000;

/** `journalctl --output=json`: an object a line. */
export const parseJournal = (output: string, units: string[]): LogLine[] =>
  output.split("\n").flatMap((line) => parseEntry(line, units)?.line ?? []);

/**
 * One object. What a unit logs has `_SYSTEMD_UNIT`, what systemd says of it `UNIT`.
 * @returns undefined for a line that is none, or of another unit; `cursor` is its place in the journal
 */
export function parseEntry(text: string, units: string[]): { line: LogLine; cursor: string } | undefined {
  if (text.trim() === "") return undefined;
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof entry !== "object" || entry === null) return undefined;
  const own = units.find((u) => u === entry["_SYSTEMD_UNIT"] && entry["UNIT"] === undefined);
  const unit = own ?? units.find((u) => u === entry["UNIT"]);
  if (unit === undefined) return undefined;
  return {
    line: {
      unit,
      at: Math.floor(Number(entry["__REALTIME_TIMESTAMP"]) / 1000) || 0,
      priority: Number(entry["PRIORITY"] ?? 6),
      message: textOf(entry["MESSAGE"]),
      manager: own === undefined,
    },
    cursor: String(entry["__CURSOR"] ?? ""),
  };
}

/** A message that is no UTF-8, or has control characters, comes as a list of bytes (journalctl(1)). */
function textOf(message: unknown): string {
  if (typeof message === "string") return message;
  const bytes = Array.isArray(message) ? message.filter((b): b is number => typeof b === "number") : [];
  // deno-lint-ignore no-control-regex
  return new TextDecoder().decode(new Uint8Array(bytes)).replace(/\x1b\[[0-9;]*m/g, "").replace(/[\x00-\x1f]/g, " ");
}

const asking = (units: string[], ...more: string[]): string[] => [
  Program.journalctl,
  "--no-pager",
  ...more,
  "--output=json",
  "--output-fields=MESSAGE,PRIORITY,_SYSTEMD_UNIT,UNIT",
  ...units.map((unit) => `--unit=${unit}`),
];

/** The question about several units since the boot. */
export const logsQuestion = (units: string[]): string[] => asking(units, "--quiet", "--boot", `--lines=${LINES}`);

/**
 * The last lines, of earlier boots as well. It is not told to be quiet: only then does it say what this user may not see.
 * @param since as journalctl(1) has it
 */
export const tailQuestion = (units: string[], lines: number, since?: string): string[] =>
  asking(units, `--lines=${lines}`, ...(since === undefined ? [] : [`--since=${since}`]));

/** What comes from now on, or behind a place in the journal; never ends by itself. */
export const followQuestion = (units: string[], cursor: string | undefined): string[] =>
  asking(units, "--quiet", "--follow", ...(cursor ? ["--no-tail", `--after-cursor=${cursor}`] : ["--lines=0"]));

/** What it says when it keeps something from this user (src/shared/journal-util.c in systemd). */
export const keepsBack = (stderr: string): boolean =>
  /not seeing messages from other users|insufficient permissions/i.test(stderr);

/** Why journalctl has not answered. 124 is crxn's own end of waiting (run.ts). */
export const logFault = (code: number, stderr: string): string =>
  stderr.trim().split("\n").at(-1) ||
  (code === 124 ? "journalctl takes too long" : `journalctl ended with code ${code}`);

/** What these units said since the boot, oldest first. @throws Error when the log may not be read */
export async function readLogs(runner: Runner, units: string[]): Promise<LogLine[]> {
  const { code, stdout, stderr } = await runner.run(logsQuestion(units));
  if (code !== 0) throw new Error(logFault(code, stderr));
  return parseJournal(stdout, units);
}

/**
 * The last lines of a unit's log, without time stamps; empty when there is none.
 * @param since milliseconds since the epoch
 */
export async function unitLogs(runner: Runner, unit: string | undefined, lines = 15, since = 0): Promise<string> {
  if (!unit) return "";
  const { code, stdout } = await runner.run([
    Program.journalctl,
    "--no-pager",
    "--quiet",
    "--output=cat",
    `--lines=${lines}`,
    `--unit=${unit}`,
    ...(since > 0 ? [`--since=@${Math.floor(since / 1000)}`] : []),
  ]);
  return code === 0 ? stdout.trimEnd() : "";
}
