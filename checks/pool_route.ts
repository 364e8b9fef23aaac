import { contains, parseNetwork } from "../gateway/cidr.ts";
import type { Check, CheckInput } from "./check.ts";
import { excusedByDevice } from "./device.ts";
import { routeLine } from "./evidence.ts";
import { itemsOf } from "./owner.ts";
import { isTranslatorRoute } from "./prefix_route.ts";
import { itemProblems, outcomeOf, type Problem } from "./problem.ts";

/** The way back into the translator. */
export const poolRoute: Check = {
  id: "pool-route",
  title: "Answers to the pool find the translator",
  hop: "translator",
  only: "gateway",
  needs: [],
  looksAt:
    "The IPv4 routes to nat64.pool and to each address of nat64.maps, and whether a narrower route takes part of the pool away.",
  why:
    "An answer from the overlay is addressed to a client's address out of the pool; without the route it never gets back to tayga.",
  cure: "`ip route replace POOL dev nat64-INSTANCE proto 64`.",
  run: (input) => {
    const items = itemsOf("pool-route", input.blueprint);
    return outcomeOf([...itemProblems(items, input, excusedByDevice(input)), ...shadows(input)], input);
  },
};

/** A route into another TUN device is another translator's: the check conflicts speaks of it. */
function shadows(input: CheckInput): Problem[] {
  const { blueprint, survey } = input;
  const pool = parseNetwork(blueprint.config.nat64!.pool)!;
  const narrower = survey.routes.filter((r) => {
    const to = parseNetwork(r.to.includes("/") ? r.to : `${r.to}/32`);
    return r.family === "inet" && r.table === "main" && r.device !== blueprint.translatorDevice && to !== undefined &&
      to.length > pool.length && contains(pool, to) && !isTranslatorRoute(r, input);
  });
  return narrower.map((r) => ({
    found: `the route "${routeLine(r)}" takes part of the pool away`,
    want: `no other route inside ${blueprint.config.nat64!.pool}`,
    fix: [[
      "/usr/sbin/ip",
      "route",
      "del",
      ...(r.type === "unicast" ? [] : [r.type]),
      r.to,
      ...(r.device ? ["dev", r.device] : []),
    ]],
  }));
}
