/** Survey: what a machine is, as plain data, read in one pass by `machine/survey.ts`. Everything here can be recorded. */

import type { Family } from "./item.ts";
import type { Fetched } from "./journal.ts";
import type { NftChain } from "./netfilter/nft.ts";

export interface Link {
  name: string;
  up: boolean;
  carrier: boolean;
  mtu: number;
  /** The bridge, bond or VRF that it belongs to. */
  master?: string;
  kind?: string;
  /** An Ethernet device on which ARP and IPv6 neighbour discovery are switched off. Others have no use for them. */
  noArp?: true;
  /** The queueing discipline at its root: tc(8). */
  qdisc?: string;
  /** Packets that it keeps for whoever sends them on, of a TUN device its reader: txqueuelen of ip-link(8). */
  queue?: number;
  /** `linkinfo.info_data` of ip(8), as it came. */
  data: Record<string, unknown>;
  addresses: { address: string; family: Family; scope: string; dynamic: boolean }[];
  /** Packets and bytes since the device was made. */
  rx: { packets: number; bytes: number; dropped: number };
  tx: { packets: number; bytes: number; dropped: number };
}

export interface RouteSeen {
  family: Family;
  to: string;
  type: string;
  device?: string;
  via?: string;
  table: string;
  protocol: string;
  metric: number;
  /** IPv6: the route counts for packets from there only. */
  from?: string;
  /** The source address that the machine's own packets get. */
  prefsrc?: string;
  /** Id of the nexthop object that it uses. */
  nhid?: number;
  /** Bytes. */
  mtu?: number;
  advmss?: number;
  /** `linkdown`, `dead`, `onlink`, ... */
  flags?: string[];
  /** Of a route with several next hops, which has neither `device` nor `via`. */
  hops?: { device?: string; via?: string }[];
}

/** One rule of the routing policy, which says who looks into which table. ip-rule(8). */
export interface PolicySeen {
  family: Family;
  priority: number;
  /** It holds for what does not match. */
  not?: true;
  from?: string;
  to?: string;
  iif?: string;
  oif?: string;
  mark?: { value: number; mask: number };
  /** What else it asks for, in the words of `ip route get`: `["ipproto", "tcp", "dport", "80"]`. */
  also?: string[];
  /** It asks for something that no packet on its way through has, or that cannot be told: a user, a range of ports, ... */
  odd?: true;
  action: "lookup" | "blackhole" | "prohibit" | "unreachable" | "goto" | "nop" | "l3mdev";
  table?: string;
  /** The priority that `goto` leads to. */
  goto?: number;
  /** `suppress_prefixlength`: an answer of this length or a shorter one does not count. */
  suppress?: number;
}

/** One chain of one table, as iptables-save prints it. */
export interface ChainSeen {
  name: string;
  /** Of a built-in chain; own chains have none. */
  policy?: string;
  /** Each without `-A CHAIN`, split into words. */
  rules: string[][];
}

/** table -> chain name -> chain */
export type Ruleset = Record<string, Record<string, ChainSeen>>;

export interface UnitSeen {
  unit: string;
  load: string;
  active: string;
  sub: string;
  enabled: string;
  /** Start of the main process, in milliseconds since the epoch; 0 when it never ran. */
  since: number;
  pid: number;
  restarts: number;
  fragment: string;
  needsReload: boolean;
  result: string;
  /** `systemctl freeze` holds all its processes still; ps(1) does not show it. */
  frozen?: boolean;
  /** Paths of its drop-ins, crxn's own among them. */
  dropIns?: string[];
}

export interface FileSeen {
  /** Undefined when it could not be read (no permission). */
  content?: string;
  mode: number;
  uid: number;
  gid: number;
  /** Milliseconds since the epoch. */
  modified: number;
}

