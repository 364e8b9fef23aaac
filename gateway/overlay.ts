/** The overlay's side: its link or its daemon and tunnels, and the addresses and routes on them. Pure. */

import { clearHostBits, formatNetwork, network } from "./cidr.ts";
import type { Config, Overlay } from "./config/types.ts";
import { daemonPath } from "./daemon.ts";
import { type Facts, type Identity, TUNNEL_MTU } from "./facts.ts";
import {
  addressItem,
  type FileItem,
  fileItem,
  type Item,
  type LinkItem,
  linkItem,
  type RouteItem,
  routeItem,
  type SysctlItem,
  sysctlItem,
} from "./item.ts";
import { LAST_METRIC, Path, Unit } from "./names.ts";
import { aggregated } from "./networks.ts";
import { type FarNode, farNodes, localNetworks, ownAddresses, type Way, waysOf } from "./overlay_nodes.ts";
import { yggdrasilDropInFile } from "./units.ts";
import { yggdrasilConfig } from "./yggdrasil_config.ts";

export interface OverlayItems {
  nodes: FarNode[];
  ways: Way[];
  links: LinkItem[];
  sysctls: SysctlItem[];
  /** Addresses and routes. */
  routes: Item[];
  files: FileItem[];
}

type Yggdrasil = Extract<Overlay, { type: "yggdrasil" }>;

export function overlayItems(config: Config, facts: Facts): OverlayItems {
  const { overlay } = config;
  const nodes = farNodes(config, facts);
  const ways = waysOf(overlay, nodes);
  const device = (via: string | undefined) => nodes.find((n) => n.key === via)?.device ?? overlay.interface;
  const hop = (via: string | undefined) => overlay.type === "interface" && via ? { via } : {};
  return {
    nodes,
    ways,
    ...(overlay.type === "yggdrasil"
      ? yggdrasilItems(config, overlay, facts, nodes)
      : { links: [], sysctls: [], files: [] }),
    routes: [
      // The last resorts first: at boot they hold while the link is waited for.
      ...[...new Set([...aggregated(overlay.routes.map((r) => r.to)), ...assignments(config)])].map(lastResort),
      ...ways.flatMap((way) => addressesOn(way.device, config)),
      ...overlay.routes.map((r): RouteItem => routeItem(r.to, { device: device(r.via), ...hop(r.via) })),
    ],
  };
}

/**
 * Every device has the addresses, so that the kernel takes one of them as source whichever it sends by. A tunnel has no
 * neighbours: there the length only says how much is assigned to this machine.
 */
const addressesOn = (device: string, config: Config): Item[] =>
  ownAddresses(config).map((a) => addressItem(isTunnelled(config) ? `${a.split("/")[0]}/32` : a, device));

/** What is assigned to this machine and used by nobody is not sent back to where it came from. */
const assignments = (config: Config): string[] =>
  isTunnelled(config)
    ? ownAddresses(config).filter((a) => !a.endsWith("/32")).map((a) => formatNetwork(clearHostBits(network(a))))
    : [];

const isTunnelled = ({ overlay }: Config): boolean => overlay.type === "yggdrasil";

function yggdrasilItems(config: Config, overlay: Yggdrasil, facts: Facts, nodes: FarNode[]) {
  const { identity, tunnel } = facts;
  if (!identity || !tunnel) throw new Error("A yggdrasil overlay needs an identity and a tunnel");
  const { interface: ygg } = overlay;
  const tunnels = tunnel.kind === "ckr"
    ? []
    : nodes.map((node) => linkItem(node.device, tunnelSpec(tunnel.kind, identity, node, ygg)));
  const { ckr } = facts.daemon ?? {};
  const routing = ckr && { ckr, on: tunnel.kind === "ckr", local: localNetworks(config) };
  return {
    links: [linkItem(ygg, { type: "tun", user: "yggdrasil", mtu: 65535 }, Unit.yggdrasil), ...tunnels],
    sysctls: tunnels.flatMap((link) => tunnelSysctls(link)),
    files: [
      fileItem(Path.yggdrasilConfig, yggdrasilConfig(overlay, identity, routing), {
        mode: 0o640,
        group: "yggdrasil",
        secret: true,
      }),
      yggdrasilDropInFile(ygg, daemonPath(overlay.daemon)),
    ],
  };
}

const tunnelSysctls = ({ name, spec }: LinkItem): SysctlItem[] => [
  // Of IPv6 inside a tunnel nobody would check where it comes from.
  sysctlItem(["net/ipv6/conf", name, "disable_ipv6"], "1", name),
  // On a link with neighbours (VXLAN) each side answers for the hosts behind it, at once.
  ...(spec.type === "vxlan"
    ? [
      sysctlItem(["net/ipv4/conf", name, "proxy_arp"], "1", name),
      sysctlItem(["net/ipv4/neigh", name, "proxy_delay"], "0", name),
    ]
    : []),
];

function tunnelSpec(
  kind: "ckr" | "ip6gre" | "vxlan",
  own: Identity,
  node: FarNode,
  underlay: string,
): LinkItem["spec"] {
  const ends = { local: own.address, remote: node.address, underlay, mtu: TUNNEL_MTU };
  if (kind === "ip6gre") return { type: "ip6gre", ...ends };
  return { type: "vxlan", mac: macFromKey(own.publicKey), vni: 64, port: node.port, ...ends };
}

/**
 * A locally administered MAC address (IEEE 802, second bit of the first octet) out of this node's key: with a random
 * one the far end would send to the old address for up to 40 seconds after a reboot of this machine.
 */
const macFromKey = (key: string) => ["02", ...key.slice(0, 10).match(/../g)!].join(":");

/** When the overlay's link is gone, its packets must not leave by the uplink. */
const lastResort = (to: string): RouteItem => routeItem(to, { type: "unreachable", metric: LAST_METRIC });
