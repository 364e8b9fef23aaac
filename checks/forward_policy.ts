import { run } from "../gateway/action.ts";
import { iptablesOf, jumpRule } from "../gateway/commands.ts";
import type { ChainItem } from "../gateway/item.ts";
import { type BaseChain, baseChains } from "../gateway/netfilter/base_chains.ts";
import { decide, type Table } from "../gateway/netfilter/iptables_walk.ts";
import { isDoubtful, isDrop } from "../gateway/netfilter/packet.ts";
import { forwardedPackets, type PacketKind } from "../gateway/netfilter/packets.ts";
import { dropOf, type Verdict } from "../gateway/netfilter/path.ts";
import { withoutOwn } from "../gateway/netfilter/drops.ts";
import { sameRules } from "../gateway/rule.ts";
import { hasJump } from "../gateway/see_rules.ts";
import type { Step } from "../gateway/step.ts";
import type { Check, CheckInput } from "./check.ts";
import { chainEvidence } from "./evidence.ts";
import { acceptCommands } from "./firewall_cure.ts";
import { byPlace, packetsText, placeEvidence, placeText } from "./firewall_text.ts";
import { queueProblems } from "./firewall_queue.ts";
import { flushedProblem, isFlushed } from "./flushed.ts";
import { tracedProblems } from "./traced.ts";
import { unreadProblems } from "./firewall_unread.ts";
import { untrackedProblems } from "./untracked.ts";
import { itemsOf } from "./owner.ts";
import { kindsToTarget, withTarget } from "./probe_kinds.ts";
import { itemProblems, outcomeOf, type Problem, withFile } from "./problem.ts";

/** Whether anything on the machine drops what the gateway forwards. */
export const forwardPolicy: Check = {
  id: "forward-policy",
  title: "The firewall passes the gateway's packets",
  hop: "forward",
  early: true,
  needs: [],
  looksAt:
    "crxn's own FORWARD chains and the jumps to them; then every chain that a packet of the gateway meets on its way, in both directions and families, from ingress to egress in the order of priorities: those of iptables-nft, of iptables-legacy and of native nftables, with their policies and rules; and what the kernel's trace of a lost probe names.",
  why:
    "A drop in any of these chains is final, whatever another one accepts. Docker, ufw and firewalld drop in FORWARD what nobody accepted, and what is dropped is lost without a trace. Without crxn's chain, clients reach more than the overlay.",
  cure:
    "`crxn up` makes its chain accept where a policy or a rule of the same iptables chain drops. All else is somebody else's to change: the commands accept the gateway's packets there.",
  run: (input) => {
    const chains = itemsOf("forward-policy", input.blueprint).flatMap((i) => i.kind === "chain" ? [i] : []);
    const flushed = isFlushed(input);
    const own = flushed ? [flushedProblem(input)] : chains.flatMap((item) => chainProblems(item, input));
    const broken = new Set(own.flatMap((p) => p.items ?? []).flatMap((i) => i.kind === "chain" ? [i.family] : []));
    const problems = [
      ...own,
      ...unreadProblems(input),
      ...untrackedProblems("inet6", input),
      ...dropProblems(chains, broken, input),
      ...queueProblems(kindsOf(input), input),
    ];
    const failing = problems.some((p) => (p.verdict ?? "fail") === "fail" && !p.excuse);
    // What no rule that can be read explains, such as a member of a set, the kernel's trace does.
    return outcomeOf(failing ? problems : [...problems, ...tracedProblems(input)], input);
  },
};

const kindsOf = ({ survey, blueprint: { config, ways, facts } }: CheckInput) =>
  forwardedPackets({ config, ways, uplink: facts.uplink.name, survey });

const isAccept = (rule: string[]) => rule.at(-1) === "ACCEPT";
/** Whether rules differ in nothing but ACCEPT and RETURN. */
export const alikeRules = (a: string[][], b: string[][]): boolean => sameRules(a, b) || plainRules(a) === plainRules(b);

export const plainRules = (rules: string[][]) =>
  rules.map((r) => (isAccept(r) ? [...r.slice(0, -1), "RETURN"] : r).join(" ")).join("\n");

function chainProblems(item: ChainItem, input: CheckInput): Problem[] {
  const filter = input.survey.rules[item.family]?.filter;
  const chain = filter?.[item.chain];
  if (!filter || !chain || !hasJump(item, input.survey) || !alikeRules(chain.rules, item.rules)) {
    return itemProblems([item], input);
  }
  if (!item.rules.some(isAccept) || chain.rules.some(isAccept)) return [];
  return [{
    found: `${whoDrops(item, filter, input)}, and no rule before accepts the gateway's packets`,
    want: `${item.chain} that accepts them`,
    items: withFile(item, input),
    steps: overtaking(item, filter, input),
    evidence: [chainEvidence(item.family, "filter", ["FORWARD", item.chain], input.survey)],
  }];
}

