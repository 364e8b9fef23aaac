/** Which IPv6 network is routed to a machine, and which /96 of it is free for the overlay. Pure. */

import {
  clearHostBits,
  contains,
  formatNetwork,
  host,
  type Network,
  network,
  overlaps,
  parseAddress,
} from "../cidr.ts";
import { soft } from "../config/draft.ts";
import { nat64Prefix } from "../config/networks.ts";
import { OWN_PROTOCOL } from "../names.ts";
import {
  addressesOf,
  defaultDevices,
  destinationOf,
  isInside,
  isTranslator,
  type Proposal,
  type Terrain,
} from "./terrain.ts";

/** Neither the shortest that anybody is given nor any of the ranges that people refuse as bogons. */
const SHORTEST = 40;
const GLOBAL = network("2000::/3");
const LOCAL = network("fc00::/7");

const usable = (n: Network): boolean => n.length >= SHORTEST && (contains(GLOBAL, n) || contains(LOCAL, n));

interface Candidate {
  /** /64 or shorter. */
  network: Network;
  why: string;
  /** The smaller the likelier. */
  rank: number;
}

/** Links to the IPv6 Internet; the first is the one that `up` takes by itself. */
export function uplinks(terrain: Terrain): Proposal[] {
  const [devices, ipv4] = [defaultDevices(terrain), defaultDevices(terrain, "inet")];
  const routes = devices.map((value) => ({ value, why: "an IPv6 default route" }));
  if (routes.length > 0) return routes;
  const connected = terrain.links
    .filter((l) => l.name !== "lo" && l.kind !== "tun" && !isInside(l) && addressesOf(l, 6).some(usable))
    .map((l) => ({ value: l.name, why: "an IPv6 address, and no default route" }));
  return connected.length > 0 ? connected : ipv4.map((value) => ({ value, why: "the IPv4 default route; no IPv6" }));
}

/** Networks, /64 each, that are or may be routed to this machine, the surest first. */
export function routedNetworks(terrain: Terrain, overlay: string | undefined): Proposal[] {
  const found = [...discarded(terrain), ...addressed(terrain, overlay), ...onLink(terrain)]
    .filter((c) => usable(c.network))
    // Local addresses (RFC 4193) reach nobody on the Internet.
    .map((c) => contains(LOCAL, c.network) ? { ...c, rank: c.rank + 10, why: `${c.why}; local addresses` } : c)
    .sort((a, b) => a.rank - b.rank);
  const values = new Map<string, Proposal>();
  for (const { network, why } of found) {
    const free = network.length === 64 ? network : freeSubnet(network, terrain);
    const value = free && formatNetwork(free);
    if (value && !values.has(value)) values.set(value, { value, why });
  }
  return [...values.values()];
}

/** A discard route of a network stands for one that is delegated here: whoever gets it wants no loop (RFC 7084, WPD-5). */
function discarded({ routes }: Terrain): Candidate[] {
  return routes
    .filter((r) => r.family === "inet6" && ["blackhole", "unreachable", "prohibit", "throw"].includes(r.type))
    .flatMap((r): Candidate[] => {
      const to = destinationOf(r);
      if (!to || to.length > 64) return [];
      const own = r.protocol === OWN_PROTOCOL;
      const what = `${formatNetwork(to)} is delegated here, by its ${r.type} route`;
      return [{ network: to, rank: own ? 0 : 1, why: own ? "crxn has it now" : what }];
    });
}

function addressed(terrain: Terrain, overlay: string | undefined): Candidate[] {
  const uplinks = defaultDevices(terrain);
  return terrain.links.filter((l) => l.name !== overlay && !isInside(l) && !isTranslator(l)).flatMap((
    l,
  ) =>
    addressesOf(l, 6).flatMap((a): Candidate[] => {
      const net = clearHostBits(a);
      const text = formatNetwork(net);
      if (net.length < 64) return [{ network: net, rank: 2, why: `a free part of ${text} of ${l.name}` }];
      if (l.name === "lo" || l.kind === "dummy") {
        return [{ network: around(a), rank: 3, why: `${l.name} has an address of it` }];
      }
      if (uplinks.includes(l.name) || uplinks.length === 0) {
        return net.length === 64
          ? [{ network: net, rank: 5, why: `on-link on ${l.name}: does the provider route it, too?` }]
          : [{ network: around(a), rank: 6, why: `around ${text} of ${l.name}: is all of it yours?` }];
      }
      return net.length === 64 ? [{ network: net, rank: 4, why: `of ${l.name}: hosts there share it` }] : [];
    })
  );
}

