import type { ChainItem } from "../gateway/item.ts";
import { hasJump } from "../gateway/see_rules.ts";
import { linkOf } from "../gateway/survey.ts";
import type { Check, CheckInput } from "./check.ts";
import { excusedByFlush } from "./flushed.ts";
import { itemsOf } from "./owner.ts";
import { itemProblems, outcomeOf } from "./problem.ts";

/** The size that TCP connections are told to keep. */
export const mssClamp: Check = {
  id: "mss-clamp",
  title: "TCP segments are held to a size that passes",
  hop: "forward",
  only: "gateway",
  needs: [],
  looksAt:
    "CRXN-FORWARD of the mangle table, IPv4 and IPv6, both directions, and its value against the MTU of uplink and overlay link.",
  why:
    "Without it a connection opens and then hangs at the first large packet, wherever on the way somebody drops ICMP errors.",
  cure: "`crxn up`. `nat64.mss` in crxn.yaml sets another value, or switches it off.",
  run: (input) => {
    const items = itemsOf("mss-clamp", input.blueprint);
    if (items.length === 0) return { verdict: "skip", found: "crxn.yaml switches it off (nat64.mss)" };
    const doubtful = items.filter((i) => !(i.kind === "chain" && sameButForSize(i, input)));
    // Small packets pass without it.
    return outcomeOf(
      itemProblems(doubtful, input, excusedByFlush(input)).map((p) => ({ ...p, carries: true as const })),
      input,
    );
  },
};

/** While a link is away its MTU is not known, and the right size with it. */
export function sameButForSize(item: ChainItem, { blueprint, survey }: CheckInput): boolean {
  if (linkOf(survey, blueprint.overlayDevice) && linkOf(survey, blueprint.facts.uplink.name)) return false;
  const chain = survey.rules[item.family]?.mangle?.[item.chain];
  const plain = (rules: string[][]) => rules.map((r) => r.join(" ").replace(/--set-mss \d+/, "--set-mss N")).join("\n");
  return chain !== undefined && hasJump(item, survey) && plain(chain.rules) === plain(item.rules);
}
