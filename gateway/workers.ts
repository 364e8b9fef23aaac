/** Translators side by side: which there are, and which part of the pool each has. Pure. tayga is one thread: tayga(8). */

import { formatNetwork, type Network, network, parseNetwork } from "./cidr.ts";
import type { Config, Nat64 } from "./config/types.ts";
import { translatorDevice } from "./names.ts";
import { hostAt } from "./networks.ts";

/** One tayga. The first has the instance's own name, as the only one would. */
export interface Translator {
  instance: string;
  device: string;
  /** Its part of `nat64.pool`. */
  pool: string;
  /** Its own IPv4 address, the source of its ICMP errors: the first of its pool, which tayga then hands to nobody. */
  address: string;
  /**
   * The next hop of a route with several: a TUN device has no neighbours, and any address will do. Without one the kernel
   * takes IPv6 routes to several devices for as many routes.
   */
  via: string;
}

/** More bring nothing: the kernel forwards on the same cores. */
export const MOST_WORKERS = 16;

/** Memory for each translator, in MiB: 50,000 clients take 10 (run); the rest is for connection tracking. */
const ROOM = 128;

export interface MachineSize {
  /** CPUs that this process may use. */
  cores: number;
  /** MiB. */
  memory: number;
}

/** `auto`: one for each core, as far as memory, names and the pool allow; a power of two, so that all parts of the pool are equal. */
export function automatic(
  { instance, pool }: Pick<Nat64, "instance" | "pool">,
  { cores, memory }: MachineSize,
): number {
  const most = Math.min(cores, Math.floor(memory / ROOM), 8, roomOf(pool));
  const few = 2 ** Math.floor(Math.log2(Math.max(1, most)));
  return nameFits(instance, few) ? few : 1;
}

/** So many parts of the pool have an address for tayga and some for clients. */
export const roomOf = (pool: string): number => 2 ** Math.max(0, 29 - (parseNetwork(pool)?.length ?? 29));

/** Device names have 15 characters at most. */
export const nameFits = (instance: string, workers: number): boolean =>
  translatorDevice(workerName(instance, workers - 1)).length <= 15;

export const workerName = (instance: string, index: number) => index === 0 ? instance : `${instance}-${index + 1}`;

/** The devices of all translators. */
export const workerDevices = ({ instance, workers }: Pick<Nat64, "instance" | "workers">): string[] =>
  Array.from({ length: workers }, (_, index) => translatorDevice(workerName(instance, index)));

/** @returns none where the config is no gateway's */
export function workersOf({ nat64 }: Pick<Config, "nat64">): Translator[] {
  if (!nat64) return [];
  return partsOf(nat64.pool, nat64.workers).map((pool, index) => {
    const instance = workerName(nat64.instance, index);
    const via = `fe80::64:${index + 1}`;
    return { instance, device: translatorDevice(instance), pool, address: hostAt(pool, 1), via };
  });
}

/** A network in so many parts: the largest one is halved, the first of equals, until there are enough. In their order. */
export function partsOf(pool: string, count: number): string[] {
  const parts = [network(pool)];
  while (parts.length < count) {
    const length = Math.min(...parts.map((p) => p.length));
    const at = parts.findIndex((p) => p.length === length);
    parts.splice(at, 1, ...halves(parts[at]!));
  }
  return parts.map(formatNetwork);
}

function halves({ family, value, length }: Network): [Network, Network] {
  const size = 1n << BigInt((family === 4 ? 32 : 128) - length - 1);
  return [{ family, value, length: length + 1 }, { family, value: value + size, length: length + 1 }];
}
