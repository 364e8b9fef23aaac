import { type Network, network, parseEither } from "../cidr.ts";
import * as networks from "./networks.ts";
import { unlessRefused } from "./problem.ts";
import { peerUri } from "./uri.ts";
import * as values from "./values.ts";
import type { Kind } from "./values.ts";
import { DEFAULTS } from "./defaults.ts";

/**
 * What can be understood of a config, right or wrong: so that one mistake does not hide the next. Lists keep their
 * indices, with holes where a value is not understood.
 */
export interface Draft {
  /** With holes where one is not understood. */
  addresses: (Network | undefined)[];
  prefix?: Network;
  routed?: Network;
  uplink?: string;
  type?: "yggdrasil" | "interface";
  interface?: string;
  peers: (string | undefined)[];
  listen: (string | undefined)[];
  /** Undefined when the key holds something else than a list. */
  routes?: { to?: Network; via?: string }[];
  /** Networks behind this machine. */
  local: (Network | undefined)[];
  tunnel?: string;
  given: { prefix: boolean; routed: boolean; nat64: boolean };
  instance?: string;
  pool?: Network;
  maps: { ipv4?: Network; ipv6?: Network }[];
  clients?: (string | undefined)[];
  workers?: number;
}

const record = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? value as Record<string, unknown> : {};
const items = (value: unknown): unknown[] => Array.isArray(value) ? value : [];

/** Canonical text; undefined where it is no text, or not of that kind. */
export const soft = (kind: Kind, value: unknown): string | undefined =>
  typeof value === "string" ? unlessRefused(() => kind.read(value)) : undefined;

function softNetwork(kind: Kind, value: unknown): Network | undefined {
  const text = soft(kind, value);
  return text === undefined ? undefined : parseEither(text);
}

/** Reads what is readable of a parsed YAML document. Never throws. */
export function draftOf(document: unknown): Draft {
  const root = record(document);
  const overlay = record(root.overlay);
  const nat64 = record(root.nat64);
  const type = overlay.type === "yggdrasil" || overlay.type === "interface" ? overlay.type : undefined;
  const viaKind = type === "interface" ? networks.nextHop : values.publicKey;
  const routes = overlay.routes === undefined ? [] : overlay.routes;
  return {
    addresses: (Array.isArray(root.address) ? root.address : [root.address])
      .map((a) => softNetwork(networks.overlayAddress, a)),
    prefix: softNetwork(networks.nat64Prefix, root.prefix),
    routed: softNetwork(networks.routedNetwork, root.routed),
    uplink: soft(values.interfaceName, root.uplink),
    type,
    interface: overlay.interface === undefined && type === "yggdrasil"
      ? DEFAULTS.interface
      : soft(values.interfaceName, overlay.interface),
    peers: items(overlay.peers).map((peer) => soft(peerUri, peer)),
    listen: items(overlay.listen).map((uri) => typeof uri === "string" ? uri : undefined),
    routes: Array.isArray(routes)
      ? routes.map(record).map(({ to, via }) => ({
        to: softNetwork(networks.overlayNetwork, to),
        via: soft(viaKind, via),
      }))
      : undefined,
    local: items(overlay.local).map((text) => softNetwork(networks.localNetwork, text)),
    tunnel: typeof overlay.tunnel === "string" ? overlay.tunnel : undefined,
    given: {
      prefix: root.prefix !== undefined,
      routed: root.routed !== undefined,
      nat64: root.nat64 !== undefined && root.nat64 !== null,
    },
    instance: nat64.instance === undefined ? DEFAULTS.instance : soft(values.instanceName, nat64.instance),
    pool: nat64.pool === undefined ? network(DEFAULTS.pool) : softNetwork(networks.poolNetwork, nat64.pool),
    maps: items(nat64.maps).map(record).map(({ ipv4, ipv6 }) => ({
      ipv4: softNetwork(networks.mapIpv4, ipv4),
      ipv6: softNetwork(networks.mapIpv6, ipv6),
    })),
    clients: Array.isArray(nat64.clients) ? nat64.clients.map((text) => soft(networks.clientNetwork, text)) : undefined,
    workers: typeof nat64.workers === "number" ? nat64.workers : undefined,
  };
}
