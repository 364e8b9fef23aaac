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
 * networks that its source, or its destination, does not lie in: they do not match, whatever else they ask for.
 */
export function placesFor(rules: string[][], { source, destination }: Packet): Iterable<number> {
  if (rules.length <= FEW) return rules.keys();
  const index = indexOf(rules);
  return [...index.others, ...placesOn(index["-s"], source), ...placesOn(index["-d"], destination)].sort((a, b) =>
    a - b
  );
}

/** An address that is not known could be anywhere. */
function placesOn({ all, byNetwork }: Side, address: string | undefined): number[] {
  const parsed = address === undefined ? undefined : parseAddress(address);
  return parsed ? byNetwork.holding(host(parsed)) : all;
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
