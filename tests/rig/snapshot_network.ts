// Networking as comparable lines: what was set, without what merely happened (counters, lifetimes, numbers of the boot).

type Json = Record<string, unknown>;

/** What is worth comparing of one object of `ip -j`, by section. */
const KEYS: Record<string, (item: Json) => Json | Json[]> = {
  links: (item) => ({
    ...pick(item, "ifname", "mtu", "master", "link_type", "address"),
    kind: (item.linkinfo as Json | undefined)?.info_kind,
    detail: (item.linkinfo as Json | undefined)?.info_kind === "vxlan"
      ? pick((item.linkinfo as Json).info_data as Json, "id", "remote", "remote6", "local", "local6", "port")
      : undefined,
    flags: flags(item, "UP", "NOARP", "PROMISC", "ALLMULTI", "POINTOPOINT", "MULTICAST"),
  }),
  addresses: (item) =>
    ((item.addr_info ?? []) as Json[]).map((address) => ({
      ifname: item.ifname,
      // "tentative" passes, and lifetimes tick; whether an address has one at all shows in "dynamic".
      ...pick(
        address,
        "family",
        "local",
        "address",
        "prefixlen",
        "scope",
        "label",
        "nodad",
        "noprefixroute",
        "dynamic",
      ),
      ...pick(address, "mngtmpaddr", "temporary", "deprecated"),
    })),
  routes4: route,
  routes6: route,
  rules4: (item) => item,
  rules6: (item) => item,
  nexthops: (item) => ({
    ...pick(item, "id", "gateway", "dev", "scope", "protocol", "group", "type", "blackhole"),
    flags: flags(item, "onlink"),
  }),
};

function route(item: Json): Json {
  const keys = [
    "type",
    "dst",
    "from",
    "gateway",
    "via",
    "dev",
    "table",
    "protocol",
    "scope",
    "prefsrc",
    "src",
    "metric",
  ];
  const more = ["metrics", "nhid", "pref", "mtu", "advmss", "nexthops"];
  const nexthops = item.nexthops as Json[] | undefined;
  return {
    ...pick(item, ...keys, ...more),
    nexthops: nexthops?.map((hop) => ({
      ...pick(hop, "gateway", "via", "dev", "weight"),
      flags: flags(hop, "onlink"),
    })),
    flags: flags(item, "onlink", "pervasive"),
  };
}

/** One line for each object in the output of `ip -j`. */
export function jsonSection(section: string, text: string): string[] {
  const items = (text === "" ? [] : JSON.parse(text)) as Json[];
  const normalise = KEYS[section]!;
  return items.filter((item) => Object.keys(item).length > 0).flatMap(normalise).map((item) => JSON.stringify(item));
}

/**
 * iptables-save without comments and counters. A table with nothing but empty built-in chains and policy ACCEPT is left
 * out: it does nothing, and iptables itself can make one but not remove it.
 */
export function saveSection(text: string): string[] {
  const lines = text.split("\n").map((line) => line.replace(/^\[\d+:\d+\] | \[\d+:\d+\]$/g, "").trim());
  const result: string[] = [];
  let table: string[] = [];
  for (const line of lines) {
    if (line === "" || line.startsWith("#")) continue;
    if (line.startsWith("*")) table = [];
    table.push(line);
    if (line !== "COMMIT") continue;
    const idle = table.every((part) => /^(\*\w+|COMMIT|:[A-Z]+ ACCEPT)$/.test(part));
    if (!idle) result.push(...table.map((part) => `${table[0]!.slice(1)} ${part}`));
  }
  return result;
}

/** `nft -j list ruleset` without handles and counters, and without the idle tables that iptables-nft leaves. */
export function nftSection(text: string): string[] {
  if (text === "") return [];
  const items = (JSON.parse(text) as { nftables: Json[] }).nftables;
  const idle = idleTables(items);
  return items.flatMap((item) => {
    const [kind, value] = Object.entries(item)[0] as [string, Json];
    if (kind === "metainfo") return [];
    const table = kind === "table" ? `${value.family} ${value.name}` : `${value.family} ${value.table}`;
    // What traffic has put into a set is not the machine's configuration. (nft 1.0.6 does not print "dynamic".)
    const flags = (value.flags ?? []) as string[];
    const dynamic = kind === "set" &&
      (flags.includes("dynamic") || flags.includes("timeout") || JSON.stringify(value).includes('"ct count"'));
    const { elem: _, ...rest } = value;
    return idle.has(table) ? [] : [`${kind} ${JSON.stringify(stripped(dynamic ? rest : value))}`];
  });
}

function idleTables(items: readonly Json[]): Set<string> {
  const idle = new Set<string>();
  for (const { table } of items as { table?: Json }[]) {
    const builtIn = ["ip", "ip6"].includes(String(table?.family)) &&
      ["filter", "nat", "mangle", "raw", "security"].includes(String(table?.name));
    if (table && builtIn) idle.add(`${table.family} ${table.name}`);
  }
  for (const item of items) {
    const [kind, value] = Object.entries(item)[0] as [string, Json];
    if (kind === "metainfo" || kind === "table") continue;
    const works = kind !== "chain" || value.hook === undefined || (value.policy ?? "accept") !== "accept";
    if (works) idle.delete(`${value.family} ${value.table}`);
  }
  return idle;
}

function stripped(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(stripped);
  if (value === null || typeof value !== "object") return value;
  const kept = Object.entries(value).filter(([key]) => !["handle", "packets", "bytes"].includes(key));
  return Object.fromEntries(kept.map(([key, part]) => [key, stripped(part)]));
}

function pick(item: Json, ...keys: string[]): Json {
  return Object.fromEntries(keys.filter((key) => key in item).map((key) => [key, item[key]]));
}

function flags(item: Json, ...names: string[]): string[] {
  return ((item.flags ?? []) as string[]).filter((flag) => names.includes(flag)).sort();
}
