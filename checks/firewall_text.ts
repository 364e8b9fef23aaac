/** A place in a firewall, and the packets that end there, in words. Pure. */

import { Program } from "../gateway/action.ts";
import type { BaseChain } from "../gateway/netfilter/base_chains.ts";
import { ruleLine } from "../gateway/rule.ts";
import { ruleText } from "../gateway/netfilter/nft_text.ts";
import type { PacketKind } from "../gateway/netfilter/packets.ts";
import type { Verdict } from "../gateway/netfilter/path.ts";
import type { Survey } from "../gateway/survey.ts";
import type { CheckInput, Evidence } from "./check.ts";
import { chainEvidence } from "./evidence.ts";
import { ownerOfChain } from "./firewall_owner.ts";

/** `the rule "-j DROP" of IPv4 filter FORWARD (iptables, hook forward, priority 0), made by hand`. */
export function placeText({ base, decision }: Verdict, survey: Survey): string {
  const { rule, chain } = decision;
  const what = rule
    ? `the rule "${base.backend === "nft" ? rule.join(" ") : ruleLine(rule)}"${
      chain === base.chain ? "" : ` in ${chain}`
    } of ${chainText(base)}`
    : `the policy of ${chainText(base)}`;
  return `${what}, ${ownerText(ownerOfChain(base, decision, survey))}`;
}

export const ownerText = (owner: string | undefined): string => owner ? `set by ${owner}` : "made by hand";

export function chainText({ backend, family, table, chain, hook, priority }: BaseChain): string {
  const name = backend === "nft"
    ? `nftables table ${family} ${table}, chain ${chain} (`
    : `${family === "ip6" ? "IPv6" : "IPv4"} ${table} ${chain} (${backend}, `;
  return `${name}hook ${hook}, priority ${priority})`;
}

/** `packets from A to B and from B to A`; where not all of a name are meant, `TCP packets from A to B`. */
export function packetsText(kinds: PacketKind[], all: PacketKind[]): string {
  const names = [...new Set(kinds.map((k) => k.name))].map((name) => {
    const of = (list: PacketKind[]) => [...new Set(list.filter((k) => k.name === name).map((k) => k.what))];
    const [some, every] = [of(kinds), of(all)];
    const whole = kinds[0]!.path === "forward" && some.length === every.length;
    return { name, what: whole && every.length > 1 ? "" : some.join(" and ") };
  });
  const whats = [...new Set(names.map((n) => n.what))];
  return whats.map((what) =>
    `${what === "" ? "" : `${what} `}packets ${listOf(names.filter((n) => n.what === what).map((n) => n.name))}`
  ).join("; ");
}

const listOf = (names: string[]) =>
  names.length < 3 ? names.join(" and ") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;

/** The chain as the program prints it that made it. */
export function placeEvidence({ base, decision }: Verdict, { survey }: Pick<CheckInput, "survey">): Evidence {
  const { backend, family, table, chain } = base;
  const chains = [...new Set([chain, decision.chain])];
  const six = family === "ip6" ? "inet6" as const : "inet" as const;
  if (backend === "iptables") return chainEvidence(six, table, chains, survey);
  if (backend === "iptables-legacy") {
    const { output } = chainEvidence(six, table, chains, { ...survey, rules: survey.legacy ?? {} });
    const program = six === "inet6" ? Program.ip6tablesLegacySave : Program.iptablesLegacySave;
    return { command: [program, "-t", table], output };
  }
  const seen = (survey.native ?? []).filter((c) => c.family === family && c.table === table && chains.includes(c.name));
  const lines = seen.flatMap((c) => [
    `chain ${c.name} {`,
    ...(c.hook ? [`  type ${c.type} hook ${c.hook} priority ${c.priority}; policy ${c.policy ?? "accept"};`] : []),
    ...c.rules.map((r) => `  ${ruleText(r)}`),
    "}",
  ]);
  return { command: [Program.nft, "list", "table", family, table], output: lines.join("\n") };
}

/** Drops by place: one rule that takes several kinds of packets is one fault. */
export function byPlace(found: { kind: PacketKind; verdict: Verdict }[]): { kinds: PacketKind[]; verdict: Verdict }[] {
  const places = new Map<string, { kinds: PacketKind[]; verdict: Verdict }>();
  for (const { kind, verdict } of found) {
    const { base, decision } = verdict;
    const key = [base.backend, base.family, base.table, base.chain, decision.chain, ...decision.rule ?? []].join(" ");
    const place = places.get(key);
    if (place) place.kinds.push(kind);
    else places.set(key, { kinds: [kind], verdict });
  }
  return [...places.values()];
}
