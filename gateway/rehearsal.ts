/** Rehearsal: a config put into four network namespaces, as plain data: who is there, with which addresses. Pure. */

import { embed } from "./address.ts";
import { contains, host, network, overlaps, parseAddress } from "./cidr.ts";
import type { Config } from "./config/types.ts";
import { hostAt } from "./networks.ts";
import { ownAddresses } from "./overlay_nodes.ts";

/** Each is a network namespace. An overlay over an existing interface has no `node`, an overlay node has no `client`. */
export type Place = "client" | "gateway" | "node" | "host";

export interface Rehearsal {
  places: Place[];
  /** The gateway's, with keys, peers and uplink of the rehearsal in the place of real ones. */
  config: Config;
  /** The far yggdrasil node's: the mirror image. */
  node?: Config;
  uplink: string;
  /** Bytes: of the real overlay link, where this machine has it. */
  overlayMtu?: number;
  /** The IPv6 client's own address, and the IPv6 hosts of `nat64.maps`, which live on the same machine. */
  client?: { address: string; maps: { ipv4: string; ipv6: string }[] };
  /** The overlay host, IPv4. */
  host: string;
  /** Next hops of interface routes: the host plays them too. */
  hops: string[];
  /** Where the traffic starts, and the address it goes to. */
  from: Place;
  target: string;
  /** What of the config is not used, in words. */
  replaced: string[];
}

/** Where the two yggdrasil daemons meet: a private network (RFC 4193) whose digits spell "crxn". */
export const Peering = { gateway: "fd63:7278:6e00::1", node: "fd63:7278:6e00::2", port: 9001 } as const;

/** The node's end towards the overlay host: link-local (RFC 3927), so that it collides with no overlay network. */
export const NODE_HOP = "169.254.77.1";
const NODE_ADDRESS = "169.254.77.2/32";

/**
 * @param keys public keys, made for this rehearsal
 * @param overlayMtu bytes; of the existing link, if this machine has it
 */
export function rehearsalOf(
  config: Config,
  keys: { gateway: string; node: string },
  overlayMtu?: number,
): Rehearsal {
  const { overlay } = config;
  const uplink = overlay.interface === "eth0" ? "uplink0" : "eth0";
  const maps = config.nat64?.maps ?? [];
  const hops = overlay.type === "interface" ? [...new Set(overlay.routes.flatMap((r) => r.via ?? []))] : [];
  const taken = [config.address.split("/")[0]!, ...maps.map((m) => m.ipv4), ...hops];
  const target = hostIn(overlay.routes[0]!.to, taken);
  return {
    places: [
      ...(config.prefix ? ["client" as const] : []),
      "gateway",
      ...(overlay.type === "yggdrasil" ? ["node" as const] : []),
      "host",
    ],
    config: ownConfig(config, uplink, keys.node),
    ...(overlay.type === "yggdrasil" ? { node: mirrored(config, keys.gateway) } : {}),
    uplink,
    ...(overlay.type === "interface" && overlayMtu ? { overlayMtu } : {}),
    ...(config.prefix ? { client: { address: clientAddress(config), maps } } : {}),
    host: target,
    hops,
    ...(config.prefix ? { from: "client", target: embed(config.prefix, target) } : { from: "gateway", target }),
    replaced: replacedIn(config, uplink),
  };
}

function ownConfig(config: Config, uplink: string, node: string): Config {
  const { overlay } = config;
  const own: Config = { ...config, ...(config.prefix ? { uplink } : {}) };
  if (!config.prefix) delete own.uplink;
  if (overlay.type === "interface") return own;
  return {
    ...own,
    overlay: {
      ...overlay,
      peers: [`tcp://[${Peering.node}]:${Peering.port}`],
      listen: [],
      routes: overlay.routes.map((r) => ({ ...r, via: node })),
    },
  };
}

/** The far end's view: what leads to the gateway here leads back there. */
function mirrored(config: Config, gateway: string): Config {
  const { overlay } = config;
  if (overlay.type !== "yggdrasil") throw new Error("Only a yggdrasil overlay has a far node");
  const back = [...ownAddresses(config).map((a) => a.split("/")[0]!), ...(config.nat64?.maps ?? []).map((m) => m.ipv4)];
  const { local: _, ...theirs } = overlay;
  return {
    address: NODE_ADDRESS,
    overlay: {
      ...theirs,
      peers: [],
      listen: [`tcp://[${Peering.node}]:${Peering.port}`],
      routes: back.map((address) => ({ to: `${address}/32`, via: gateway })),
    },
  };
}

/** An overlay host inside `to`: 10.1.0.3 where that fits, otherwise the first that is nobody's. */
function hostIn(to: string, taken: string[]): string {
  const outer = network(to);
  const size = 2 ** (32 - outer.length);
  const usual = ["10.1.0.3"].filter((a) => contains(outer, host(parseAddress(a)!)));
  // Two-address networks and single ones have no network address (RFC 3021).
  const first = size > 2 ? 1 : 0;
  const others = Array.from({ length: Math.min(size - first, taken.length + 2) }, (_, i) => hostAt(to, first + i));
  const free = [...usual, ...others].find((a) => !taken.includes(a));
  return free ?? others[0]!;
}

/** A client that `nat64.clients` lets in, outside of what is routed to the gateway. */
function clientAddress(config: Config): string {
  const narrow = config.nat64!.clients.find((c) => c !== "::/0");
  if (narrow && !config.nat64!.clients.includes("::/0")) {
    const outer = network(narrow);
    return hostAt(narrow, outer.length > 120 ? 2 ** (128 - outer.length) - 1 : 0xc11e);
  }
  const used = [config.routed!, ...config.nat64!.maps.map((m) => `${m.ipv6}/128`)].map(network);
  const candidates = ["2001:db8:c11e::1", "2001:db8:c11f::1", "3fff:c11e::1"];
  return candidates.find((a) => !used.some((n) => overlaps(n, host(parseAddress(a)!)))) ?? candidates[0]!;
}

function replacedIn(config: Config, uplink: string): string[] {
  const { overlay } = config;
  const yggdrasil = overlay.type === "yggdrasil";
  return [
    ...(yggdrasil ? ["the public keys in routes: the far node is the rehearsal's own"] : []),
    ...(yggdrasil && overlay.peers.length + overlay.listen.length > 0
      ? ["peers and listen: the two daemons meet on a cable between the namespaces"]
      : []),
    ...(yggdrasil ? [] : [`${overlay.interface}: a cable of the same name stands for the real link`]),
    ...(config.prefix && config.uplink !== undefined && config.uplink !== uplink
      ? [`uplink ${config.uplink}: here it is ${uplink}`]
      : []),
  ];
}
