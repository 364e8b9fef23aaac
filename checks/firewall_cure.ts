/** The commands that have somebody else's firewall pass packets, in the language of that firewall. Pure. */

import { Program } from "../gateway/action.ts";
import type { Family } from "../gateway/item.ts";
import type { BaseChain } from "../gateway/netfilter/base_chains.ts";
import type { Packet } from "../gateway/netfilter/packet.ts";
import type { PacketKind } from "../gateway/netfilter/packets.ts";
import { packetAt, type Verdict } from "../gateway/netfilter/path.ts";
import type { Survey } from "../gateway/survey.ts";
import { UP } from "./fix.ts";
import { ownerOfChain } from "./firewall_owner.ts";
import type { Translator } from "../gateway/workers.ts";

const IPTABLES: Record<Exclude<BaseChain["backend"], "nft">, Record<Family, string>> = {
  iptables: { inet: Program.iptables, inet6: Program.ip6tables },
  "iptables-legacy": { inet: Program.iptablesLegacy, inet6: Program.ip6tablesLegacy },
};

/**
 * Accepts in front of what drops, behind crxn's own jump where that chain has one, for crxn's chain guards the overlay.
 * @param translator the device of NAT64; without it firewalld gets no zone of its own
 */
export function acceptCommands(
  verdict: Verdict,
  kinds: PacketKind[],
  survey: Survey,
  workers: Translator[],
): string[][] {
  const { base, decision } = verdict;
  const owner = ownerOfChain(base, decision, survey);
  if (owner === "firewalld" && base.backend === "nft") {
    const commands = kinds.every((k) => k.path === "forward")
      ? workers.length > 0 ? firewalldForward(workers) : undefined
      : kinds.every((k) => k.path === "input" && k.packet.state !== "ESTABLISHED")
      ? firewalldInput(kinds)
      : undefined;
    if (commands) return commands;
  }
  if (owner === "ufw" && base.hook === "input" && kinds.every(isForUfw)) return ufwInput(kinds);
  const front = jumpToFront(verdict, kinds[0]!.family, survey);
  return [...front, ...unique(kinds.map((kind) => accept(base, kind, survey, front.length > 0)))];
}

/** ufw knows no ICMP in its commands, and would open every port for the answers to connections of the machine's own. */
const isForUfw = ({ packet: { icmp, state } }: PacketKind) => icmp === undefined && state !== "ESTABLISHED";

type Rules = Partial<Record<Family, Survey["rules"]["inet"]>>;

const rulesOf = ({ backend, table, chain }: BaseChain, family: Family, survey: Survey): string[][] =>
  ((backend === "iptables" ? survey.rules : survey.legacy ?? {}) as Rules)[family]?.[table]?.[chain]?.rules ?? [];

const jumpIn = (rules: string[][]) => rules.findIndex((r) => r.at(-1)?.startsWith("CRXN-"));

/** Where what drops stands before crxn's own jump, that goes in front of it first. */
function jumpToFront({ base, decision }: Verdict, family: Family, survey: Survey): string[][] {
  const rules = rulesOf(base, family, survey);
  const jump = jumpIn(rules);
  if (base.backend !== "iptables" || decision.top >= jump) return [];
  const call = [...iptablesCall(base, family)];
  return [[...call, "-I", base.chain, "1", ...rules[jump]!], [...call, "-D", base.chain, String(jump + 2)]];
}

const iptablesCall = ({ backend, table }: BaseChain, family: Family): string[] => [
  ...[IPTABLES[backend === "nft" ? "iptables" : backend][family], "-w"],
  ...(table === "filter" ? [] : ["-t", table]),
];

const FIREWALL_CMD = "/usr/bin/firewall-cmd";
/** Firewalld before 2.0 takes all rules of iptables away with it, also crxn's. */
const RELOAD = [[FIREWALL_CMD, "--reload"], UP];

/** A zone for the translator, and policies between it and all others; what may really pass crxn's own chain says. */
function firewalldForward(workers: Translator[]): string[][] {
  const call = [FIREWALL_CMD, "--permanent"];
  const policy = (name: string, from: string, to: string) => [
    [...call, `--new-policy=${name}`],
    [...call, `--policy=${name}`, `--add-ingress-zone=${from}`],
    [...call, `--policy=${name}`, `--add-egress-zone=${to}`],
    [...call, `--policy=${name}`, "--set-target=ACCEPT"],
  ];
  return [
    [...call, "--new-zone=crxn"],
    ...workers.map(({ device }) => [...call, "--zone=crxn", `--add-interface=${device}`]),
    ...policy("crxn-in", "ANY", "crxn"),
    ...policy("crxn-out", "crxn", "ANY"),
    ...RELOAD,
  ];
}

