/** Who drops the tunnels' own packets, on their way in and out. Pure. */

import type { Item } from "../gateway/item.ts";
import { baseChains } from "../gateway/netfilter/base_chains.ts";
import { isDoubtful } from "../gateway/netfilter/packet.ts";
import { tunnelPackets } from "../gateway/netfilter/packets.ts";
import { dropOf, type Verdict } from "../gateway/netfilter/path.ts";
import type { CheckInput } from "./check.ts";
import { acceptCommands } from "./firewall_cure.ts";
import { byPlace, packetsText, placeEvidence, placeText } from "./firewall_text.ts";
import type { Problem } from "./problem.ts";

/** @param ours items that mend it where crxn's own chain is in front of what drops */
export function tunnelDrops({ blueprint, survey }: CheckInput, ours: Item[] = []): Problem[] {
  const { config, facts, nodes } = blueprint;
  const all = tunnelPackets(config, facts.tunnel?.kind, nodes, facts.identity?.address);
  const chains = baseChains(survey, "inet6");
  const found = all.flatMap((kind) => {
    const verdict = dropOf(chains, kind);
    return verdict && !isDoubtful(verdict.decision) ? [{ kind, verdict }] : [];
  });
  const jump = (survey.rules.inet6?.filter?.["INPUT"]?.rules ?? []).findIndex((r) => r.at(-1) === "CRXN-INPUT");
  const isBehindOurs = ({ base, decision }: Verdict) =>
    ours.length > 0 && base.backend === "iptables" && base.table === "filter" && base.hook === "input" && jump >= 0 &&
    decision.top > jump;
  return byPlace(found).map(({ kinds, verdict }) => ({
    found: `${packetsText(kinds, all)} are dropped by ${placeText(verdict, survey)}`,
    want: "the tunnel's packets accepted",
    ...(isBehindOurs(verdict) ? { items: ours } : { fix: acceptCommands(verdict, kinds, survey, blueprint.workers) }),
    evidence: [placeEvidence(verdict, { survey })],
  }));
}
