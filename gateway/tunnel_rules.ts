/**
 * What passes between this machine and the nodes of a yggdrasil overlay: what tunnel routing inside yggdrasil checks by itself,
 * for every kind of tunnel alike. Pure.
 */

import { contains, network } from "./cidr.ts";
import type { Config } from "./config/types.ts";
import type { Facts } from "./facts.ts";
import { type ChainItem, chainItem } from "./item.ts";
import { type FarNode, localNetworks, VXLAN_PORT, type Way } from "./overlay_nodes.ts";
import { jump, pass, tag } from "./rule.ts";

/** @returns chains that stand before all others, for packets that come out of a tunnel or go into one */
export function tunnelChains(config: Config, facts: Facts, ways: Way[], nodes: FarNode[]): ChainItem[] {
  if (config.overlay.type !== "yggdrasil" || nodes.length === 0) return [];
  const ygg = config.overlay.interface;
  const moved = facts.tunnel?.kind === "vxlan" ? nodes.filter((n) => n.port !== VXLAN_PORT) : [];
  const local = localNetworks(config);
  return [
    ...(local
      ? [
        chainItem("inet", "mangle", "PREROUTING", ways.flatMap((w) => destinations(w, local))),
        chainItem("inet", "mangle", "POSTROUTING", ways.flatMap((w) => leaving(w, local, config.nat64?.pool))),
      ]
      : []),
    chainItem("inet6", "nat", "PREROUTING", moved.map((node) => portIn(node, ygg))),
    chainItem("inet6", "nat", "OUTPUT", moved.map((node) => portOut(node, ygg))),
  ];
}

/** What of the sources that come out of a tunnel is believed: the rest is dropped. */
export const sourceRules = ({ overlay }: Config, ways: Way[]): string[][] =>
  overlay.type === "yggdrasil" ? ways.flatMap((way) => sources(way, ways)) : [];

/** A node speaks for its own networks only; of overlapping ones the longest prefix decides, as it does for routes. */
function sources({ device, networks }: Way, ways: Way[]): string[][] {
  const own = networks.map((to) => ({ to, net: network(to), mine: true }));
  const others = ways.filter((w) => w.device !== device).flatMap((w) => w.networks)
    .map((to) => ({ to, net: network(to), mine: false }))
    .filter(({ net }) => own.some((o) => contains(o.net, net)));
  const longest = [...own, ...others].sort((a, b) => b.net.length - a.net.length);
  return [
    ...longest.map(({ to, mine }) => ["-s", to, "-i", device, ...tag("source"), ...jump(mine ? "RETURN" : "DROP")]),
    ["-i", device, ...tag("only-its-networks"), ...jump("DROP")],
  ];
}

const destinations = ({ device }: Way, local: string[]): string[][] => [
  ...local.map((to) => ["-d", to, "-i", device, ...tag("destination"), ...jump("RETURN")]),
  ["-i", device, ...tag("only-local"), ...jump("DROP")],
];

/** Clients still have their pool address here: it is exchanged behind this chain. */
const leaving = ({ device }: Way, local: string[], pool: string | undefined): string[][] => [
  ...[...(pool ? [pool] : []), ...local].map((from) => [
    ...["-s", from, "-o", device],
    ...tag("source"),
    ...jump("RETURN"),
  ]),
  ["-o", device, ...tag("only-local"), ...jump("DROP")],
];

const portIn = ({ address, port }: FarNode, ygg: string): string[] => [
  ...["-s", `${address}/128`, "-i", ygg, "-p", "udp", "-m", "udp", "--dport", String(VXLAN_PORT)],
  ...tag("port"),
  ...["-j", "REDIRECT", "--to-ports", String(port)],
];

const portOut = ({ address, port }: FarNode, ygg: string): string[] => [
  ...["-d", `${address}/128`, "-o", ygg, "-p", "udp", "-m", "udp", "--dport", String(port)],
  ...tag("port"),
  ...["-j", "DNAT", "--to-destination", `[${address}]:${VXLAN_PORT}`],
];

/** The tunnel has no authentication, yggdrasil has: its packets count only when they come out of it, from a known node. */
export function tunnelInput(config: Config, facts: Facts, nodes: FarNode[]): string[][] {
  const kind = facts.tunnel?.kind;
  if (config.overlay.type !== "yggdrasil" || kind === undefined || kind === "ckr") return [];
  const ygg = config.overlay.interface;
  const ok = pass(facts, "INPUT", "inet6");
  const udp = (port: number) => ["-p", "udp", "-m", "udp", "--dport", String(port)];
  // GRE by its number: the name is in /etc/protocols, which a small Debian need not have, and iptables 1.8.11 prints the number.
  const match = ({ port }: FarNode) => kind === "vxlan" ? udp(port) : ["-p", "47"];
  const ports = [...new Set([VXLAN_PORT, ...nodes.map((n) => n.port)])];
  return [
    ...nodes.map((n) => ["-s", `${n.address}/128`, "-i", ygg, ...match(n), ...tag("tunnel"), ...ok]),
    // An ip6gre device takes packets of its own far end only, a VXLAN device those of everybody with its id.
    ...(kind === "vxlan" ? ports.map(udp) : nodes.map((n) => ["-s", `${n.address}/128`, ...match(n)]))
      .map((from) => [...from, ...tag("only-tunnel"), ...jump("DROP")]),
  ];
}
