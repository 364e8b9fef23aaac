/** Is an item there? The one question that `up`, `down`, `status` and `doctor` ask of a survey. Pure. */

import { runsWithOlder, seeProgram } from "./daemon.ts";
import type { AddressItem, ChainItem, Item, LinkItem, RouteItem, ServiceItem, TableItem } from "./item.ts";
import { jumpRule } from "./commands.ts";
import { NFT_FAMILY, type NftChain } from "./netfilter/nft.ts";
import { canonicalNetwork } from "./networks.ts";
import { isUnread, linkOf, type RouteSeen, type Survey } from "./survey.ts";

/** `differs`: there, but not as it should be. `foreign`: its place is taken by something that is not ours. */
export type State =
  | { is: "present" }
  | { is: "absent" }
  | { is: "differs"; how: string }
  | { is: "foreign"; how: string }
  | { is: "unknown"; how: string };

const present: State = { is: "present" };
const absent: State = { is: "absent" };
/** Every machine has some of what was asked for: none at all is no answer. */
const silent = (program: string): State => ({ is: "unknown", how: `${program} does not answer` });
const differs = (how: string): State => ({ is: "differs", how });

export function see(item: Item, survey: Survey): State {
  switch (item.kind) {
    case "package":
      if (!survey.packages) return { is: "unknown", how: "dpkg did not answer" };
      return survey.packages[item.name] ? present : absent;
    case "program":
      return seeProgram(item, survey);
    case "file":
      return seeFile(item.path, item.content, item.mode, survey);
    case "sysctl": {
      const value = survey.sysctls[item.key];
      if (value === undefined) return Object.keys(survey.sysctls).length > 0 ? absent : silent("sysctl");
      return value === item.value ? present : differs(`${value}, not ${item.value}`);
    }
    case "link":
      return seeLink(item, survey);
    case "address":
      return seeAddress(item, survey);
    case "route":
      return seeRoute(item, survey);
    case "chain":
      return seeChain(item, survey);
    case "table":
      return seeTable(item, survey);
    case "service":
      return seeService(item, survey);
    case "unwanted": {
      const unit = survey.units[item.unit];
      if (survey.ownTayga) return present;
      if (!unit || unit.load === "not-found") return present;
      const running = unit.active === "active" || unit.active === "activating";
      return running || unit.enabled === "enabled" ? differs(`${unit.enabled}, ${unit.active}`) : present;
    }
  }
}

function seeFile(path: string, content: string, mode: number, survey: Survey): State {
  const file = survey.files[path];
  if (file === undefined) return { is: "unknown", how: "not looked at" };
  if (file === null) return absent;
  if (file.content === undefined) return { is: "unknown", how: "not readable" };
  if (file.content !== content) return differs("other content");
  return file.mode === mode ? present : differs(`mode ${file.mode.toString(8)}, not ${mode.toString(8)}`);
}

function seeLink({ name, spec }: LinkItem, survey: Survey): State {
  const link = linkOf(survey, name);
  if (!link) return survey.links.length > 0 ? absent : silent("ip");
  const wrong = (what: string, is: unknown, want: unknown) => differs(`${what} ${is}, not ${want}`);
  const kind = spec.type === "translator" ? "tun" : spec.type;
  if (link.kind !== kind) return { is: "foreign", how: `a device of that name exists, of kind ${link.kind ?? "none"}` };
  if (kind === "tun" && link.data["persist"] !== true) return differs("it would go with its daemon");
  if (spec.type === "vxlan") {
    const { local6, remote6, id, port, link: underlay } = link.data;
    if (local6 !== spec.local) return wrong("local", local6, spec.local);
    if (remote6 !== spec.remote) return wrong("remote", remote6, spec.remote);
    if (id !== spec.vni) return wrong("id", id, spec.vni);
    if (port !== spec.port) return wrong("port", port, spec.port);
    if (underlay !== spec.underlay) return wrong("underlay", underlay, spec.underlay);
  }
  if (spec.type === "ip6gre") {
    const { local, remote, link: underlay } = link.data;
    if (local !== spec.local) return wrong("local", local, spec.local);
    if (remote !== spec.remote) return wrong("remote", remote, spec.remote);
    if (underlay !== undefined && underlay !== spec.underlay) return wrong("underlay", underlay, spec.underlay);
  }
  // The MTU of the overlay's TUN is the daemon's business once it runs (0.4.7 sets 53049).
  if ((spec.type === "vxlan" || spec.type === "ip6gre") && link.mtu !== spec.mtu) {
    return wrong("MTU", link.mtu, spec.mtu);
  }
  return link.up ? present : differs("it is down");
}

/** Whether a link must be made anew rather than tuned. */
export const isRebuild = (how: string): boolean => !/^(MTU |it is down)/.test(how);

function seeAddress(item: AddressItem, survey: Survey): State {
  const found = linkOf(survey, item.device)?.addresses.some((a) => a.address === item.address);
  if (found) return present;
  return survey.links.length > 0 ? absent : silent("ip");
}

/** What a route has as its metric, also where nobody has named one: the kernel's default is 0 for IPv4, 1024 for IPv6. */
export const metricOf = ({ metric, family }: RouteItem): number => metric ?? (family === "inet6" ? 1024 : 0);

/** The routes that the kernel would not tell from this one: same destination, metric and table. */
export function routesAt(item: RouteItem, survey: Survey): RouteSeen[] {
  const metric = metricOf(item);
  const to = canonicalNetwork(item.to);
  return survey.routes.filter((r) =>
    r.family === item.family && r.table === "main" && r.to === to && r.metric === metric
  );
}