const kindsFor = ({ family }: ChainItem, input: CheckInput) => kindsOf(input).filter((k) => k.family === family);

/** The policy or the rule for which our chain has to accept. */
function whoDrops(item: ChainItem, filter: Table, input: CheckInput): string {
  const base = baseChains(input.survey, item.family).find((c) =>
    c.backend === "iptables" && c.table === "filter" && c.hook === "forward"
  )!;
  const others = withoutOwn(filter, "FORWARD");
  const found = kindsFor(item, input).flatMap((kind) => {
    const decision = decide(others, "FORWARD", kind.packet);
    return decision && isDrop(decision) ? [{ kind, verdict: { base, decision } }] : [];
  });
  if (found.length === 0) {
    const policy = { target: "DROP", chain: "FORWARD", top: 0, doubts: [] };
    return `dropped by default by ${placeText({ base, decision: policy }, input.survey)}`;
  }
  return byPlace(found).map(({ kinds, verdict }) =>
    `${packetsText(kinds, kindsFor(item, input))} are dropped by ${placeText(verdict, input.survey)}`
  ).join("; ");
}

/** Where what drops stands before our jump, accepting in our chain is not enough. */
function overtaking(item: ChainItem, filter: Table, input: CheckInput): Step[] {
  const table = { ...filter, [item.chain]: { name: item.chain, rules: item.rules } };
  const jump = jumpAt(item, table);
  const before = kindsFor(item, input).some(({ packet }) => {
    const decision = decide(table, "FORWARD", packet);
    return decision !== undefined && isDrop(decision) && decision.top < jump;
  });
  return before ? [jumpInFront(item, jump)] : [];
}

const jumpAt = (item: ChainItem, table: Table | undefined): number =>
  (table?.["FORWARD"]?.rules ?? []).findIndex((r) => r.join(" ") === jumpRule(item).join(" "));

const jumpInFront = (item: ChainItem, jump: number): Step => {
  const call = [iptablesOf(item.family), "-w"];
  const argvs = [[...call, "-I", "FORWARD", "1", ...jumpRule(item)], [...call, "-D", "FORWARD", String(jump + 2)]];
  return { title: `put the jump to ${item.chain} in front`, actions: argvs.map((argv) => run(argv)) };
};

/** @param broken families whose FORWARD chain was spoken of already */
function dropProblems(chains: ChainItem[], broken: Set<string>, input: CheckInput): Problem[] {
  const all = kindsOf(input);
  const isBroken = (base: BaseChain, { family }: PacketKind) =>
    broken.has(family) && base.backend === "iptables" && base.table === "filter" && base.hook === "forward";
  const bases = { inet: baseChains(input.survey, "inet"), inet6: baseChains(input.survey, "inet6") };
  const dropped = (kinds: PacketKind[]) =>
    kinds.flatMap((kind) => {
      const verdict = dropOf(bases[kind.family].filter((base) => !isBroken(base, kind)), kind);
      return verdict ? [{ kind, verdict }] : [];
    });
  const found = withTarget(dropped(all), dropped(kindsToTarget(input)));
  const behind = behindNode(input);
  return byPlace(found).map(({ kinds, verdict }): Problem => {
    const what = packetsText(kinds, all);
    const problem: Problem = {
      found: `${what} are dropped by ${placeText(verdict, input.survey)}`,
      want: `${what} passed`,
      evidence: [placeEvidence(verdict, input)],
    };
    // A rule on the way that asks for more than is known may have accepted the packet.
    if (isDoubtful(verdict.decision)) {
      return { ...problem, verdict: "warn", found: `${problem.found}, unless a rule before it accepts them` };
    }
    const mended = { ...problem, ...cure(verdict, kinds, chains, input) };
    if (behind !== "unknown") return mended;
    const found = `${problem.found}; that matters if networks behind this node are to be reached`;
    return { ...mended, verdict: "warn", carries: true, found };
  });
}

/** A node of which the config does not say what is behind it may have to forward nothing at all. */
function behindNode({ blueprint: { config } }: CheckInput): "gateway" | "named" | "unknown" {
  if (config.nat64) return "gateway";
  return config.overlay.type === "yggdrasil" && (config.overlay.local ?? []).length > 0 ? "named" : "unknown";
}

/** Where our chain accepts, its jump only has to be in front. Everything else is somebody else's to change. */
function cure(
  verdict: Verdict,
  kinds: PacketKind[],
  chains: ChainItem[],
  { survey, blueprint }: CheckInput,
): Pick<Problem, "steps" | "fix"> {
  const { base, decision } = verdict;
  const item = chains.find((c) => c.family === kinds[0]!.family);
  if (base.backend === "iptables" && base.table === "filter" && base.hook === "forward" && item) {
    const jump = jumpAt(item, survey.rules[item.family]?.filter);
    if (item.rules.some(isAccept) && decision.top < jump) return { steps: [jumpInFront(item, jump)] };
  }
  return { fix: acceptCommands(verdict, kinds, survey, blueprint.workers) };
}