/** What router advertisements call on-link, for a machine that has its address as a /128 (DHCPv6). */
function onLink(terrain: Terrain): Candidate[] {
  const uplinks = defaultDevices(terrain);
  return terrain.routes
    .filter((r) => r.family === "inet6" && r.type === "unicast" && !r.via && ["kernel", "ra"].includes(r.protocol))
    .filter((r) => r.device && uplinks.includes(r.device))
    .flatMap((r): Candidate[] => {
      const to = destinationOf(r);
      return to?.length === 64
        ? [{ network: to, rank: 5, why: `on-link on ${r.device}: does the provider route it, too?` }]
        : [];
    });
}

const around = (address: Network): Network => clearHostBits({ ...address, length: 64 });

/** How many places are looked at before a network counts as full. */
const TRIES = 4096;

/** The first /64 of a network in which nothing is yet. */
function freeSubnet(outer: Network, terrain: Terrain): Network | undefined {
  const taken = [
    ...terrain.links.flatMap((l) => addressesOf(l, 6)).map((a) =>
      clearHostBits({ ...a, length: Math.max(a.length, 64) })
    ),
    ...terrain.routes.filter((r) => r.family === "inet6" && r.protocol !== OWN_PROTOCOL).map(destinationOf)
      .filter((n): n is Network => n !== undefined && n.length > outer.length),
  ];
  return firstFree(outer, 64, taken, 0);
}

function firstFree(
  outer: Network,
  length: number,
  taken: Network[],
  from: number,
  tries = TRIES,
): Network | undefined {
  const count = Math.min(2 ** Math.min(length - outer.length, 24), from + tries);
  for (let n = from; n < count; n++) {
    const inner = { ...outer, value: outer.value + (BigInt(n) << BigInt(128 - length)), length };
    if (!taken.some((t) => overlaps(t, inner))) return inner;
  }
  return undefined;
}

/** Where the search goes on when the zero part is taken: 0:64 in the middle of the address is easy to recognise. */
const SECOND = 0x64;

/**
 * A /96 inside `routed` in which there is no host: no address of this machine's, no neighbour, no next hop, no route of
 * somebody else's. All zero behind `routed` is preferred, but not where that is a network with hosts on a link: routers are there.
 */
export function freePrefix(routed: Network, terrain: Terrain): Proposal[] {
  if (routed.length > 96) return [];
  const outer = routed.length < 64 ? freeSubnet(routed, terrain) : routed;
  if (!outer) return [];
  const taken = occupied(terrain);
  const shared = terrain.links.some((l) =>
    l.name !== "lo" && addressesOf(l, 6).some((a) => a.length < 128 && overlaps(a, outer))
  );
  const zero: [number, number][] = shared && outer.length < 96 ? [] : [[0, 1]];
  for (const [from, tries] of [...zero, [SECOND, TRIES], [1, SECOND]] as const) {
    const found = firstFree(outer, 96, taken, from, tries);
    if (found && soft(nat64Prefix, formatNetwork(found)) !== undefined) {
      return [{ value: formatNetwork(found), why: `a part of ${formatNetwork(outer)} without hosts` }];
    }
  }
  return [];
}

/** IPv6 addresses and small networks that are somebody's. */
export function occupied({ links, neighbours, routes }: Terrain): Network[] {
  const hosts = [
    ...neighbours.filter((n) => !n.states.some((s) => ["FAILED", "INCOMPLETE"].includes(s))).map((n) => n.address),
    ...routes.flatMap((r) => [r.via, ...(r.hops ?? []).map((h) => h.via)]),
  ].map((text) => text === undefined ? undefined : parseAddress(text));
  return [
    ...links.flatMap((l) => addressesOf(l, 6)).map((a) => host(a)),
    ...hosts.filter((a) => a?.family === 6).map((a) => host(a!)),
    ...routes.filter((r) => r.family === "inet6" && r.protocol !== OWN_PROTOCOL && r.type !== "anycast").map(
      destinationOf,
    )
      .filter((n): n is Network => n !== undefined && n.length > 64),
  ];
}
