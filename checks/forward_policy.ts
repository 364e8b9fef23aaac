import { run } from "../gateway/action.ts";
import { iptablesOf, jumpRule } from "../gateway/commands.ts";
import type { ChainItem } from "../gateway/item.ts";
import { Path } from "../gateway/names.ts";
import { hasJump } from "../gateway/see.ts";
import type { Check, CheckInput } from "./check.ts";
import { chainEvidence } from "./evidence.ts";
import { decide, type Decision, firewallOwner } from "./firewall_walk.ts";
import { itemsOf } from "./owner.ts";
import { type Forwarded, forwardedPackets } from "./packets.ts";
import { itemProblems, outcomeOf, type Problem } from "./problem.ts";

/** Whether anything on the machine drops what the gateway forwards. */
export const forwardPolicy: Check = {
  id: "forward-policy",
  title: "The firewall passes the gateway's packets",
  hop: "forward",
  early: true,
  needs: [],
  looksAt:
    "The FORWARD chain of both families: crxn's own chain and the jump to it, the chain's policy, and every rule that a packet of the gateway meets on its way, in both directions.",
  why:
    "Docker, ufw and firewalld set the policy of FORWARD to DROP. What no rule accepts is then lost without a trace. Without crxn's chain, clients reach more than the overlay.",
  cure:
    "`crxn up` makes its chain accept where the policy drops. A rule of somebody else's is theirs to change: accept the gateway's packets before it.",
  run: (input) => {
    const chains = itemsOf("forward-policy", input.blueprint).flatMap((i) => i.kind === "chain" ? [i] : []);
    const own = chains.flatMap((item) => chainProblems(item, input));
    // With our chain broken the walk would only say the same again.
    const whole = forwardedPackets(input.blueprint).filter((p) =>
      !own.some((o) => o.items?.some((i) => i.kind === "chain" && i.family === p.family))
    );
    return outcomeOf(
      [...own, ...whole.flatMap((p) => walk(p, chains.find((c) => c.family === p.family), input))],
      input,
    );
  },
};

const isAccept = (rule: string[]) => rule.at(-1) === "ACCEPT";
/** Rules that differ only in ACCEPT and RETURN. */
export const plainRules = (rules: string[][]) =>
  rules.map((r) => (isAccept(r) ? [...r.slice(0, -1), "RETURN"] : r).join(" ")).join("\n");

function chainProblems(item: ChainItem, input: CheckInput): Problem[] {
  const filter = input.survey.rules[item.family]?.filter;
  const chain = filter?.[item.chain];
  if (filter && chain && hasJump(item, input.survey) && plainRules(chain.rules) === plainRules(item.rules)) {
    const wanted = item.rules.some(isAccept);
    if (!wanted || chain.rules.some(isAccept)) return [];
    const owner = firewallOwner(filter);
    return [{
      found: `the policy of ${familyName(item)} FORWARD is ${filter.FORWARD?.policy}${
        owner ? `, set by ${owner}` : ""
      }, and no rule accepts the gateway's packets`,
      want: `${item.chain} that accepts them`,
      items: [item, ...input.blueprint.items.filter((i) => i.kind === "file" && i.path === Path.rules[item.family])],
      evidence: [chainEvidence(item.family, "filter", ["FORWARD", item.chain], input.survey)],
    }];
  }
  return itemProblems([item], input);
}

const familyName = ({ family }: { family: ChainItem["family"] }) => family === "inet6" ? "IPv6" : "IPv4";

function walk(forwarded: Forwarded, item: ChainItem | undefined, input: CheckInput): Problem[] {
  const { family, name, packet } = forwarded;
  const filter = input.survey.rules[family]?.filter;
  if (!filter) {
    if (input.survey.rules[family]) return [];
    return [{
      found: `the ${familyName({ family })} rules could not be read${input.survey.root ? "" : " (root only)"}`,
      verdict: "unknown",
    }];
  }
  const decision = decide(filter, "FORWARD", packet);
  if (!decision || !["DROP", "REJECT"].includes(decision.target)) return [];
  const problem: Problem = {
    found: `packets ${name} are dropped by ${placeOf(decision, firewallOwner(filter))}`,
    want: `packets ${name} passed`,
    evidence: [chainEvidence(family, "filter", [...new Set(["FORWARD", decision.chain])], input.survey)],
  };
  // A rule on the way that asks for more than is known may have accepted the packet.
  if (decision.doubts.includes("ACCEPT")) {
    return [{ ...problem, verdict: "warn", found: `${problem.found}, unless a rule before it accepts them` }];
  }
  return [{ ...problem, ...cure(decision, item, forwarded, input) }];
}

function placeOf({ rule, chain }: Decision, owner: string | undefined): string {
  const by = owner ? ` (${owner})` : "";
  return rule ? `the rule "${rule.join(" ")}" in ${chain}${by}` : `the policy of ${chain}${by}`;
}

/**
 * Where our chain accepts, its jump only has to be in front. Where it lets pass, a rule of somebody else's is theirs to change: the
 * commands put an accept between our chain, which guards the overlay, and that rule.
 */
function cure(
  decision: Decision,
  item: ChainItem | undefined,
  { family, packet }: Forwarded,
  { survey }: CheckInput,
): Pick<Problem, "steps" | "fix"> {
  const call = [iptablesOf(family), "-w"];
  const rules = survey.rules[family]?.filter?.FORWARD?.rules ?? [];
  const jump = item ? rules.findIndex((r) => r.join(" ") === jumpRule(item).join(" ")) : -1;
  const inFront = item && decision.top < jump
    ? [[...call, "-I", "FORWARD", "1", ...jumpRule(item)], [...call, "-D", "FORWARD", String(jump + 2)]]
    : [];
  if (item?.rules.some(isAccept) && inFront.length > 0) {
    return { steps: [{ title: `put the jump to ${item.chain} in front`, actions: inFront.map((argv) => run(argv)) }] };
  }
  const match = [...(packet.in ? ["-i", packet.in] : []), ...(packet.out ? ["-o", packet.out] : [])];
  const position = inFront.length > 0 ? 2 : jump + 2;
  return { fix: [...inFront, [...call, "-I", "FORWARD", String(position), ...match, "-j", "ACCEPT"]] };
}
