/** Whether the machine's own firewall drops what nobody accepts before: then crxn's chains have to accept. Pure. */

import type { Config } from "../config/types.ts";
import type { Facts } from "../facts.ts";
import type { Family } from "../item.ts";
import { farNodes, waysOf } from "../overlay_nodes.ts";
import type { Ruleset, Survey } from "../survey.ts";
import { decide, type Table } from "./iptables_walk.ts";
import { isDoubtful, isDrop, type Packet } from "./packet.ts";
import { forwardedPackets, type PacketKind, tunnelPackets } from "./packets.ts";

type Known = Pick<Facts, "uplink" | "identity" | "daemon" | "tunnel" | "ports">;

/**
 * By the policy of a chain, or by a rule in it. Only the iptables that crxn uses itself counts: in the chains of another
 * program no accept of ours would help. What is ours in it is left out, so that the answer does not depend on it.
 */
export function dropsOf(config: Config, survey: Survey, facts: Known): Facts["drops"] {
  const nodes = farNodes(config, facts);
  const forwarded = forwardedPackets({
    config,
    ways: waysOf(config.overlay, nodes),
    uplink: facts.uplink.name,
    survey,
  });
  const tunnels = tunnelPackets(config, facts.tunnel?.kind, nodes, facts.identity?.address);
  const of = (chain: "INPUT" | "FORWARD", kinds: PacketKind[]) => {
    const at = (family: Family) =>
      dropsAt(survey.rules[family], chain, kinds.filter((k) => k.family === family && k.path === chain.toLowerCase()));
    return { inet: at("inet"), inet6: at("inet6") };
  };
  return { INPUT: of("INPUT", tunnels), FORWARD: of("FORWARD", forwarded) };
}

function dropsAt(ruleset: Ruleset | undefined, chain: "INPUT" | "FORWARD", kinds: PacketKind[]): boolean {
  const filter = ruleset?.["filter"];
  const policy = filter?.[chain]?.policy;
  if (!filter || policy === undefined) return false;
  const others = withoutOwn(filter, chain);
  if (policy !== "ACCEPT") return kinds.length === 0 || !kinds.every(({ packet }) => isWelcome(others, chain, packet));
  return kinds.some(({ packet }) => {
    const decision = decide(others, chain, packet);
    return decision !== undefined && isDrop(decision) && !isDoubtful(decision);
  });
}

/** Somebody accepts all packets of that kind: a rule for some addresses or ports says nothing of the others. */
function isWelcome(table: Table, chain: string, packet: Packet): boolean {
  const decision = decide(table, chain, packet);
  if (decision?.target !== "ACCEPT") return false;
  return !(decision.way ?? []).flat().some((word) => NARROW.has(word));
}

const NARROW: ReadonlySet<string> = new Set(["-s", "-d", "-p"]);

/** The table as it would be without crxn's jump in that chain. */
export function withoutOwn(table: Table, chain: string): Table {
  const start = table[chain];
  if (!start) return table;
  return { ...table, [chain]: { ...start, rules: start.rules.filter((r) => !r.at(-1)?.startsWith("CRXN-")) } };
}
