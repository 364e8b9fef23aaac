import { contains, overlaps, parseNetwork } from "../gateway/cidr.ts";
import type { Check, CheckInput } from "./check.ts";
import { routeLine } from "./evidence.ts";
import { itemsOf } from "./owner.ts";
import { isTranslatorRoute } from "./prefix_route.ts";
import { itemProblems, outcomeOf, type Problem } from "./problem.ts";
import { kernelTranslators, otherTaygas, ownAddresses, strayTaygas } from "./rivals.ts";

/** Others that want the same. */
export const conflicts: Check = {
  id: "conflicts",
  title: "No other translator is in the way",
  hop: "translator",
  only: "gateway",
  early: true,
  needs: [],
  looksAt:
    "Debian's own tayga.service, tayga with any other config in /etc/tayga or started by hand, Jool (its module, and rules that hand packets to it); routes of the prefix or the pool into other TUN devices, and addresses of either on this machine's own devices.",
  why:
    "Debian 13 starts tayga with a sample config when it is installed. Two translators for one prefix take each other's packets.",
  cure:
    "`systemctl disable --now tayga.service`; stop the other translator, or give one of them another prefix and pool.",
  run: (input) => {
    return outcomeOf([
      ...itemProblems(itemsOf("conflicts", input.blueprint), input),
      ...otherTaygas(input),
      ...strayTaygas(input),
      ...kernelTranslators(input),
      ...ownAddresses(input),
      ...rivals(input),
    ], input);
  },
};

function rivals(input: CheckInput): Problem[] {
  const { blueprint, survey } = input;
  const prefix = parseNetwork(blueprint.config.prefix!)!;
  const pool = parseNetwork(blueprint.config.nat64!.pool)!;
  return survey.routes.filter((r) => {
    const to = parseNetwork(r.to);
    if (!to || r.device === blueprint.translatorDevice || r.table !== "main" || !isTranslatorRoute(r, input)) {
      return false;
    }
    // The overlay's own TUN carries routes as well, but never one of the prefix.
    return contains(prefix, to) || (to.length > 64 && contains(to, prefix)) ||
      (r.family === "inet" && !blueprint.ways.some((w) => w.device === r.device) && to.length >= pool.length &&
        overlaps(pool, to));
  }).map((r) => ({
    found: `another translator has the route "${routeLine(r)}"`,
    want: "one translator for the prefix and the pool",
    fix: [[
      "/usr/sbin/ip",
      r.family === "inet6" ? "-6" : "-4",
      "route",
      "del",
      r.to,
      "dev",
      r.device!,
      "metric",
      String(r.metric),
    ]],
  }));
}
