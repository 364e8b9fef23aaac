/** What is wrong with the way of each packet: by the kernel's own answers where there are any, and whose doing it is. Pure. */

import { devicesUnder } from "../gateway/devices_under.ts";
import type { AddressItem, Item, RouteItem } from "../gateway/item.ts";
import { Prefixes } from "../gateway/prefixes.ts";
import { restored } from "./restored.ts";
import { see } from "../gateway/see.ts";
import { defaultUplink, linkOf, type PolicySeen } from "../gateway/survey.ts";
import type { CheckInput } from "./check.ts";
import { isStandard, type Lookup, lookup, networkOf, ruleLine } from "./fib.ts";
import { type Flow, type RouteAnswer, sameFlow } from "./flow.ts";
import { type Leg, legsOf } from "./legs.ts";
import { routeLine } from "./evidence.ts";

export interface RouteFault {
  leg: Leg;
  /**
   * `route`: a rule or a route leads it elsewhere. `source`: the kernel drops it for its source (rp_filter). `unexplained`: the
   * kernel says so, and nothing that the survey shows does.
   */
  kind: "route" | "source" | "unexplained";
  /** What decided, as far as rules and routes tell; of a `source` fault: the way back to the source. */
  decided: Lookup;
  answer?: RouteAnswer;
}

type Input = Pick<CheckInput, "blueprint" | "survey" | "answers">;

/** Several checks ask for the same: `runChecks` has an input of its own for each run. */
const known = new WeakMap<Input, RouteFault[]>();

/**
 * Of a leg that lacks its own route, address or device the checks of these speak; here only what would still be wrong with them
 * back in place.
 */
export function routeFaults(input: Input): RouteFault[] {
  const before = known.get(input);
  if (before) return before;
  let later: Input | undefined;
  const faults = legsOf(input).flatMap((leg) => {
    if (isReady(leg, input)) return judged(leg, input) ?? [];
    if (!isRestorable(leg, input)) return [];
    later ??= { blueprint: input.blueprint, survey: restored(input) };
    return judged(leg, later) ?? [];
  });
  known.set(input, faults);
  return faults;
}

/** How rp_filter counts for a device: the higher of its own and that of `all`. Undefined where it was not read. */
export function sourceCheck({ survey }: Pick<CheckInput, "survey">, device: string): number | undefined {
  const [all, own] = ["all", device].map((d) => survey.sysctls[`net/ipv4/conf/${d}/rp_filter`]);
  return all === undefined || own === undefined ? undefined : Math.max(Number(all), Number(own));
}

function judged(leg: Leg, input: Input): RouteFault | undefined {
  const { flow } = leg;
  const answer = input.answers?.find((a) => sameFlow(a.flow, flow) && a.flow.family === flow.family);
  const decided = lookup(input.survey, flow);
  const back = backOf(leg, input);
  const dropped = back !== undefined && !back.devices.includes(flow.iif!);
  if (!answer) {
    // Who was not told of the table local cannot say what is not in it.
    if (leg.want === "local" && !input.survey.routes.some((r) => r.table === "local")) return undefined;
    if (!asWanted(leg, decided)) return { leg, kind: "route", decided };
    return dropped ? { leg, kind: "source", decided: back } : undefined;
  }
  // Of several next hops the kernel names the one that this packet would take.
  const split = decided.devices.length > 1 && decided.devices.includes(answer.device ?? "");
  if (split ? asWanted(leg, decided) : answerAsWanted(leg, answer)) return undefined;
  if (!asWanted(leg, decided)) return { leg, kind: "route", decided, answer };
  if (isForwardingOff(flow, answer, input)) return undefined;
  // From Linux 6.13 on it says EINVAL for what was EXDEV before.
  const refused = answer.error !== undefined && /^Invalid (cross-device link|argument)/.test(answer.error);
  if (refused && back) return { leg, kind: "source", decided: back, answer };
  return { leg, kind: "unexplained", decided, answer };
}

/** Of several next hops every one has to be right; but uplinks may be several. */
const asWanted = ({ want, check }: Leg, { type, devices }: Lookup): boolean => {
  if (want === "nowhere") return type !== "unicast" && type !== "local";
  if (want === "local") return type === "local";
  const right = [want.device, ...want.besides ?? []];
  if (type !== "unicast" || !devices.some((d) => right.includes(d))) return false;
  return check === "uplink" || devices.every((d) => right.includes(d));
};

const answerAsWanted = (leg: Leg, { type = "none", device }: RouteAnswer): boolean =>
  asWanted(leg, { type, devices: device ? [device] : [] });

