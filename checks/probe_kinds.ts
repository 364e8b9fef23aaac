/** What the checks of rules ask about the one host that the probe was to reach. Pure. */

import { contains, formatNetwork, network, parseNetwork } from "../gateway/cidr.ts";
import { isDoubtful } from "../gateway/netfilter/packet.ts";
import { forwardedPackets, type PacketKind } from "../gateway/netfilter/packets.ts";
import type { Verdict } from "../gateway/netfilter/path.ts";
import type { CheckInput } from "./check.ts";

/** The packets that a gateway forwards, to and from that host; none where it was not asked for. */
export function kindsToTarget({ probe, survey, blueprint: { config, ways, facts } }: CheckInput): PacketKind[] {
  const target = probe?.ran ? parseNetwork(`${probe.target}/32`) : undefined;
  if (!target || !config.nat64) return [];
  const those = ways.flatMap((way) => {
    const has = way.networks.some((to) => contains(network(to), target));
    return has ? [{ ...way, networks: [formatNetwork(target)] }] : [];
  });
  return those.length > 0 ? forwardedPackets({ config, ways: those, uplink: facts.uplink.name, survey }) : [];
}

/**
 * What was found of packets in general, and of those of the one host besides: a rule may be about it alone, and the probe may not
 * have got that far. What is not certain of one host is not said.
 * @param common and `single`, by the same base chains
 */
export const withTarget = <T extends { verdict: Verdict }>(common: T[], single: T[]): T[] => [
  ...common,
  ...single.filter(({ verdict: { base, decision } }) =>
    !isDoubtful(decision) && !common.some(({ verdict: v }) => v.base === base && v.decision.rule === decision.rule)
  ),
];
