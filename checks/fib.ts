/**
 * The kernel's route lookup, by the rules and routes of a survey. The kernel itself is asked as well (`RouteAnswer`), but it
 * does not say which rule decided; this does. Pure. ip-rule(8), ip-route(8).
 */

import { contains, type Network, parseEither } from "../gateway/cidr.ts";
import type { Family } from "../gateway/item.ts";
import { Prefixes } from "../gateway/prefixes.ts";
import { linkOf, type PolicySeen, type RouteSeen, type Survey } from "../gateway/survey.ts";
import type { Flow } from "./flow.ts";

export interface Lookup {
  /** Of the route or the rule that decided; `none` when no rule led to one. */
  type: string;
  /** By which the packet may leave: several for a route with several next hops. */
  devices: string[];
  route?: RouteSeen;
  rule?: PolicySeen;
  /** A `throw` route on the way, which ended the search in its table. */
  thrown?: RouteSeen;
}

/** What a machine has without anybody's doing. */
export const STANDARD: Record<number, string> = { 0: "local", 32766: "main", 32767: "default" };

export const isStandard = (rule: PolicySeen): boolean =>
  rule.action === "lookup" && rule.table !== undefined && STANDARD[rule.priority] === rule.table && !rule.from &&
  !rule.to && !rule.iif && !rule.mark && !rule.not && !rule.also && !rule.odd && rule.suppress === undefined;

const standard = (family: Family): PolicySeen[] =>
  Object.entries(STANDARD).map(([priority, table]) => ({
    family,
    priority: Number(priority),
    action: "lookup",
    table,
  }));

export const networkOf = (text: string, family: Family): Network | undefined => {
  if (text === "default") return { family: family === "inet6" ? 6 : 4, value: 0n, length: 0 };
  return parseEither(text);
};

const inside = (network: string, address: string | undefined, family: Family): boolean => {
  const outer = networkOf(network, family);
  const inner = address === undefined ? undefined : networkOf(address, family);
  return outer !== undefined && inner !== undefined && contains(outer, inner);
};

export function lookup(survey: Survey, flow: Flow): Lookup {
  const { family } = flow;
  const seen = survey.policies?.filter((p) => p.family === family) ?? [];
  const rules = seen.length > 0 ? seen : standard(family);
  let from = -1;
  const thrown: Pick<Lookup, "thrown"> = {};
  for (const rule of rules) {
    if (rule.priority < from || !ruleMatches(rule, flow, survey)) continue;
    if (rule.action === "goto") {
      from = rule.goto ?? from;
      continue;
    }
    if (rule.action === "nop") continue;
    if (rule.action !== "lookup" && rule.action !== "l3mdev") {
      return { type: rule.action, devices: [], rule, ...thrown };
    }
    const table = rule.action === "l3mdev" ? vrfTable(flow, survey) : rule.table;
    const route = table === undefined ? undefined : best(survey.routes, table, flow);
    if (route?.type === "throw") thrown.thrown ??= route;
    if (!route || route.type === "throw") continue;
    if (rule.suppress !== undefined && networkOf(route.to, family)!.length <= rule.suppress) continue;
    const devices = route.hops ? route.hops.flatMap((h) => h.device ?? []) : route.device ? [route.device] : [];
    return { type: route.type, devices, route, rule, ...thrown };
  }
  return { type: "none", devices: [], ...thrown };
}

/** `oif` is for sockets that are bound to a device: nothing that is forwarded has it. */
export function ruleMatches(rule: PolicySeen, flow: Flow, survey: Survey): boolean {
  if (rule.odd || rule.oif) return false;
  if (rule.action === "l3mdev") return vrfTable(flow, survey) !== undefined;
  const also = flow.also?.join(" ");
  const all = (rule.from === undefined || inside(rule.from, flow.from, flow.family)) &&
    (rule.to === undefined || inside(rule.to, flow.to, flow.family)) &&
    // The machine's own packets count as coming in by lo.
    (rule.iif === undefined || rule.iif === (flow.iif ?? "lo")) &&
    (rule.mark === undefined || ((flow.mark ?? 0) & rule.mark.mask) >>> 0 === rule.mark.value) &&
    (rule.also === undefined || rule.also.join(" ") === also);
  return rule.not ? !all : all;
}

/** The table of the VRF that the device belongs to. */
function vrfTable({ iif }: Flow, survey: Survey): string | undefined {
  const master = iif === undefined ? undefined : linkOf(survey, iif)?.master;
  const vrf = master === undefined ? undefined : linkOf(survey, master);
  const table = vrf?.kind === "vrf" ? vrf.data["table"] : undefined;
  return table === undefined ? undefined : String(table);
}

/** The longest prefix, then the lowest metric. */
function best(routes: RouteSeen[], table: string, flow: Flow): RouteSeen | undefined {
  const { family } = flow;
  const length = (r: RouteSeen) => networkOf(r.to, family)!.length;
  const to = networkOf(flow.to, family);
  const holding = to === undefined ? [] : indexOf(routes)[family].holding(to);
  return holding.filter((r) =>
    r.table === table &&
    (r.from === undefined || inside(r.from, flow.from, family)) && !r.flags?.includes("dead") &&
    !["broadcast", "multicast", "anycast"].includes(r.type)
  ).sort((a, b) => length(b) - length(a) || a.metric - b.metric)[0];
}

/** Of a thousand routes a few hold an address; they are looked for again and again. */
const indexes = new WeakMap<RouteSeen[], { length: number } & Record<Family, Prefixes<RouteSeen>>>();

function indexOf(routes: RouteSeen[]): Record<Family, Prefixes<RouteSeen>> {
  const known = indexes.get(routes);
  if (known?.length === routes.length) return known;
  const index = { length: routes.length, inet: new Prefixes<RouteSeen>(), inet6: new Prefixes<RouteSeen>() };
  for (const route of routes) {
    const network = networkOf(route.to, route.family);
    if (network) index[route.family].add(network, route);
  }
  indexes.set(routes, index);
  return index;
}

/** A rule as `ip rule` takes it, without the priority. */
export function ruleWords(rule: PolicySeen): string[] {
  const { mark } = rule;
  const mask = mark && mark.mask !== 0xffffffff ? `/0x${mark.mask.toString(16)}` : "";
  return [
    ...(rule.not ? ["not"] : []),
    ...["from", rule.from ?? "all"],
    ...(rule.to ? ["to", rule.to] : []),
    ...(mark ? ["fwmark", `0x${mark.value.toString(16)}${mask}`] : []),
    ...(rule.iif ? ["iif", rule.iif] : []),
    ...(rule.oif ? ["oif", rule.oif] : []),
    ...(rule.also ?? []),
    ...(rule.action === "lookup"
      ? ["lookup", rule.table!]
      : rule.action === "goto"
      ? ["goto", String(rule.goto)]
      : [rule.action]),
    ...(rule.suppress === undefined ? [] : ["suppress_prefixlength", String(rule.suppress)]),
  ];
}

export const ruleLine = (rule: PolicySeen): string => `${rule.priority}: ${ruleWords(rule).join(" ")}`;