/** The way back to a packet's source, which counts where rp_filter does. It is looked up without the packet's mark. */
function backOf({ flow, want }: Leg, input: Input): Lookup | undefined {
  const { family, iif, from, to } = flow;
  if (family !== "inet" || iif === undefined || from === undefined || want === "nowhere") return undefined;
  if (!sourceCheck(input, iif)) return undefined;
  const out = want === "local" ? {} : { iif: want.device };
  const valid = ["all", iif].some((d) => input.survey.sysctls[`net/ipv4/conf/${d}/src_valid_mark`] === "1");
  return lookup(input.survey, {
    family,
    to: from,
    from: to,
    ...out,
    ...(valid && flow.mark ? { mark: flow.mark } : {}),
  });
}

/** The check forwarding-sysctl speaks of that. */
const isForwardingOff = ({ family, iif }: Flow, { error }: RouteAnswer, { survey }: Input): boolean =>
  family === "inet" && iif !== undefined && error === "No route to host" &&
  [`net/ipv4/ip_forward`, `net/ipv4/conf/${iif}/forwarding`].some((key) => survey.sysctls[key] === "0");

/** The yggdrasil daemon's own route and the default route are not crxn's: what is to be there instead cannot be told. */
const isRestorable = ({ check, want }: Leg, { survey }: Input): boolean =>
  check === "uplink"
    ? typeof want === "object" && linkOf(survey, want.device)?.up === true && defaultUplink(survey) !== undefined
    : check !== "tunnel-routing";

function isReady({ check, flow, want }: Leg, { blueprint, survey }: Input): boolean {
  const devices = [...(flow.iif ? [flow.iif] : []), ...(typeof want === "object" ? [want.device] : [])];
  if (devices.some((d) => !linkOf(survey, d)?.up)) return false;
  // That route is the daemon's own.
  if (check === "tunnel-routing") return true;
  if (check === "uplink") return defaultUplink(survey) !== undefined;
  const wanted = wantedIn(blueprint.items);
  const leading = (to: string, test: (item: RouteItem) => boolean) =>
    wanted.routes.holding(networkOf(to, flow.family)!).filter((i) => i.family === flow.family && test(i));
  const here = (test: (item: RouteItem) => boolean) => leading(flow.to, test);
  const present = (items: RouteItem[]) => items.length > 0 && items.every((i) => see(i, survey).is === "present");
  // Where rp_filter counts, so does the route back.
  const { family, from, iif } = flow;
  if (family === "inet" && from && iif && sourceCheck({ survey }, iif)) {
    if (!present(leading(from, (i) => i.type === "unicast" && i.device === iif))) return false;
  }
  if (want === "nowhere") return present(here((i) => i.type === "blackhole"));
  if (check.startsWith("overlay-") && wanted.addresses.some((i) => see(i, survey).is !== "present")) return false;
  return want === "local" || present(here((i) => i.type === "unicast" && devicesUnder(i).includes(want.device)));
}

interface Wanted {
  addresses: AddressItem[];
  routes: Prefixes<RouteItem>;
}

/** Of a thousand routes that are to be there, few lead to one address. */
const knownItems = new WeakMap<Item[], Wanted>();

function wantedIn(items: Item[]): Wanted {
  const before = knownItems.get(items);
  if (before) return before;
  const wanted: Wanted = { addresses: [], routes: new Prefixes() };
  for (const item of items) {
    if (item.kind === "address") wanted.addresses.push(item);
    if (item.kind === "route") wanted.routes.add(networkOf(item.to, item.family)!, item);
  }
  knownItems.set(items, wanted);
  return wanted;
}

/** The rule to blame, if it is one: a rule that leads to the table main has only found there what everybody would. */
export const blamed = ({ decided: { rule } }: RouteFault): PolicySeen | undefined =>
  rule && !isStandard(rule) && !(rule.action === "lookup" && rule.table === "main") ? rule : undefined;

/** Whose doing it is, in a word that two faults of one cause have in common. */
export function culpritOf(fault: RouteFault): string {
  const { kind, decided, leg } = fault;
  const rule = blamed(fault);
  if (kind === "unexplained") return `${leg.check} ${leg.name}`;
  if (rule) return `${rule.family} rule "${ruleLine(rule)}"`;
  const route = decided.type === "none" ? decided.thrown : decided.route;
  return route ? `${route.family} route "${routeLine(route)}"` : `lack of a route for ${leg.flow.to}`;
}
