/** Marks that rules of the firewall put on packets before their route is looked up. Pure. iptables-extensions(8), MARK. */

import type { Ruleset } from "../gateway/survey.ts";
import { matches, type Packet } from "../gateway/netfilter/iptables_walk.ts";
import { placesFor } from "../gateway/netfilter/rule_index.ts";

type Chains = Ruleset[string];

/**
 * @returns the marks that the packet may have when its route is looked up, as far as rules set constant ones; 0 is no mark.
 *   Where a rule asks for what is not known of the packet, both outcomes count.
 */
export function marksOf(ruleset: Ruleset | undefined, packet: Packet): number[] {
  if (!ruleset || !hasMarks(ruleset)) return [0];
  let marks = new Set([0]);
  for (const table of TABLES) {
    const chains = ruleset[table];
    if (chains) marks = walk(chains, "PREROUTING", packet, marks, 0).marks;
  }
  return [...marks];
}

/** Those that a packet meets before its route is looked up. */
const TABLES = ["raw", "mangle"];

/** Most machines have no rule that marks anything: then none is walked, for any of the packets. */
function hasMarks(ruleset: Ruleset): boolean {
  const before = marking.get(ruleset);
  if (before !== undefined) return before;
  const chains = TABLES.flatMap((table) => Object.values(ruleset[table] ?? {}));
  const found = chains.some(({ rules }) => rules.some((rule) => rule.includes("MARK")));
  marking.set(ruleset, found);
  return found;
}

const marking = new WeakMap<Ruleset, boolean>();

interface Walked {
  marks: Set<number>;
  /** ACCEPT or DROP ended the table. */
  done: boolean;
}

function walk(chains: Chains, name: string, packet: Packet, before: Set<number>, depth: number): Walked {
  let marks = before;
  const rules = depth > 20 ? [] : chains[name]?.rules ?? [];
  for (const place of placesFor(rules, packet)) {
    const rule = rules[place]!;
    const match = matches(rule, packet);
    if (match === "no") continue;
    const at = rule.findIndex((w) => w === "-j" || w === "-g");
    const target = rule[at + 1];
    if (at < 0 || target === undefined) continue;
    const set = target === "MARK" ? setter(rule.slice(at + 2)) : undefined;
    const inner = target in chains ? walk(chains, target, packet, marks, depth + 1) : undefined;
    const after = set ? new Set([...marks].map(set)) : inner?.marks;
    if (after) marks = match === "yes" ? after : new Set([...marks, ...after]);
    if (match !== "yes") continue;
    if (inner?.done || target === "ACCEPT" || target === "DROP") return { marks, done: true };
    if (target === "RETURN" || rule[at] === "-g") break;
  }
  return { marks, done: false };
}

/** iptables-save prints every kind of setting as `--set-xmark VALUE/MASK`: the mask's bits go, the value's are flipped. */
function setter(words: string[]): ((mark: number) => number) | undefined {
  const at = words.indexOf("--set-xmark");
  const [value, mask = "0xffffffff"] = at < 0 ? [] : words[at + 1]?.split("/") ?? [];
  if (value === undefined || !Number.isInteger(Number(value)) || !Number.isInteger(Number(mask))) return undefined;
  return (mark) => ((mark & ~Number(mask)) ^ Number(value)) >>> 0;
}
