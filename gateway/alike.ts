/** What firewalls and routing tables do not tell apart: of a thousand networks it is enough to follow the packets of a few. Pure. */

import { type Address, lastAddress, parseAddress, parseNetwork } from "./cidr.ts";

/** So many are looked at one by one. */
const FEW = 16;

/** Where the networks and addresses that somebody names begin, and where they have ended, in ascending order. */
export type Borders = Record<4 | 6, bigint[]>;

/**
 * One of each set of things whose addresses lie between the same borders; all, where they are few.
 * @param addressesOf addresses that stand for it
 * @param groupOf what tells it from others besides its addresses
 */
export function distinct<T>(
  things: T[],
  addressesOf: (thing: T) => Address[],
  groupOf: (thing: T) => string,
  borders: () => Borders,
): T[] {
  if (things.length <= FEW) return things;
  const seen = new Set<string>();
  const known = borders();
  return things.filter((thing) => {
    const key = [groupOf(thing), ...addressesOf(thing).map((address) => placeOf(address, known))].join(" ");
    return !seen.has(key) && seen.add(key);
  });
}

/** How many borders lie at or below an address. */
function placeOf({ family, value }: Address, borders: Borders): number {
  const list = borders[family];
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (list[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Of every network and every address in some texts. A range is two addresses. */
export function bordersIn(texts: string[]): Borders {
  const borders: Record<4 | 6, Set<bigint>> = { 4: new Set(), 6: new Set() };
  for (const text of texts) {
    for (const { first, last } of networksIn(text)) borders[first.family].add(first.value).add(last.value + 1n);
  }
  const sorted = (set: Set<bigint>) => [...set].sort((a, b) => a < b ? -1 : 1);
  return { 4: sorted(borders[4]), 6: sorted(borders[6]) };
}

/** `10.0.0.0/8`, and as libnftables-json(5) has it, `"addr":"10.0.0.0","len":8`. */
const NETWORK = /((?:\d{1,3}\.){3}\d{1,3}|[0-9a-f]*:[0-9a-f:.]*:[0-9a-f.:]*)(?:\/(\d+)|","len":(\d+))?/gi;

function networksIn(text: string): { first: Address; last: Address }[] {
  return [...text.matchAll(NETWORK)].flatMap(([, address = "", slash, len]) => {
    const first = parseAddress(address);
    if (!first) return [];
    const network = parseNetwork(`${address}/${slash ?? len ?? (first.family === 4 ? 32 : 128)}`);
    return network ? [{ first, last: lastAddress(network) }] : [];
  });
}