function firewalldInput(kinds: PacketKind[]): string[][] {
  const rules = kinds.map(({ family, packet: { source, protocol, port, icmp } }) => {
    if (icmp !== undefined) return ["--add-protocol=ipv6-icmp"];
    if (source === undefined) return [`--add-port=${port}/${protocol}`];
    const what = port === undefined ? `protocol value=${protocol}` : `port port=${port} protocol=${protocol}`;
    return [
      `--add-rich-rule=rule family=${family === "inet6" ? "ipv6" : "ipv4"} source address=${source} ${what} accept`,
    ];
  });
  return [...unique(rules).map((rule) => [FIREWALL_CMD, "--permanent", ...rule]), ...RELOAD];
}

function ufwInput(kinds: PacketKind[]): string[][] {
  return unique(kinds.map(({ packet: { in: device, source, protocol, port } }) => [
    "/usr/sbin/ufw",
    "allow",
    ...(source ? ["in", "on", device ?? "any", "from", source, "to", "any"] : ["in", "to", "any"]),
    ...(port === undefined ? [] : ["port", String(port)]),
    ...["proto", protocol ?? "any"],
  ]));
}

/** One rule for the devices, addresses and ports of a kind, at the top of the base chain. */
function accept(base: BaseChain, kind: PacketKind, survey: Survey, isInFront: boolean): string[] {
  const asked = askedOf(kind, base);
  if (base.backend === "nft") {
    return [
      Program.nft,
      "insert",
      "rule",
      base.family,
      base.table,
      base.chain,
      ...nftMatch(kind.family, asked),
      "accept",
    ];
  }
  const position = isInFront ? 2 : jumpIn(rulesOf(base, kind.family, survey)) + 2;
  return [
    ...iptablesCall(base, kind.family),
    ...["-I", base.chain, String(position)],
    ...iptablesMatch(asked),
    ...["-j", "ACCEPT"],
  ];
}

type Asked = Partial<Pick<Packet, "in" | "out" | "source" | "destination" | "protocol" | "port" | "icmp" | "state">>;

/** What forwarded packets are is said by both devices, or by one and the networks of that leg; others are named exactly. */
function askedOf(kind: PacketKind, base: BaseChain): Asked {
  const { in: from, out: to, source, destination, protocol, port, icmp } = packetAt(kind, base) ?? kind.packet;
  // iptables knows no -i where packets leave.
  const nowhere = base.backend !== "nft" && base.hook === "postrouting";
  const devices = { ...(from && !nowhere ? { in: from } : {}), ...(to ? { out: to } : {}) };
  const answer = kind.path === "input" && kind.packet.state === "ESTABLISHED";
  if (kind.path === "forward") {
    const { source: within, destination: towards } = kind.networks ?? {};
    return {
      ...devices,
      ...(within && !devices.in ? { source: within } : {}),
      ...(towards && !devices.out ? { destination: towards } : {}),
    };
  }
  return {
    ...devices,
    // Neighbours have many addresses.
    ...(source && icmp === undefined ? { source } : {}),
    ...(destination && kind.path === "output" ? { destination } : {}),
    ...(protocol ? { protocol } : {}),
    ...(port === undefined ? {} : { port }),
    ...(icmp === undefined ? {} : { icmp }),
    ...(answer ? { state: "ESTABLISHED" as const } : {}),
  };
}

const iptablesMatch = (p: Asked): string[] => [
  ...(p.source ? ["-s", p.source] : []),
  ...(p.destination ? ["-d", p.destination] : []),
  ...(p.in ? ["-i", p.in] : []),
  ...(p.out ? ["-o", p.out] : []),
  ...(p.protocol ? ["-p", p.protocol] : []),
  ...(p.port === undefined ? [] : ["--dport", String(p.port)]),
  ...(p.icmp === undefined ? [] : ["--icmpv6-type", String(p.icmp)]),
  ...(p.state === undefined ? [] : ["-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED"]),
];

function nftMatch(family: Family, p: Asked): string[] {
  const ip = family === "inet6" ? "ip6" : "ip";
  return [
    ...(p.in ? ["iifname", p.in] : []),
    ...(p.out ? ["oifname", p.out] : []),
    ...(p.source ? [ip, "saddr", p.source] : []),
    ...(p.destination ? [ip, "daddr", p.destination] : []),
    ...(p.state === undefined ? [] : ["ct", "state", "related,established"]),
    ...(p.port !== undefined
      ? [p.protocol!, "dport", String(p.port)]
      : p.icmp !== undefined
      ? ["icmpv6", "type", String(p.icmp)]
      : p.protocol
      ? ["meta", "l4proto", p.protocol]
      : []),
  ];
}

function unique(commands: string[][]): string[][] {
  const seen = new Map(commands.map((argv) => [argv.join("\0"), argv]));
  return [...seen.values()];
}
