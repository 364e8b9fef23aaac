/** Is an item there? The one question that `up`, `down`, `status` and `doctor` ask of a survey. Pure. */

import { runsWithOlder, seeProgram } from "./daemon.ts";
import type { AddressItem, FileItem, Item, LinkItem, RouteItem, ServiceItem } from "./item.ts";
import { OWN_PROTOCOL } from "./names.ts";
import { canonicalNetwork } from "./networks.ts";
import { seeChain, seeTable } from "./see_rules.ts";
import { absent, differs, present, type State } from "./state.ts";
import { isUnread, linkOf, type RouteSeen, type Survey } from "./survey.ts";

/** Every machine has some of what was asked for: none at all is no answer. */
const silent = (program: string): State => ({ is: "unknown", how: `${program} does not answer` });
export function see(item: Item, survey: Survey): State {
  switch (item.kind) {
    case "package":
      if (!survey.packages) return { is: "unknown", how: "dpkg did not answer" };
      return survey.packages[item.name] ? present : absent;
    case "program":
      return seeProgram(item, survey);
    case "file":
      return seeFile(item, survey);
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

function seeFile({ path, content, mode, filledBy }: FileItem, survey: Survey): State {
  const file = survey.files[path];
  if (file === undefined) return { is: "unknown", how: "not looked at" };
  if (file === null) return absent;
  if (filledBy !== undefined) return present;
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
  // A translator's device its own unit makes anew at each start.
  if (spec.type === "tun" && link.data["persist"] !== true) return differs("it would go with its daemon");
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
  const candidates = byDestination(survey.routes).get(to) ?? [];
  return candidates.filter((r) => r.family === item.family && r.table === "main" && r.to === to && r.metric === metric);
}

/** A thousand routes are looked for among as many. */
const indexes = new WeakMap<RouteSeen[], { length: number; routes: Map<string, RouteSeen[]> }>();

function byDestination(routes: RouteSeen[]): Map<string, RouteSeen[]> {
  const known = indexes.get(routes);
  if (known?.length === routes.length) return known.routes;
  const index = Map.groupBy(routes, (r) => r.to);
  indexes.set(routes, { length: routes.length, routes: index });
  return index;
}

/** The kernel tells next hops in the order in which they were given; which of them a packet takes depends on it. */
const hopWords = (hops: RouteSeen["hops"] = []) =>
  hops.map((h) => `${h.via ? `via ${h.via} ` : ""}dev ${h.device}`).join(", ");

function seeRoute(item: RouteItem, survey: Survey): State {
  const there = routesAt(item, survey);
  const matches = (r: RouteSeen) =>
    r.type === item.type && (item.type !== "unicast" || r.device === item.device) &&
    (r.via ?? "") === (item.via ?? "") && hopWords(r.hops) === hopWords(item.hops);
  // One that does the same job is as good as ours; `down` leaves it, for we did not make it.
  if (there.some(matches)) return present;
  const [other] = there;
  const isKnown = !isUnread(survey, "routes") && (survey.routes.length > 0 || survey.links.length > 0);
  if (!other) return isKnown ? absent : silent("ip");
  const how = `${other.type === "unicast" ? "" : other.type + " "}${other.via ? "via " + other.via + " " : ""}` +
    `${other.hops ? hopWords(other.hops) : `dev ${other.device ?? "-"}`} proto ${other.protocol}`;
  return other.protocol === OWN_PROTOCOL ? differs(how) : { is: "foreign", how };
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
