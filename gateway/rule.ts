/** Words of rules, as iptables-save prints them. Pure. */

import type { Facts } from "./facts.ts";
import type { Family } from "./item.ts";

/** A rule as iptables-save writes it: a word with spaces or quotes, as in a comment, stands in quotes. */
export const ruleLine = (words: string[]): string =>
  words.map((w) => /^[^\s"'\\]+$/.test(w) ? w : `"${w.replace(/["\\]/g, "\\$&")}"`).join(" ");

/** Whether two chains have the same rules, word for word. */
export function sameRules(a: string[][], b: string[][]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    const [one, other] = [a[i]!, b[i]!];
    if (one.length !== other.length) return false;
    for (let word = 0; word < one.length; word++) if (one[word] !== other[word]) return false;
  }
  return true;
}

export const tag = (name: string): string[] => ["-m", "comment", "--comment", `crxn:${name}`];
export const jump = (target: string): string[] => ["-j", target];
export const ESTABLISHED = ["-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED"];

export const RELATED = ["-m", "conntrack", "--ctstate", "RELATED"];

/**
 * RETURN leaves the last word to the machine's own firewall; ACCEPT where that one drops whatever nobody accepts.
 * So a rule that somebody writes against the gateway's clients keeps its force.
 */
export const pass = (facts: Facts, chain: "INPUT" | "FORWARD", family: Family): string[] =>
  jump(facts.drops[chain][family] ? "ACCEPT" : "RETURN");
