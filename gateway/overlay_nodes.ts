/** Who is out there, and what is ours: the far nodes of a yggdrasil overlay, and the networks of this side. Pure. */

import { clearHostBits, contains, formatNetwork, type Network, network } from "./cidr.ts";
import type { Config, Overlay } from "./config/types.ts";
import type { Facts } from "./facts.ts";
import type { Journal } from "./journal.ts";
import { tunnelDevice } from "./names.ts";
import { addressFromKey } from "./yggdrasil_address.ts";

/** UDP port of VXLAN (RFC 7348), on the wire of every tunnel. */
export const VXLAN_PORT = 4789;

/** A yggdrasil node that carries networks of the overlay. */
export interface FarNode {
  /** Public key, 64 hex digits. */
  key: string;
  /** Its address in yggdrasil, which follows from the key. */
  address: string;
  /** The device by which it is reached: its tunnel, or the daemon's own with tunnel routing. */
  device: string;
  networks: string[];
  /** VXLAN: the UDP port of the tunnel on this machine. */
  port: number;
}

/** A device that leads into the overlay, and the networks behind it. */
export interface Way {
  device: string;
  networks: string[];
}

/** In the order in which the config names them. */
export function farNodes(
  { overlay }: Config,
  { daemon, tunnel, ports: made }: Pick<Facts, "daemon" | "tunnel" | "ports">,
): FarNode[] {
  if (overlay.type !== "yggdrasil") return [];
  const keys = [...new Set(overlay.routes.map((r) => r.via))];
  const ports = localPorts(keys, made);
  return keys.map((key) => ({
    key,
    address: addressFromKey(key, daemon?.generation),
    device: tunnel?.kind === "ckr" ? overlay.interface : tunnelDevice(key),
    networks: overlay.routes.filter((r) => r.via === key).map((r) => r.to),
    port: ports.get(key)!,
  }));
}

/**
 * The kernel allows one VXLAN device for an id and a port (vxlan_config_validate), and the id is the same for all nodes. So
 * only one has the well-known port for its own; the others get one below the ephemeral ports (ip-sysctl.rst,
 * ip_local_port_range), and the firewall translates between the two: on the wire it is 4789 for everybody.
 * @param made ports that tunnels have already, by device: a tunnel keeps its own, for connection tracking would go on to
 *   translate the flows of a changed one as before
 */
function localPorts(keys: string[], made: Record<string, number> = {}): Map<string, number> {
  const ports = new Map<string, number>();
  const taken = new Set<number>();
  const give = (key: string, port: number) => {
    ports.set(key, port);
    taken.add(port);
  };
  for (const key of keys) {
    const port = made[tunnelDevice(key)];
    if (port !== undefined && !taken.has(port)) give(key, port);
  }
  for (const key of keys.filter((k) => !ports.has(k))) {
    let port = taken.has(VXLAN_PORT) ? 20000 + parseInt(key.slice(0, 3), 16) : VXLAN_PORT;
    while (taken.has(port)) port++;
    give(key, port);
  }
  return ports;
}

/** The ports of VXLAN tunnels that were made before, by device. */
export const portsMade = ({ entries }: Pick<Journal, "entries">): Record<string, number> =>
  Object.fromEntries(
    [...entries.values()].flatMap(({ item }) =>
      item.kind === "link" && item.spec.type === "vxlan" ? [[item.name, item.spec.port]] : []
    ),
  );

/** The devices into the overlay: the existing link, the daemon's device, or a tunnel for each far node. */
export function waysOf(overlay: Overlay, nodes: FarNode[]): Way[] {
  const devices = [...new Set(nodes.map((n) => n.device))];
  if (devices.length === 0) return [{ device: overlay.interface, networks: overlay.routes.map((r) => r.to) }];
  return devices.map((device) => ({
    device,
    networks: nodes.filter((n) => n.device === device).flatMap((n) => n.networks),
  }));
}

/** This machine's addresses in the overlay, with their lengths; clients appear under the first. */
export const ownAddresses = ({ address, moreAddresses = [] }: Config): string[] => [address, ...moreAddresses];

/**
 * Networks of this side, as a tunnel's filter: yggdrasil's tunnel routing calls them local subnets.
 * @returns undefined where anything may pass: on a node whose config does not name what is behind it
 */
export function localNetworks(config: Config): string[] | undefined {
  const { overlay, nat64 } = config;
  if (overlay.type !== "yggdrasil") return undefined;
  const named = overlay.local ?? (nat64 ? [] : undefined);
  if (!named) return undefined;
  const networks = [...named, ...ownAddresses(config)].map((n) => clearHostBits(network(n)));
  // What lies inside another one is said already.
  const widest = networks.filter((n, i) => !networks.some((other, j) => i !== j && holds(other, n, j < i)));
  const maps = (nat64?.maps ?? []).map((m) => network(`${m.ipv4}/32`));
  return [...widest, ...maps.filter((m) => !widest.some((n) => contains(n, m)))].map(formatNetwork);
}

/** Which of the networks an IPv4 address is reached by: the longest prefix decides, as it does for routes. */
export const networkOf = (networks: string[], address: string): string | undefined =>
  networks.filter((n) => contains(network(n), network(`${address}/32`)))
    .sort((a, b) => network(b).length - network(a).length)[0];

/** @param first whether `outer` counts also when both are the same */
const holds = (outer: Network, inner: Network, first: boolean) =>
  contains(outer, inner) && (first || outer.length < inner.length);
