/** Things by their networks, for whoever looks up one among thousands again and again. Pure. */

import type { Network } from "./cidr.ts";

/** The bits of a network in front of its host part; of IPv4 as a number, which is faster. */
type Key = number | bigint;

const keyOf = ({ family, value }: Network, length: number): Key => {
  if (length === 0) return 0;
  return family === 4 ? Number(value) >>> (32 - length) : value >> BigInt(128 - length);
};

/** A list of things by the network of each. Host parts do not count. */
export class Prefixes<T> {
  /** By family and length of the prefix. */
  readonly #tables = { 4: new Map<number, Map<Key, T[]>>(), 6: new Map<number, Map<Key, T[]>>() };

  add(network: Network, thing: T): void {
    const { family, length } = network;
    let table = this.#tables[family].get(length);
    if (!table) this.#tables[family].set(length, table = new Map());
    const key = keyOf(network, length);
    const list = table.get(key);
    if (list) list.push(thing);
    else table.set(key, [thing]);
  }

  /** Those whose network holds all of this one; the longest prefix first, of each length in the order in which they came. */
  holding(network: Network): T[] {
    const found: [length: number, list: T[]][] = [];
    for (const [length, table] of this.#tables[network.family]) {
      const list = length <= network.length ? table.get(keyOf(network, length)) : undefined;
      if (list) found.push([length, list]);
    }
    return found.sort((a, b) => b[0] - a[0]).flatMap(([, list]) => list);
  }
}
