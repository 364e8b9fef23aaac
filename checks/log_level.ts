/** How bad a line of a log is. Both daemons log everything at one priority, so that only the words tell. Pure. */

import type { LogLine } from "../gateway/host.ts";
import { meaningOf, withoutDate } from "./log_words.ts";

/** From the worst to the least. */
export const LEVELS = ["error", "warning", "info"] as const;
export type Level = typeof LEVELS[number];

export interface Judged {
  level: Level;
  /** The line without yggdrasil's own date and level word, which the log has besides. */
  text: string;
  /** In plain words, where crxn knows the line. */
  means?: string;
}

/** A level that a daemon writes in front by itself: "[ERROR] x", "WARN: x", "level=info x". */
const WORD =
  /^\s*(?:\[\s*|level=)?(error|err|fatal|panic|crit(?:ical)?|warn(?:ing)?|notice|info|debug|trace)(?:\s*\]:?|:| +-)?\s+/i;

/** What is lost or left out in the course of work: no fault by itself, and no mere news. */
const PASSING = /\b(disconnected|dropping|ignoring|got error|unsafe permissions|incompatible version)\b/i;

/**
 * Error: syslog's err and worse, a level word that says so, and complaints that the check `logs` would tell. Warning: syslog's
 * warning, such a word, and what complains of something that passes: a peer out of reach, a packet dropped. Info: the rest.
 */
export function judged({ unit, message, priority, manager }: LogLine): Judged {
  const dated = withoutDate(message);
  const word = manager ? undefined : levelWord(dated);
  const text = word ? dated.slice(word.length) : dated;
  if (priority <= 3) return { level: "error", text, ...known(unit, text, priority) };
  if (manager) {
    return { level: priority <= 4 || /\bfailed\b|code=(exited|killed|dumped)/i.test(text) ? "warning" : "info", text };
  }
  // A daemon knows best how bad its own line is, whatever words are in it.
  if (word) return { level: word.level, text, ...known(unit, text, priority) };
  const meaning = meaningOf(unit, text, priority);
  if (meaning) return { level: "error", text, ...(meaning.means ? { means: meaning.means } : {}) };
  const complains = meaningOf("", text, priority) !== undefined || PASSING.test(text);
  return { level: priority === 4 || complains ? "warning" : "info", text };
}

function known(unit: string, text: string, priority: number): { means?: string } {
  const means = meaningOf(unit, text, priority)?.means;
  return means ? { means } : {};
}

function levelWord(text: string): { level: Level; length: number } | undefined {
  const found = WORD.exec(text);
  if (!found) return undefined;
  // "Error adding ..." is a sentence; a level stands apart from it, or in capitals.
  const [all, name = ""] = found;
  if (!/[\]:=-]/.test(all) && name !== name.toUpperCase()) return undefined;
  const level = /^(err|fatal|panic|crit)/i.test(name) ? "error" : /^warn/i.test(name) ? "warning" : "info";
  // tayga's "Error: ..." and Go's "panic: ..." are known by these words.
  return { level, length: /^(error|panic|fatal):/i.test(all.trim()) ? 0 : all.length };
}
