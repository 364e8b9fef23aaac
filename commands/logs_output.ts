/** Lines of logs, for people and for programs. Pure but for the colours. */

import { judged, type Level } from "../checks/log_level.ts";
import type { LogLine } from "../gateway/host.ts";
import { inOneLine, type Paint } from "./ui.ts";

/** A line of `crxn.logs/1`. */
export interface LogEntry {
  /** ISO 8601. */
  at: string;
  unit: string;
  level: Level;
  text: string;
  /** systemd says it of the unit, not the unit itself. */
  manager: boolean;
  /** What the line means, where crxn knows it. */
  means?: string;
}

export function logEntry(line: LogLine): LogEntry {
  const { level, text, means } = judged(line);
  return {
    at: new Date(line.at).toISOString(),
    unit: line.unit,
    level,
    text,
    manager: line.manager,
    ...(means ? { means } : {}),
  };
}

/** "yggdrasil", "tayga@ygg". */
export const shortUnit = (unit: string): string => unit.replace(/\.service$/, "");

/** Local time to the second: 2026-11-29 21:03:10. */
export function localTime(iso: string): string {
  const at = new Date(iso);
  const two = (n: number) => String(n).padStart(2, "0");
  const date = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join("-");
  return `${date} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":")}`;
}

/** Time, which daemon, level, text, and what it means. @param width of the names of units */
export function logText({ at, unit, level, text, means }: LogEntry, width: number, paint: Paint): string {
  const style = { error: paint.red, warning: paint.yellow, info: (t: string) => t }[level];
  const said = inOneLine(text) + (means ? ` [${means}]` : "");
  const word = level.padEnd(7);
  return `${paint.dim(localTime(at))} ${paint.cyan(shortUnit(unit).padEnd(width))} ${style(`${word} ${said}`)}`;
}
