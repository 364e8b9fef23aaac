/** Packets that are handed to a program: without one that listens, the kernel drops them. Pure. iptables-extensions(8) NFQUEUE. */

import { baseChains } from "../gateway/netfilter/base_chains.ts";
import { isDoubtful } from "../gateway/netfilter/packet.ts";
import type { PacketKind } from "../gateway/netfilter/packets.ts";
import { verdicts } from "../gateway/netfilter/path.ts";
import type { CheckInput } from "./check.ts";
import { byPlace, packetsText, placeEvidence, placeText } from "./firewall_text.ts";
import type { Problem } from "./problem.ts";

export function queueProblems(kinds: PacketKind[], { survey }: CheckInput): Problem[] {
  const chains = { inet: baseChains(survey, "inet"), inet6: baseChains(survey, "inet6") };
  const found = kinds.flatMap((kind) => {
    const verdict = verdicts(chains[kind.family], kind).find(({ decision }) =>
      decision.target === "NFQUEUE" && !isDoubtful(decision) && !decision.rule?.join(" ").includes("bypass")
    );
    return verdict ? [{ kind, verdict }] : [];
  });
  return byPlace(found).map(({ kinds: those, verdict }) => ({
    found: `${packetsText(those, kinds)} are handed to a program by ${placeText(verdict, survey)}: it may drop them`,
    want: `${packetsText(those, kinds)} passed, also while no such program listens (bypass)`,
    verdict: "warn",
    carries: true,
    evidence: [placeEvidence(verdict, { survey })],
  }));
}
