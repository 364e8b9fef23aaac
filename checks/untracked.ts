/** Rules that switch connection tracking off: no NAT then, and answers are not known as such. Pure. */

import type { Family } from "../gateway/item.ts";
import { baseChains } from "../gateway/netfilter/base_chains.ts";
import { isDoubtful } from "../gateway/netfilter/packet.ts";
import { forwardedPackets } from "../gateway/netfilter/packets.ts";
import { verdicts } from "../gateway/netfilter/path.ts";
import type { CheckInput } from "./check.ts";
import { acceptCommands } from "./firewall_cure.ts";
import { byPlace, packetsText, placeEvidence, placeText } from "./firewall_text.ts";
import type { Problem } from "./problem.ts";

/** An accept before it keeps the gateway's packets tracked: in raw nothing else is decided. */
export function untrackedProblems(family: Family, { blueprint, survey }: CheckInput): Problem[] {
  const { config, ways, facts, workers } = blueprint;
  if (!config.nat64) return [];
  const kinds = forwardedPackets({ config, ways, uplink: facts.uplink.name, survey }).filter((k) =>
    k.family === family
  );
  const chains = baseChains(survey, family);
  const found = kinds.flatMap((kind) => {
    const [verdict] = verdicts(chains, kind).flatMap(({ base, decision: { untracked } }) =>
      untracked && !isDoubtful(untracked) ? [{ base, decision: untracked }] : []
    );
    return verdict ? [{ kind, verdict }] : [];
  });
  return byPlace(found).map(({ kinds: those, verdict }) => ({
    found: `${packetsText(those, kinds)} are not tracked, by ${placeText(verdict, survey)}: ${
      family === "inet" ? "they keep their addresses from the pool" : "answers are then not known as such"
    }`,
    want: "connection tracking of the gateway's packets",
    fix: acceptCommands(verdict, those, survey, workers),
    evidence: [placeEvidence(verdict, { survey })],
  }));
}
