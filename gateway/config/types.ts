/**
 * The normalised config: what the rest of crxn computes from. Defaults are filled in, addresses, networks and keys are in
 * canonical text (RFC 5952, lower case).
 */

/** How IPv4 travels between yggdrasil nodes. `auto` is decided by what kernel and daemon can do. */
export type Tunnel = "auto" | "ckr" | "ip6gre" | "vxlan";

/** An overlay network, and who carries it: yggdrasil: a public key (64 hex digits), required; interface: an IPv4 next hop, optional. */
export interface Route {
  to: string;
  via?: string;
}

/** An installed program's path, or one to fetch: a binary or a .deb, and the SHA-256 of what `url` gives (64 hex digits). */
export type Daemon = string | { url: string; sha256: string };

/** What of this machine overlay hosts reach: nothing, pings, all that its own firewall allows, or pings and some services ("tcp/22"). */
export type Access = "none" | "ping" | "all" | string[];

/** What one IPv6 network may take: new sources a day for each /64 and /48, and connections at once for each /64. */
export interface Limits {
  per64: number;
  per48: number;
  flows: number;
}

/** The link to the overlay: one that crxn makes over yggdrasil, or one that is there already. */
export type Overlay =
  | {
    type: "yggdrasil";
    interface: string;
    tunnel: Tunnel;
    daemon: Daemon;
    peers: string[];
    listen: string[];
    routes: Required<Route>[];
    /** Networks behind this machine; see `localNetworks` in overlay_nodes.ts for the default. */
    local?: string[];
    access: Access;
  }
  | { type: "interface"; interface: string; routes: Route[]; access: Access };

/** The translator. `pool` is an IPv4 network, `clients` are IPv6 networks, `mss` is in bytes. */
export interface Nat64 {
  instance: string;
  pool: string;
  maps: { ipv4: string; ipv6: string }[];
  clients: string[];
  limits?: "off" | Partial<Limits> | undefined;
  workers: number;
  mss: "auto" | "off" | number;
}

/** What timers do; missing: nothing. `mend` in seconds from one look to the next; `metrics` is the file that gets them each minute. */
export interface Upkeep {
  mend?: number;
  metrics?: string;
}

/** `prefix`, `routed` and `nat64` are there together (a gateway) or not at all (an overlay node). `address` is IPv4 with a length. */
export interface Config {
  address: string;
  /** Further addresses of this machine in the overlay. */
  moreAddresses?: string[];
  prefix?: string;
  routed?: string;
  uplink?: string;
  overlay: Overlay;
  nat64?: Nat64;
  upkeep?: Upkeep;
}
