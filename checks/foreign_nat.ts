/** NAT rules of others that decide about the gateway's packets. Pure. */

import { Program } from "../gateway/action.ts";
import { network } from "../gateway/cidr.ts";
import { type BaseChain, baseChains } from "../gateway/netfilter/base_chains.ts";
import { decide } from "../gateway/netfilter/iptables_walk.ts";
import { isDoubtful, isInside } from "../gateway/netfilter/packet.ts";
import { forwardedPackets, type PacketKind } from "../gateway/netfilter/packets.ts";
import { packetAt, type Verdict, verdicts } from "../gateway/netfilter/path.ts";
import { linkOf } from "../gateway/survey.ts";
import type { CheckInput } from "./check.ts";
import { acceptCommands } from "./firewall_cure.ts";
import { byPlace, packetsText, placeEvidence, placeText } from "./firewall_text.ts";
import { kindsToTarget, withTarget } from "./probe_kinds.ts";
import type { Problem } from "./problem.ts";

const SOURCE = new Set(["SNAT", "MASQUERADE", "NETMAP"]);
const DESTINATION = new Set(["DNAT", "REDIRECT", "NETMAP"]);

interface Judged {
  kind: PacketKind;
  all: Verdict[];
}

/** Of first packets of flows; `single`: of those to and from the host that the probe was to reach. */
function natVerdicts(input: CheckInput, family: "inet" | "inet6"): { common: Judged[]; single: Judged[] } {
  const { blueprint: { config, ways, facts }, survey } = input;
  const chains = baseChains(survey, family).filter((c) => c.type === "nat");
  const judged = (kinds: PacketKind[]) =>
    kinds.filter((k) => k.family === family && k.packet.state === "NEW")
      .map((kind) => ({ kind, all: verdicts(chains, kind) }));
  return {
    common: judged(forwardedPackets({ config, ways, uplink: facts.uplink.name, survey })),
    single: judged(kindsToTarget(input)),
  };
}

/** Before crxn's own source NAT another one decides: of all chains at a hook the first that translates wins. */
export function overtaken(input: CheckInput): Problem[] {
  const { common, single } = natVerdicts(input, "inet");
  const overtaking = (list: Judged[]) =>
    list.flatMap(({ kind, all }) => {
      const there = all.filter((v) => v.base.hook === "postrouting")
        .map((v) => isOurs(v.base) ? settled(v, kind, input) : v);
      const first = order(there, input).find(({ verdict: { base, decision } }) =>
        isOurs(base) ? decision.rule !== undefined : SOURCE.has(decision.target) && !isDoubtful(decision)
      );
      if (!first || first.verdict.decision.chain.startsWith("CRXN-")) return [];
      return [{ kind, ...first }];
    });
  const found = withTarget(overtaking(common), overtaking(single).filter((f) => !f.doubtful));
  const kinds = common.map(({ kind }) => kind);
  return byPlace(found).map(({ kinds: those, verdict }): Problem => {
    const harmless = verdict.decision.target === "MASQUERADE" && those.every((k) => givesOurs(k, input));
    const doubtful = found.some((f) => f.verdict === verdict && f.doubtful);
    const problem: Problem = {
      found: `before crxn's rule another one decides about ${packetsText(those, kinds)}: ${
        placeText(verdict, input.survey)
      }`,
      want: "SNAT of the pool to the overlay address",
      fix: acceptsFirst(verdict, those, input),
      evidence: [placeEvidence(verdict, input)],
    };
    if (harmless) {
      const found = `${problem.found}; it gives the same address as long as that is the device's first one`;
      return { ...problem, verdict: "warn", carries: true, found };
    }
    return doubtful
      ? { ...problem, verdict: "warn", found: `${problem.found}, if it is the younger of the two` }
      : problem;
  });
}

/**
 * In the table that has our rule a chain of others may come back without a decision, as KUBE-POSTROUTING does by a mark:
 * what counts then is what stands behind it. Where one may accept, ours is not asked either way.
 */
