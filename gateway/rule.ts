/** Words of rules, as iptables-save prints them. Pure. */

import type { Facts } from "./facts.ts";
import type { Family } from "./item.ts";

export const tag = (name: string): string[] => ["-m", "comment", "--comment", `crxn:${name}`];
export const jump = (target: string): string[] => ["-j", target];
export const ESTABLISHED = ["-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED"];

/**
 * RETURN leaves the last word to the machine's own firewall; ACCEPT where that one drops whatever nobody accepts.
 * So a rule that somebody writes against the gateway's clients keeps its force.
 */
export const pass = (facts: Facts, chain: "INPUT" | "FORWARD", family: Family): string[] =>
  jump(facts.drops[chain][family] ? "ACCEPT" : "RETURN");
