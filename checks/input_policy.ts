import { baseChains } from "../gateway/netfilter/base_chains.ts";
import { isDoubtful } from "../gateway/netfilter/packet.ts";
import { discoveryPackets, type PacketKind } from "../gateway/netfilter/packets.ts";
import { dialledPackets, peerPackets, pongFrom } from "../gateway/netfilter/peer_packets.ts";
import { dropOf } from "../gateway/netfilter/path.ts";
import { linkOf } from "../gateway/survey.ts";
import type { Check, CheckInput } from "./check.ts";
import { acceptCommands } from "./firewall_cure.ts";
import { byPlace, packetsText, placeEvidence, placeText } from "./firewall_text.ts";
import { outcomeOf, type Problem } from "./problem.ts";

/** Links without neighbours to be found. */
const POINT_TO_POINT = new Set(["tun", "wireguard", "ppp", "sit", "ip6tnl", "gre", "ip6gre", "ipip"]);

/** What the machine itself has to hear. */
export const inputPolicy: Check = {
  id: "input-policy",
  title: "The firewall lets in what the machine needs itself",
  hop: "uplink",
  early: true,
  needs: [],
  looksAt:
    "Every chain that neighbour discovery on the uplink meets on its way to the machine (and router advertisements, where the default route comes by them), the daemon's connections to overlay.peers with their answers, and those of others to the ports of overlay.listen: iptables, iptables-legacy and nftables.",
  why:
    "A machine that does not hear neighbour solicitations is not found by its router any more, minutes after everything worked. In IPv6 these are ICMPv6, which a firewall must not drop as a whole (RFC 4890).",
  cure:
    "Accept ICMPv6 types 133 to 136 on the uplink, answers to the machine's own connections (state established), and the ports of overlay.listen if nodes are to connect to this one. crxn changes no firewall of somebody else.",
  run: (input) => {
    const { config, facts } = input.blueprint;
    const { name } = facts.uplink;
    const neighbours = name !== "lo" && !POINT_TO_POINT.has(linkOf(input.survey, name)?.kind ?? "");
    if (!input.survey.rules.inet6) return { verdict: "unknown", found: "the IPv6 rules could not be read" };
    const kinds = neighbours && config.nat64 ? discoveryPackets(name, facts.advertised.includes(name)) : [];
    const deaf = dropsOf(kinds, input);
    const alone = dialDrops(input);
    const outcome = outcomeOf([
      ...deaf,
      ...alone,
      // Nodes that this one dials itself need no port here.
      ...dropsOf(peerPackets(config, name), input).map((p): Problem => ({ ...p, verdict: "warn", carries: true })),
      ...(input.survey.nftables ? [] : [{ found: "nftables could not be read", verdict: "unknown" as const }]),
    ], input);
    // Without its peers it is the overlay that is broken: clients' packets still come in by the uplink.
    return deaf.length === 0 && alone.length > 0 ? { ...outcome, hop: "overlay" } : outcome;
  },
};

/** Peers that the daemon cannot reach, whichever family it tries, or cannot hear. */
export function dialDrops(input: CheckInput): Problem[] {
  const { config, facts } = input.blueprint;
  if (config.overlay.type !== "yggdrasil") return [];
  const kinds = config.overlay.peers.flatMap((uri) => {
    const all = dialledPackets(uri, facts.uplink.name);
    const shut = (family: PacketKind["family"]) => dropsOf(all.filter((k) => k.family === family), input).length > 0;
    return all.every((k) => shut(k.family)) ? all : [];
  });
  return dropsOf(kinds, input);
}

/** Answers of far nodes to pings: doctor's own question would find nobody. */
export function pingDrops(addresses: string[], input: CheckInput): Problem[] {
  const device = input.blueprint.config.overlay.interface;
  return dropsOf(addresses.map((address) => pongFrom(address, device)), input);
}

function dropsOf(kinds: PacketKind[], { survey, blueprint }: CheckInput): Problem[] {
  const found = kinds.flatMap((kind) => {
    const verdict = dropOf(baseChains(survey, kind.family), kind);
    return verdict && !isDoubtful(verdict.decision) ? [{ kind, verdict }] : [];
  });
  return byPlace(found).map(({ kinds: those, verdict }) => ({
    found: `${packetsText(those, kinds)} are dropped by ${placeText(verdict, survey)}`,
    want: `${packetsText(those, kinds)} let in`,
    fix: acceptCommands(verdict, those, survey, blueprint.workers),
    evidence: [placeEvidence(verdict, { survey })],
  }));
}
