/** journalctl(1): what units said. */

import { Program } from "../gateway/action.ts";
import type { LogLine } from "../gateway/host.ts";
import type { Runner } from "./run.ts";

/** Lines of all units together; the latest count. */
const LINES = 2000;

/** `journalctl --output=json`: an object a line. What a unit logs has `_SYSTEMD_UNIT`, what systemd says of it `UNIT`. */
export function parseJournal(output: string, units: string[]): LogLine[] {
  return output.split("\n").flatMap((line): LogLine[] => {
    if (line.trim() === "") return [];
    let entry: Record<string, unknown>;
    try {
      entry = JSON.parse(line);
    } catch {
      return [];
    }
    const own = units.find((u) => u === entry["_SYSTEMD_UNIT"] && entry["UNIT"] === undefined);
    const unit = own ?? units.find((u) => u === entry["UNIT"]);
    if (unit === undefined) return [];
    return [{
      unit,
      at: Math.floor(Number(entry["__REALTIME_TIMESTAMP"]) / 1000) || 0,
      priority: Number(entry["PRIORITY"] ?? 6),
      message: textOf(entry["MESSAGE"]),
      manager: own === undefined,
    }];
  });
}

/** A message that is no UTF-8, or has control characters, comes as a list of bytes (journalctl(1)). */
function textOf(message: unknown): string {
  if (typeof message === "string") return message;
  const bytes = Array.isArray(message) ? message.filter((b): b is number => typeof b === "number") : [];
  // deno-lint-ignore no-control-regex
  return new TextDecoder().decode(new Uint8Array(bytes)).replace(/\x1b\[[0-9;]*m/g, "").replace(/[\x00-\x1f]/g, " ");
}

/** The question about several units. */
export const logsQuestion = (units: string[]): string[] => [
  Program.journalctl,
  "--no-pager",
  "--quiet",
  "--boot",
  "--output=json",
  "--output-fields=MESSAGE,PRIORITY,_SYSTEMD_UNIT,UNIT",
  `--lines=${LINES}`,
  ...units.map((unit) => `--unit=${unit}`),
];

/** What these units said since the boot, oldest first. @throws Error when the log may not be read */
export async function readLogs(runner: Runner, units: string[]): Promise<LogLine[]> {
  const { code, stdout, stderr } = await runner.run(logsQuestion(units));
  if (code !== 0) throw new Error(stderr.trim() || `journalctl ended with code ${code}`);
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
