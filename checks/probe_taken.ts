/** Why a packet that was to pass is taken for one of this machine's own, as far as addresses and rules tell. Pure. */

import { Program } from "../gateway/action.ts";
import { iptablesOf } from "../gateway/commands.ts";
import { matches, type Packet } from "../gateway/netfilter/iptables_walk.ts";
import { matchOf } from "../gateway/netfilter/nft_match.ts";
import { ruleText } from "../gateway/netfilter/nft_text.ts";
import { ruleLine } from "../gateway/rule.ts";
import type { Survey } from "../gateway/survey.ts";
import type { Loss } from "./probe_loss.ts";
import type { Through } from "./probe_result.ts";

interface Taken {
  why: string;
  /** Takes the rule away; an address may be one that the machine is reached by. */
  cure?: string[][];
}

/** @returns undefined where nothing that can be seen explains it */
export function takenBy({ side }: Loss, through: Through, survey: Survey): Taken | undefined {
  const { target, mapped } = through;
  if (side === "answer4") return zoned(through, survey);
  const address = side === "request4" ? target : side === "request6" ? mapped : undefined;
  const device = address === undefined ? undefined : holder(address, survey);
  return device === undefined ? undefined : { why: `${address} is an address of ${device}, on this machine` };
}

const holder = (address: string, { links }: Survey): string | undefined =>
  links.find((l) => l.addresses.some((a) => a.address.split("/")[0] === address))?.name;

/**
 * A rule that puts packets into a zone of connection tracking of their own: an answer is then no part of the connection that it
 * answers, which has NAT (iptables-extensions(8), CT; nft(8), CT STATEMENT).
 */
function zoned({ target, translator, overlay }: Through, { rules, native = [] }: Survey): Taken | undefined {
  // Before connection tracking, there and back: a rule about others is none of this.
  const packet = { family: "inet", state: "INVALID" } as const;
  const packets: Packet[] = [
    ...translator.split(" or ").map((device) => ({ ...packet, in: device, destination: target })),
    { ...packet, in: overlay, source: target },
  ];
  for (const [chain, { rules: those }] of Object.entries(rules.inet?.["raw"] ?? {})) {
    const zone = (words: string[]) => words.some((word) => /^--zone(-orig|-reply)?$/.test(word));
    const rule = those.find((words) => zone(words) && packets.some((p) => matches(words, p) !== "no"));
    if (!rule) continue;
    const cure = [iptablesOf("inet"), "-w", "-t", "raw", "-D", chain, ...rule];
    return { why: zoneText(ruleLine(rule), `IPv4 raw ${chain}`), cure: [cure] };
  }
  for (const { family, table, name, rules: those } of native) {
    if (family === "ip6") continue;
    const rule = those.find(({ expr }) =>
      expr.some(setsZone) && packets.some((p) => expr.every((statement) => matchOf(statement, p) !== "no"))
    );
    if (!rule) continue;
    const why = zoneText(ruleText(rule), `nftables table ${family} ${table}, chain ${name}`);
    if (rule.handle === undefined) return { why };
    return { why, cure: [[Program.nft, "delete", "rule", family, table, name, "handle", String(rule.handle)]] };
  }
  return undefined;
}

const zoneText = (rule: string, place: string): string =>
  `the rule "${rule}" of ${place} puts packets into a zone of connection tracking of their own`;

/** `{"mangle": {"key": {"ct": {"key": "zone"}}, "value": 5}}` */
function setsZone({ mangle }: Record<string, unknown>): boolean {
  const { ct } = (mangle as { key?: { ct?: { key?: string } } } | undefined)?.key ?? {};
  return ct?.key === "zone";
}
