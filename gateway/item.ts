/**
 * Items: everything a gateway consists of, each written down once, as plain data.
 *
 * From an item come the unit line that makes it at boot (`units.ts`), the command that makes it now and the one that
 * removes it (`commands.ts`), the question whether a machine has it (`see.ts`) and the line of a plan (`plan.ts`).
 */

export type Family = "inet" | "inet6";

/** A Debian package that must be installed. Never removed by `down`, only by `down --purge`, and only if we brought it. */
export interface PackageItem {
  kind: "package";
  id: string;
  name: string;
}

/** A program fetched by URL and known by its sum. As a package: kept by `down`, removed by `down --purge`. */
export interface ProgramItem {
  kind: "program";
  id: string;
  path: string;
  url: string;
  /** Of what the URL gives, in hex; what is installed has another one if that is a .deb. */
  sha256: string;
}

/** A whole file of ours, or (`edited`) a file of somebody else in which we own some settings. */
export interface FileItem {
  kind: "file";
  id: string;
  path: string;
  content: string;
  /** Permission bits, e.g. 0o644. */
  mode: number;
  /** Group by name; the user is always root. */
  group?: string;
  /** Lines with secrets are masked wherever the file is shown. */
  secret?: boolean;
  /** systemd has to read its units again after a change. */
  unit?: boolean;
  /** The unit of crxn's that writes into it: only that it is there counts, and what was in it is nobody's. */
  filledBy?: string;
}

/** A kernel parameter, set now; `sysctlFile` in `sysctls.ts` makes it last. */
export interface SysctlItem {
  kind: "sysctl";
  id: string;
  /** In sysctl(8)'s slash form, which is the only one that can hold every interface name. */
  key: string;
  value: string;
  /** Set when the parameter belongs to a device that we make: it goes with the device. */
  device?: string;
}

export type LinkSpec =
  | { type: "tun"; user?: string; mtu: number }
  | { type: "translator"; config: string }
  | {
    type: "vxlan";
    mac: string;
    local: string;
    remote: string;
    underlay: string;
    vni: number;
    port: number;
    mtu: number;
  }
  | { type: "ip6gre"; local: string; remote: string; underlay: string; mtu: number };

/** A network device of our making. */
export interface LinkItem {
  kind: "link";
  id: string;
  name: string;
  spec: LinkSpec;
  /** The daemon that holds the device open, if any: it must be stopped while the device is made anew. */
  holder?: string;
  /** It was there before crxn, held by a process that runs since then: `since` of the service. */
  since?: number;
}

export interface AddressItem {
  kind: "address";
  id: string;
  family: Family;
  /** Address with prefix length. */
  address: string;
  device: string;
}

export interface RouteItem {
  kind: "route";
  id: string;
  family: Family;
  to: string;
  type: "unicast" | "blackhole" | "unreachable";
  device?: string;
  via?: string;
  /** Several next hops, of which the kernel takes one by the packet's source (ip-sysctl.rst, fib_multipath_hash_policy). */
  hops?: { via?: string; device: string }[];
  /** Without it the kernel's default: 0 for IPv4, 1024 for IPv6. */
  metric?: number;
}

/** A chain of our own with all its rules, and the jump to it from a built-in chain. Changed in one transaction. */
export interface ChainItem {
  kind: "chain";
  id: string;
  family: Family;
  table: "filter" | "nat" | "mangle" | "raw";
  chain: string;
  from: "INPUT" | "FORWARD" | "POSTROUTING" | "PREROUTING" | "OUTPUT";
  /** Each rule in the words and the order in which iptables-save prints it, without `-A CHAIN`. */
  rules: string[][];
}

/** A table of nftables of our own, changed in one transaction. */
export interface TableItem {
  kind: "table";
  id: string;
  /** "inet crxn" */
  name: string;
  /** For nft(8); it replaces the table whole. */
  text: string;
  /** The comment of the first rule that has one, by which the table in the kernel is known. */
  mark: string;
  /** Where a boot finds it. */
  file: string;
}

/** A unit that must be enabled and active. */
export interface ServiceItem {
  kind: "service";
  id: string;
  unit: string;
  /** Files that a running daemon has read at its start: one that is newer than the process means a restart. */
  reads: string[];
  /** What it runs, where that is no package's: one that is newer than the process means a restart as well. */
  program?: string;
  /** What a restart interrupts, for the plan. */
  interrupts?: string;
  /** Taken over while it ran by hand: the start of that process, in milliseconds since the epoch (takeover.ts). */
  since?: number;
  /** In the journal only: it was enabled together with others, and its own turn was still to come. */
  ahead?: true;
  /** The service that it starts, being a timer: it ends with it, and is forgotten where it has failed. */
  starts?: string;
  /** Targets that it pulls in: `down` stops those that were not active before. */
  pulls?: string[];
}

/** A unit that must not run: Debian's own tayga with its sample config. One with a config of somebody's own may. */
export interface UnwantedItem {
  kind: "unwanted";
  id: string;
  unit: string;
}

export type Item =
  | PackageItem
  | ProgramItem
  | FileItem
  | SysctlItem
  | LinkItem
  | AddressItem
  | RouteItem
  | ChainItem
  | TableItem
  | ServiceItem
  | UnwantedItem;

export const packageItem = (name: string): PackageItem => ({ kind: "package", id: `package ${name}`, name });

export const programItem = (path: string, from: { url: string; sha256: string }): ProgramItem => ({
  kind: "program",
  id: `program ${path}`,
  path,
  url: from.url,
  sha256: from.sha256,
});

export const fileItem = (path: string, content: string, more: Partial<FileItem> = {}): FileItem => ({
  kind: "file",
  id: `file ${path}`,
  path,
  content,
  mode: 0o644,
  ...more,
});

export const sysctlItem = (path: string[], value: string, device?: string): SysctlItem => {
  const key = path.join("/");
  return { kind: "sysctl", id: `sysctl ${key}`, key, value, ...(device ? { device } : {}) };
};

export const linkItem = (name: string, spec: LinkSpec, holder?: string): LinkItem => ({
  kind: "link",
  id: `link ${name}`,
  name,
  spec,
  ...(holder ? { holder } : {}),
});

export const addressItem = (address: string, device: string): AddressItem => ({
  kind: "address",
  id: `address ${address} on ${device}`,
  family: address.includes(":") ? "inet6" : "inet",
  address,
  device,
});

export const routeItem = (to: string, more: Partial<RouteItem>): RouteItem => {
  const family = to.includes(":") ? "inet6" : "inet";
  const metric = more.metric === undefined ? "" : ` metric ${more.metric}`;
  return { kind: "route", id: `route ${to}${metric}`, family, to, type: "unicast", ...more };
};

/** What our chain that a built-in one jumps to is called. */
export const ownChain = (from: string): string => `CRXN-${from}`;

export const chainItem = (
  family: Family,
  table: ChainItem["table"],
  from: ChainItem["from"],
  rules: string[][],
): ChainItem => {
  const chain = ownChain(from);
  return { kind: "chain", id: `chain ${family} ${table} ${chain}`, family, table, chain, from, rules };
};

export const tableItem = (name: string, more: Pick<TableItem, "text" | "mark" | "file">): TableItem => ({
  kind: "table",
  id: `table ${name}`,
  name,
  ...more,
});

export const serviceItem = (unit: string, more: Partial<ServiceItem> = {}): ServiceItem => ({
  kind: "service",
  id: `service ${unit}`,
  unit,
  reads: [],
  ...more,
});

export const unwantedItem = (unit: string): UnwantedItem => ({ kind: "unwanted", id: `unwanted ${unit}`, unit });
