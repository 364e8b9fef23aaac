import { contains, parseNetwork } from "../gateway/cidr.ts";
import type { Check } from "./check.ts";
import { routeLine } from "./evidence.ts";
import { outcomeOf } from "./problem.ts";

/** Whether the provider really routes the network here. */
export const prefixRouted: Check = {
  id: "prefix-routed",
  title: "The network of the prefix is routed to this machine",
  hop: "uplink",
  only: "gateway",
  early: true,
  needs: [],
  looksAt:
    "Whether `routed` is the uplink's own network. Whether the provider sends its packets here would take listening on the uplink, which is not done yet.",
  why:
    "A network that is only on-link is asked for by neighbour solicitation, address by address, and nobody answers for addresses behind the translator.",
  cure: "Have the provider route a network to this machine's address, or let ndppd answer for it.",
  run: (input) => {
    const { blueprint, survey } = input;
    const routed = parseNetwork(blueprint.config.routed!)!;
    const onLink = survey.routes.filter((r) => {
      const to = parseNetwork(r.to);
      return r.family === "inet6" && r.type === "unicast" && !r.via && r.device === blueprint.facts.uplink.name &&
        to !== undefined &&
        r.table === "main" && contains(to, routed);
    });
    if (onLink.length === 0) return { verdict: "skip", found: "not measured by this version of crxn" };
    return outcomeOf(
      onLink.map((r) => ({
        verdict: "warn" as const,
        found: `${blueprint.config.routed} lies in the uplink's own network: "${routeLine(r)}"`,
        want: "a network that is routed to this machine, or ndppd answering for it",
      })),
      input,
    );
  },
};
