import type { Check } from "./check.ts";
import { excusedByDevice } from "./device.ts";
import { itemsOf } from "./owner.ts";
import { itemProblems, outcomeOf } from "./problem.ts";
import { routeProblems } from "./route_problems.ts";

/** The way back into the translator. */
export const poolRoute: Check = {
  id: "pool-route",
  title: "Answers to the pool find the translator",
  hop: "translator",
  only: "gateway",
  needs: [],
  looksAt:
    "The IPv4 routes to nat64.pool and to each address of nat64.maps; what the kernel answers for a packet from the overlay, and which rule or narrower route leads it elsewhere (`ip rule`, all tables).",
  why:
    "An answer from the overlay is addressed to a client's address out of the pool; without the route it never gets back to tayga.",
  cure:
    "`ip route replace POOL dev nat64-INSTANCE proto 64`; remove the route that shadows it, or the rule (`ip rule del`).",
  run: (input) => {
    const items = itemsOf("pool-route", input.blueprint);
    return outcomeOf(
      [...itemProblems(items, input, excusedByDevice(input)), ...routeProblems("pool-route", input)],
      input,
    );
  },
};
