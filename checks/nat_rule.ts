import { hostAt } from "../gateway/networks.ts";
import type { Way } from "../gateway/overlay_nodes.ts";
import type { Check, CheckInput } from "./check.ts";
import { chainEvidence } from "./evidence.ts";
import { decide } from "./firewall_walk.ts";
import { itemsOf } from "./owner.ts";
import { itemProblems, outcomeOf, type Problem } from "./problem.ts";

/** Source NAT from the pool to the overlay address. */
export const natRule: Check = {
  id: "nat-rule",
  title: "The pool appears in the overlay as one address",
  hop: "forward",
  only: "gateway",
  needs: [],
  looksAt: "CRXN-POSTROUTING of the nat table and the jump to it, and rules of others that decide before it.",
  why: "The overlay knows the gateway's address only: an answer to an address of the pool would have nowhere to go.",
  cure:
    "`crxn up`, which makes the chain in one transaction. Flows that began without it keep their old address until they end.",
  run: (input) => {
    const own = itemProblems(itemsOf("nat-rule", input.blueprint), input);
    return outcomeOf([...own, ...(own.length > 0 ? [] : overtaken(input))], input);
  },
};

function overtaken(input: CheckInput): Problem[] {
  return input.blueprint.ways.flatMap((way) => overtakenAt(way, input));
}

function overtakenAt({ device, networks: [to] }: Way, { blueprint, survey }: CheckInput): Problem[] {
  const nat = survey.rules.inet?.nat;
  if (!nat || !to) return [];
  const source = hostAt(blueprint.config.nat64!.pool, 2);
  const decision = decide(nat, "POSTROUTING", {
    out: device,
    source,
    destination: hostAt(to, 1),
    state: "NEW",
  });
  if (!decision || decision.target === "SNAT" || decision.target === "MASQUERADE") return [];
  return [{
    found: `before crxn's rule another one decides: "${decision.rule?.join(" ") ?? "policy"}" in ${decision.chain}`,
    want: "SNAT of the pool to the overlay address",
    fix: [["crxn", "up", "--yes"]],
    evidence: [chainEvidence("inet", "nat", [...new Set(["POSTROUTING", decision.chain])], survey)],
  }];
}
