import { contains, host, type Network, parseAddress, parseNetwork } from "../gateway/cidr.ts";
import type { RouteItem } from "../gateway/item.ts";
import { linkOf, type RouteSeen } from "../gateway/survey.ts";
import type { Check, CheckInput } from "./check.ts";
import { excusedByDevice } from "./device.ts";
import { routeLine } from "./evidence.ts";
import { itemsOf } from "./owner.ts";
import { itemProblems, outcomeOf, type Problem } from "./problem.ts";

/** The way into the translator. */
export const prefixRoute: Check = {
  id: "prefix-route",
  title: "The overlay's slice is routed into the translator",
  hop: "translator",
  only: "gateway",
  needs: [],
  looksAt:
    "The IPv6 route for each overlay network's slice of the prefix, and whether a narrower or better one takes packets away from it.",
  why:
    "It leads clients' packets to tayga. Only the slices are routed: with the whole prefix the Internet would reach the machine's other IPv4 networks.",
  cure: "`ip -6 route replace SLICE dev nat64-INSTANCE proto 64`; remove the route that shadows it.",
  run: (input) => {
    const items = itemsOf("prefix-route", input.blueprint).flatMap((i) => i.kind === "route" ? [i] : []);
    const problems = itemProblems(items, input, excusedByDevice(input));
    return outcomeOf([...problems, ...items.flatMap((item) => shadowsOf(item, input))], input);
  },
};

const networkOf = (text: string): Network | undefined => {
  const address = parseAddress(text);
  return address ? host(address) : parseNetwork(text);
};

/** Routes of the main table that win over `item` for some of its addresses. */
export function winners(item: RouteItem, { survey }: CheckInput): RouteSeen[] {
  const slice = networkOf(item.to)!;
  return survey.routes.filter((r) => {
    const to = networkOf(r.to);
    if (r.family !== "inet6" || r.table !== "main" || r.device === item.device || !to || !contains(slice, to)) {
      return false;
    }
    return to.length > slice.length || r.metric < (item.metric ?? 1024);
  });
}

/** Other TUN devices are other translators: the check conflicts speaks of them. */
export const isTranslatorRoute = (route: RouteSeen, { survey }: CheckInput): boolean =>
  route.type === "unicast" && route.device !== undefined && linkOf(survey, route.device)?.kind === "tun";

const shadowsOf = (item: RouteItem, input: CheckInput): Problem[] =>
  winners(item, input).filter((r) => !isTranslatorRoute(r, input)).map((r) => ({
    found: `the route "${routeLine(r)}" wins over the one into the translator`,
    want: `no other route inside ${item.to}`,
    fix: [[
      "/usr/sbin/ip",
      "-6",
      "route",
      "del",
      ...(r.type === "unicast" ? [] : [r.type]),
      r.to,
      ...(r.device ? ["dev", r.device] : []),
      "metric",
      String(r.metric),
    ]],
  }));