function seeRoute(item: RouteItem, survey: Survey): State {
  const there = routesAt(item, survey);
  const matches = (r: RouteSeen) =>
    r.type === item.type && (item.type !== "unicast" || r.device === item.device) && (r.via ?? "") === (item.via ?? "");
  // One that does the same job is as good as ours; `down` leaves it, for we did not make it.
  if (there.some(matches)) return present;
  const [other] = there;
  const isKnown = !isUnread(survey, "routes") && (survey.routes.length > 0 || survey.links.length > 0);
  if (!other) return isKnown ? absent : silent("ip");
  const how = `${other.type === "unicast" ? "" : other.type + " "}${other.via ? "via " + other.via + " " : ""}` +
    `dev ${other.device ?? "-"} proto ${other.protocol}`;
  return other.protocol === "64" ? differs(how) : { is: "foreign", how };
}

export function seeChain(item: ChainItem, survey: Survey): State {
  const ruleset = survey.rules[item.family];
  if (!ruleset) return { is: "unknown", how: "the rules could not be read" };
  const table = ruleset[item.table] ?? {};
  const chain = table[item.chain];
  if (!chain) return seeUnreadable(item, survey);
  const want = item.rules.map((r) => r.join(" "));
  const have = chain.rules.map((r) => r.join(" "));
  const missing = want.filter((r) => !have.includes(r));
  const extra = have.filter((r) => !want.includes(r));
  if (missing.length > 0) return differs(`${missing.length} rules missing: ${missing.join("; ")}`);
  if (extra.length > 0) return differs(`${extra.length} rules too many: ${extra.join("; ")}`);
  if (want.join("\n") !== have.join("\n")) return differs("rules in another order");
  const jumps = hasJump(item, survey);
  return jumps ? present : differs(`no jump from ${item.from}`);
}

export const hasJump = (item: ChainItem, survey: Survey): boolean => jumpsTo(item, survey) > 0;

/**
 * In a table that iptables cannot read, the chain as nft shows it: of matches and targets of iptables it knows the name at
 * most, so only the number of rules can be compared. iptables still changes such a table as usual.
 */
function seeUnreadable(item: ChainItem, survey: Survey): State {
  const chain = nativeChain(item, item.chain, survey);
  if (!chain) return absent;
  if (chain.rules.length !== item.rules.length) {
    return differs(`${chain.rules.length} rules, not ${item.rules.length}`);
  }
  return hasJump(item, survey) ? present : differs(`no jump from ${item.from}`);
}

function nativeChain({ family, table }: ChainItem, name: string, { unreadable, native }: Survey): NftChain | undefined {
  const ip = NFT_FAMILY[family];
  if (!unreadable?.includes(`${ip} ${table}`)) return undefined;
  return native?.find((c) => c.family === ip && c.table === table && c.name === name);
}

/** How many jumps there are from the built-in chain to this one. */
export function jumpsTo(item: ChainItem, survey: Survey): number {
  const unread = nativeChain(item, item.from, survey);
  if (unread) {
    const isJump = (statement: Record<string, unknown>) =>
      (statement["jump"] as { target?: string } | undefined)?.target === item.chain;
    return unread.rules.filter(({ expr }) => expr.some(isJump)).length;
  }
  const want = jumpRule(item).join(" ");
  const rules = survey.rules[item.family]?.[item.table]?.[item.from]?.rules ?? [];
  return rules.filter((r) => r.join(" ") === want).length;
}

/** By the names of its chains, the number of their rules, and its mark: nft prints no rule as it was written. */
function seeTable({ name, mark, text }: TableItem, { nftables, native = [] }: Survey): State {
  if (!nftables) return { is: "unknown", how: "the tables could not be read" };
  if (!nftables.includes(name)) return absent;
  const chains = native.filter((c) => `${c.family} ${c.table}` === name);
  const has = chains.flatMap((c) => c.rules).flatMap((r) => r.comment ?? [])[0];
  if (has === undefined || !has.startsWith("crxn:")) {
    return chains.length > 0 ? { is: "foreign", how: "a table of that name is there" } : differs("it is empty");
  }
  if (has !== mark) return differs(`it is ${has}, not ${mark}`);
  const want = rulesIn(text);
  const odd = Object.entries(want).find(([chain, n]) => chains.find((c) => c.name === chain)?.rules.length !== n);
  return odd ? differs(`chain ${odd[0]} has not its ${odd[1]} rules`) : present;
}

/** Rules of each chain of a table as we write it. */
function rulesIn(text: string): Record<string, number> {
  const counts: Record<string, number> = {};
  let chain: string | undefined;
  for (const line of text.split("\n").map((l) => l.trim())) {
    chain = /^chain (\w+) \{$/.exec(line)?.[1] ?? (line === "}" ? undefined : chain);
    if (!chain) continue;
    counts[chain] ??= 0;
    if (line !== "" && !/^(#|type |chain )/.test(line)) counts[chain]! += 1;
  }
  return counts;
}

function seeService(item: ServiceItem, survey: Survey): State {
  const unit = survey.units[item.unit];
  if (!unit || unit.load === "not-found") return absent;
  if (unit.active !== "active") return differs(`${unit.active} (${unit.sub})`);
  if (unit.enabled !== "enabled") return differs(`${unit.enabled}`);
  const changed = [
    ...item.reads.map((path) => ({ path, modified: survey.files[path]?.modified ?? 0 })),
    ...(item.program ? [{ path: item.program, modified: survey.programs?.[item.program]?.modified ?? 0 }] : []),
  ];
  const newer = changed.find(({ modified }) => modified > unit.since && unit.since > 0)?.path;
  return newer ? differs(runsWithOlder(newer)) : present;
}