function settled(verdict: Verdict, kind: PacketKind, { survey }: CheckInput): Verdict {
  const { base } = verdict;
  const table = survey.rules[kind.family]?.["nat"] ?? {};
  const start = table[base.chain];
  const packet = packetAt(kind, base);
  let { decision } = verdict;
  while (start && packet && decision.rule && decision.doubts.includes("RETURN")) {
    const { top, chain } = decision;
    if (chain.startsWith("CRXN-")) break;
    const rules = start.rules.map((rule, at) => at <= top ? [] : rule);
    decision = decide({ ...table, [base.chain]: { ...start, rules } }, base.chain, packet)!;
  }
  return { base, decision };
}

const isOurs = ({ backend, table }: BaseChain) => backend === "iptables" && table === "nat";

/**
 * In order of priority; of equal ones the youngest is asked first (nf_hook_entries_grow). nft lists tables by age; of
 * iptables-legacy's tables nothing tells it.
 */
function order(all: Verdict[], { survey }: CheckInput): { verdict: Verdict; doubtful: boolean }[] {
  const tables = survey.nftables ?? [];
  const age = ({ backend, family, table }: BaseChain) =>
    backend === "iptables-legacy" ? Infinity : tables.indexOf(`${family} ${table}`);
  return [...all]
    .sort((a, b) => a.base.priority - b.base.priority || (age(b.base) === age(a.base) ? 0 : age(b.base) - age(a.base)))
    .map((verdict) => {
      const ours = all.find((v) => isOurs(v.base));
      const equal = ours !== undefined && verdict !== ours && ours.base.priority === verdict.base.priority;
      return { verdict, doubtful: equal && verdict.base.backend === "iptables-legacy" };
    });
}

/** Masquerading takes the device's address in the next hop's network, or else its first one (inet_select_addr). */
function givesOurs({ packet }: PacketKind, { blueprint, survey }: CheckInput): boolean {
  const addresses = (linkOf(survey, packet.out ?? "")?.addresses ?? []).filter((a) =>
    a.family === "inet" && a.scope === "global"
  );
  const near = addresses.find(({ address }) => network(address).length < 32 && isInside(address, packet.destination!));
  return (near ?? addresses[0])?.address.split("/")[0] === blueprint.config.address.split("/")[0];
}

/** In the chain of iptables the jump to ours goes in front; another program's chain has to let the pool pass. */
function acceptsFirst(verdict: Verdict, kinds: PacketKind[], input: CheckInput): string[][] {
  if (isOurs(verdict.base)) {
    const call = [Program.iptables, "-w", "-t", "nat"];
    const jump = ["-m", "comment", "--comment", "crxn:jump", "-j", "CRXN-POSTROUTING"];
    return [[...call, "-D", "POSTROUTING", ...jump], [...call, "-I", "POSTROUTING", "1", ...jump]];
  }
  return acceptCommands(verdict, kinds, input.survey, input.blueprint.workers);
}

/** Destination NAT sends the gateway's packets elsewhere; source NAT of clients makes one of them all. */
export function redirected(input: CheckInput): Problem[] {
  const [four, six] = [natVerdicts(input, "inet"), natVerdicts(input, "inet6")];
  const decided = (list: Judged[], hook: string, targets: Set<string>) =>
    list.flatMap(({ kind, all }) => {
      const verdict = all.find(({ base, decision }) =>
        base.hook === hook && targets.has(decision.target) && !isDoubtful(decision) &&
        !decision.chain.startsWith("CRXN-")
      );
      return verdict ? [{ kind, verdict }] : [];
    });
  const those = ({ common, single }: typeof four, hook: string, targets: Set<string>) =>
    withTarget(decided(common, hook, targets), decided(single, hook, targets));
  const problem = (
    { common }: typeof four,
    { kinds, verdict }: ReturnType<typeof byPlace>[number],
    does: string,
  ): Problem => ({
    found: `${packetsText(kinds, common.map((l) => l.kind))} ${does}, by ${placeText(verdict, input.survey)}`,
    want: "the gateway's packets left as they are",
    fix: acceptCommands(verdict, kinds, input.survey, input.blueprint.workers),
    evidence: [placeEvidence(verdict, input)],
  });
  return [
    ...[four, six].flatMap((list) =>
      byPlace(those(list, "prerouting", DESTINATION)).map((place) => problem(list, place, "are sent elsewhere"))
    ),
    // It works, but the translator sees a single client.
    ...byPlace(those(six, "postrouting", SOURCE)).map((place): Problem => ({
      ...problem(six, place, "lose the client's address"),
      verdict: "warn",
      carries: true,
    })),
  ];
}