/** A program, judged by its sum. */
export interface ProgramSeen {
  type: "file" | "folder" | "other";
  /** In hex; undefined when it could not be read. */
  sha256?: string;
  mode: number;
  uid: number;
  gid: number;
  /** Milliseconds since the epoch. */
  modified: number;
  /** What crxn's journal says of it, if it says anything. */
  recorded?: Fetched;
}

export interface Peer {
  uri: string;
  up: boolean;
  key?: string;
  address?: string;
  inbound: boolean;
  /** Seconds. */
  uptime?: number;
  /** Milliseconds. */
  latency?: number;
  error?: string;
}

export interface OverlaySeen {
  version?: string;
  publicKey?: string;
  address?: string;
  peers: Peer[];
}

export interface DaemonSeen {
  path: string;
  /** The normalised config, JSON; missing when the program failed. */
  normalised?: string;
  /** Why it failed, in its own words. */
  error?: string;
}

export interface Survey {
  root: boolean;
  os: { id: string; version: string; name: string };
  systemd: boolean;
  /** /dev/net/tun is there. */
  tun: boolean;
  /** name -> installed version; what is missing here is not installed. Undefined where dpkg is missing. */
  packages?: Record<string, string>;
  /** Somebody has changed /etc/tayga.conf: Debian's tayga.service is then a translator of theirs, not a sample. */
  ownTayga?: boolean;
  /** path -> file, null when it does not exist. */
  files: Record<string, FileSeen | null>;
  /** path -> program, null when it does not exist. */
  programs?: Record<string, ProgramSeen | null>;
  /** In slash form. */
  sysctls: Record<string, string>;
  links: Link[];
  routes: RouteSeen[];
  /** Of both families, each in its order. Undefined when they could not be read. */
  policies?: PolicySeen[];
  /** Undefined when it could not be read: the program is missing, or no permission. */
  rules: Partial<Record<Family, Ruleset>>;
  /** The other backend's rules, where `rules` are iptables-nft's. Undefined when they could not be read. */
  legacy?: Partial<Record<Family, Ruleset>>;
  /** Tables that iptables cannot read because of rules of another kind in them, e.g. "ip filter": missing in `rules`. */
  unreadable?: string[];
  /** Names of the kernel's nftables tables, e.g. "ip nat", the oldest first. Undefined where nft gave no answer. */
  nftables?: string[];
  /** Built-in chains that iptables-nft has made so far, e.g. "ip mangle FORWARD": iptables-save shows them all, made or not. */
  baseChains?: string[];
  /** Chains of nftables that `rules` does not have. */
  native?: NftChain[];
  units: Record<string, UnitSeen>;
  /** What the yggdrasil program made of `PROBE` (capability.ts). Missing where there is no such program. */
  daemon?: DaemonSeen;
  /** What a running overlay daemon says of itself. */
  overlay?: OverlaySeen;
  /** Addresses of the pool that are taken, by lines of tayga's dynamic.map. */
  poolUsed?: number;
  /** Questions that got no answer, in words. */
  unknown: string[];
}

export const linkOf = (survey: Survey, name: string): Link | undefined => survey.links.find((l) => l.name === name);

/** The default routes in the main table, that with the lowest metric first. */
export const defaultRoutes = ({ routes }: Pick<Survey, "routes">, family: Family): RouteSeen[] =>
  routes.filter((r) => r.family === family && r.to === "default" && r.table === "main" && r.type === "unicast")
    .sort((a, b) => a.metric - b.metric);

/** The interface of the IPv6 default route in the main table, the one with the lowest metric. */
export const defaultUplink = (survey: Survey, family: Family = "inet6"): RouteSeen | undefined =>
  defaultRoutes(survey, family)
    // Of several next hops the first stands for all.
    .map((r) => r.device === undefined && r.hops ? { ...r, ...r.hops[0] } : r)
    .find((r) => r.device);

/** Whether a question of the survey got no answer. What is not in the survey is then not known to be missing. */
export const isUnread = (survey: Survey, question: "routes" | "overlay"): boolean =>
  survey.unknown.some((u) => u.startsWith(`${question}:`));
