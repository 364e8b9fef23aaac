/** Of a chain with a thousand networks, the few rules that can be about a packet. Pure. */

import { host, parseAddress, parseEither } from "../cidr.ts";
import { Prefixes } from "../prefixes.ts";
import type { Packet } from "./packet.ts";

/** Chains with fewer rules are walked as they are. */
const FEW = 32;

interface Side {
  /** Places of rules that begin with a network on this side. */
  all: number[];
  byNetwork: Prefixes<number>;
  /** For a packet whose address on this side could be any: of rules that differ in nothing but their network the first. */
  told?: number[];
}

interface Index {
  /** How many rules there were when it was made. */
  length: number;
  /** Rules that begin with anything else. */
  others: number[];
  "-s": Side;
  "-d": Side;
}

const known = new WeakMap<string[][], Index>();

/**
 * Where the rules of a chain are that may match a packet, in ascending order. Left out are only such whose first words name
 * networks that its source, or its destination, does not lie in: they do not match, whatever else they ask for. And where that
 * address is not known, those that say no more than one before them: DROP, unless the packet has another source.
 */
export function placesFor(rules: string[][], { source, destination }: Packet): Iterable<number> {
  if (rules.length <= FEW) return rules.keys();
  const index = indexOf(rules);
  const places = [
    index.others,
    placesOn(index["-s"], source, rules),
    placesOn(index["-d"], destination, rules),
  ];
  return places.flat().sort((a, b) => a - b);
}

function placesOn(side: Side, address: string | undefined, rules: string[][]): number[] {
  if (address === undefined) return side.told ??= toldBy(side.all, rules);
  const parsed = parseAddress(address);
  return parsed ? side.byNetwork.holding(host(parsed)) : side.all;
}

/** What ends a chain and does nothing else: a second such rule for what may be the same packet changes nothing. */
const PLAIN: ReadonlySet<string> = new Set(["ACCEPT", "DROP", "RETURN"]);

function toldBy(places: number[], rules: string[][]): number[] {
  const seen = new Set<string>();
  return places.filter((at) => {
    const rule = rules[at]!;
    if (rule.at(-2) !== "-j" || !PLAIN.has(rule.at(-1)!)) return true;
    const rest = `${rule[0]} ${rule.slice(2).join(" ")}`;
    return !seen.has(rest) && seen.add(rest);
  });
}

function indexOf(rules: string[][]): Index {
  const before = known.get(rules);
  if (before?.length === rules.length) return before;
  const side = (): Side => ({ all: [], byNetwork: new Prefixes() });
  const index: Index = { length: rules.length, others: [], "-s": side(), "-d": side() };
  for (const [at, [word, value = ""]] of rules.entries()) {
    const network = word === "-s" || word === "-d" ? parseEither(value) : undefined;
    if (!network) index.others.push(at);
    else {
      index[word as "-s" | "-d"].all.push(at);
      index[word as "-s" | "-d"].byNetwork.add(network, at);
    }
  }
  known.set(rules, index);
  return index;
}
