import type { Check } from "./check.ts";
import { excusedByDevice } from "./device.ts";
import { itemsOf } from "./owner.ts";
import { itemProblems, outcomeOf } from "./problem.ts";
import { routeProblems } from "./route_problems.ts";

/** The way into the translator. */
export const prefixRoute: Check = {
  id: "prefix-route",
  title: "The overlay's slice is routed into the translator",
  hop: "translator",
  only: "gateway",
  needs: [],
  looksAt:
    "The IPv6 route for each overlay network's slice of the prefix; what the kernel answers for a client's packet, and which rule, narrower route or better metric leads it elsewhere (`ip rule`, all tables). With several translators: that the route has a next hop for each, and that the kernel divides clients by their source (net.ipv6.fib_multipath_hash_policy and _fields).",
  why:
    "It leads clients' packets to tayga. Only the slices are routed: with the whole prefix the Internet would reach the machine's other IPv4 networks. A client that meets another translator has another address there.",
  cure:
    "`ip -6 route replace SLICE dev nat64-INSTANCE proto 64`; remove the route that shadows it, or the rule (`ip -6 rule del`).",
  run: (input) => {
    const items = itemsOf("prefix-route", input.blueprint);
    const problems = itemProblems(items, input, excusedByDevice(input));
    return outcomeOf([...problems, ...routeProblems("prefix-route", input)], input);
  },
};
