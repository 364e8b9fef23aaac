/** What a probe of the path sends, and from where. Pure. */

import type { ProbeKind } from "../checks/probe_result.ts";
import { embed } from "./address.ts";
import type { Blueprint } from "./blueprint.ts";
import {
  type Address,
  clearHostBits,
  contains,
  formatAddress,
  host,
  lastAddress,
  type Network,
  network,
  parseAddress,
} from "./cidr.ts";
import type { Config } from "./config/types.ts";
import { firstHost } from "./networks.ts";
import type { Link } from "./survey.ts";

export interface ProbePlan {
  kind: ProbeKind;
  target: string;
  address: string;
}

/** Whether an address lies in one of the overlay's networks. */
export const inOverlay = ({ config }: Blueprint, address: string): boolean => {
  const parsed = parseAddress(address);
  return parsed !== undefined && config.overlay.routes.some((r) => contains(network(r.to), host(parsed)));
};

/** What to ping: the target if there is one, else what is known of the far end. */
export function planProbe(blueprint: Blueprint, target?: string): ProbePlan | { reason: string } {
  const { config } = blueprint;
  const through = (address: string): ProbePlan =>
    config.prefix
      ? { kind: "prefix", target: address, address: embed(config.prefix, address) }
      : { kind: "direct", target: address, address };
  if (target !== undefined) return through(target);
  const { overlay } = config;
  if (overlay.type === "yggdrasil") {
    const [far] = blueprint.nodes;
    if (!far) return { reason: "no target: crxn.yaml names no far node (overlay.routes)" };
    return { kind: "overlay", target: far.address, address: far.address };
  }
  const hop = overlay.routes.map((r) => r.via).find((via) => via !== undefined);
  if (!hop) return { reason: "no target: name a host in the overlay with --target IPV4" };
  // A next hop outside the overlay's networks has no address in the routed slices.
  return inOverlay(blueprint, hop) ? through(hop) : { kind: "direct", target: hop, address: hop };
}

/**
 * Without a target: a host that may not be there. What is sent to it proves the way out of this machine, and if it answers the
 * whole. A network of one address is a host, often the far node itself; of a larger one the first address is a router, if anything.
 */
export function planGuess({ config }: Blueprint): ProbePlan | undefined {
  const networks = config.overlay.routes.map((r) => r.to);
  const to = networks.find((n) => n.endsWith("/32")) ?? networks[0];
  if (!config.prefix || !to) return undefined;
  const target = firstHost(to);
  return { kind: "guess", target, address: embed(config.prefix, target) };
}

/** The device by which an overlay host is reached: of overlapping networks the longest prefix counts. */
export function deviceTo({ ways, overlayDevice }: Pick<Blueprint, "ways" | "overlayDevice">, target: string): string {
  const parsed = parseAddress(target);
  const ranked = ways.flatMap(({ device, networks }) => networks.map((to) => ({ device, to: network(to) })))
    .filter(({ to }) => parsed && contains(to, host(parsed)))
    .sort((a, b) => b.to.length - a.to.length);
  return ranked[0]?.device ?? overlayDevice;
}

export interface ProbeClient {
  address: string;
  /** Whether it lies in `routed`: only then an answer from the Internet finds it. */
  routed: boolean;
}

/**
 * An address for the probe's own client: the same at every run, so that it takes one address of the pool. It lies in `routed`,
 * beside the prefix. Its last 24 bits are those of the uplink's address, so that a neighbour solicitation for it goes to a
 * multicast group (RFC 4291, 2.7.1) that the uplink's card has joined already. Where `nat64.clients` does not let that in, it is
 * one of the clients' networks that nobody uses.
 */
export function probeClient(config: Config, uplink: Link | undefined): ProbeClient | { reason: string } {
  const { nat64, prefix, routed } = config;
  if (!nat64 || !prefix || !routed) return { reason: "not a gateway" };
  const allowed = (address: string) => nat64.clients.some((c) => contains(network(c), host(parseAddress(address)!)));
  const mapped = nat64.maps.map((m) => m.ipv6);
  const candidates: ProbeClient[] = [
    ...beside(network(prefix), network(routed), lowBits(uplink)).map((address) => ({ address, routed: true })),
    // Of a network of clients the very last address but a few: a person's hosts are at its beginning, or random.
    ...nat64.clients.filter((c) => network(c).length <= 64 && c !== "::/0").map((c) => ({
      address: formatAddress({ family: 6, value: lastAddress(network(c)).value - 0x3ee2n }),
      routed: false,
    })),
    { address: "fd64:c7b6:c11e::1", routed: false },
  ];
  const free = ({ address }: ProbeClient) =>
    allowed(address) && !mapped.includes(address) && !contains(network(prefix), host(parseAddress(address)!));
  return candidates.find(free) ?? { reason: "nat64.clients lets in no address that the probe's own client could have" };
}

/** In the network of the prefix's size that is its twin: the two differ in the prefix's last bit. */
function beside(prefix: Network, routed: Network, low: bigint): string[] {
  if (prefix.length <= routed.length || !contains(routed, prefix)) return [];
  const twin = clearHostBits(prefix).value ^ (1n << BigInt(128 - prefix.length));
  const room = (1n << BigInt(128 - prefix.length)) - 1n;
  return [formatAddress({ family: 6, value: twin | ((0xc7n << 24n | low) & room) })];
}

/** The last 24 bits of the uplink's IPv6 address. */
function lowBits(uplink: Link | undefined): bigint {
  const own = uplink?.addresses.filter((a) => a.family === "inet6") ?? [];
  const first = own.find((a) => a.scope === "global") ?? own[0];
  const parsed: Address | undefined = first && parseAddress(first.address.split("/")[0]!);
  return parsed ? parsed.value & 0xffffffn : 0xc11en;
}

/** Where the packet that looks for the provider's first router is sent: it never gets there. (k.root-servers.net) */
export const FAR_AWAY = "2001:7fd::1";

/** The size in bytes of the largest IPv6 packet that every link of the path can take, going by their MTU. */
export const wholeSize = (uplink: number, overlay: number): number => Math.min(uplink, overlay + 20);

/** What a tunnel of ours puts around a packet of IPv4, in bytes, IPv6 header included. */
export const wrappingOf = (kind: "vxlan" | "ip6gre" | "ckr" | undefined): number =>
  kind === "vxlan" ? 70 : kind === "ip6gre" ? 44 : 40;
