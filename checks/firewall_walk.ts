/** What a table of iptables does with a packet, as far as its rules can be read. Pure. iptables(8), iptables-extensions(8). */

import { contains, host, parseAddress, parseNetwork } from "../gateway/cidr.ts";
import type { ChainSeen } from "../gateway/survey.ts";

/** What is not given could be anything: a rule that asks for it may match or not. */
export interface Packet {
  in?: string;
  out?: string;
  source?: string;
  destination?: string;
  protocol?: string;
  port?: number;
  state: "NEW" | "ESTABLISHED";
}

export interface Decision {
  /** ACCEPT, DROP, REJECT, SNAT, ... */
  target: string;
  chain: string;
  /** The rule's words; missing when the chain's policy decided. */
  rule?: string[];
  /** Index of the rule of the first chain that led here; the number of its rules for the policy. */
  top: number;
  /** Rules before it that might have decided otherwise: they ask for what the packet leaves open. */
  doubts: string[];
}

type Table = Record<string, ChainSeen>;
type Match = "yes" | "no" | "maybe";

const FINAL = new Set(["ACCEPT", "DROP", "REJECT", "NFQUEUE", "SNAT", "DNAT", "MASQUERADE", "REDIRECT", "NETMAP"]);

/** @returns undefined when the table has no such chain */
export function decide(table: Table, chain: string, packet: Packet): Decision | undefined {
  const start = table[chain];
  if (!start) return undefined;
  const doubts: string[] = [];
  for (const [top, rule] of start.rules.entries()) {
    const found = step(table, chain, rule, packet, doubts, 0);
    if (found === "return") break;
    if (found) return { ...found, top, doubts };
  }
  return { target: start.policy ?? "ACCEPT", chain, top: start.rules.length, doubts };
}

type Found = { target: string; chain: string; rule: string[] } | "return" | undefined;

function step(table: Table, chain: string, rule: string[], packet: Packet, doubts: string[], depth: number): Found {
  const match = matches(rule, packet);
  const at = rule.findIndex((w) => w === "-j" || w === "-g");
  const target = rule[at + 1];
  if (match === "no" || at < 0 || target === undefined || depth > 20) return undefined;
  if (FINAL.has(target)) {
    if (match === "yes") return { target, chain, rule };
    doubts.push(target);
    return undefined;
  }
  if (target === "RETURN") return match === "yes" ? "return" : undefined;
  for (const inner of table[target]?.rules ?? []) {
    const found = step(table, target, inner, packet, doubts, depth + 1);
    if (found === "return") break;
    if (found && match === "yes") return found;
    if (found) doubts.push(found.target);
  }
  return undefined;
}

/** Options that say nothing about the packet, with the number of words that follow them. */
const NEUTRAL: Record<string, number> = { "-m": 1, "--comment": 1 };

export function matches(rule: string[], packet: Packet): Match {
  let result: Match = "yes";
  let not = false;
  for (let i = 0; i < rule.length; i++) {
    const word = rule[i]!;
    if (word === "-j" || word === "-g") break;
    if (word === "!") {
      not = true;
      continue;
    }
    const skip = NEUTRAL[word];
    if (skip !== undefined) {
      i += skip;
      continue;
    }
    const plain = word.startsWith("-") ? option(word, rule[i + 1] ?? "", packet) : "yes";
    const answer = not && plain !== "maybe" ? (plain === "yes" ? "no" : "yes") : plain;
    if (word.startsWith("-")) i++;
    not = false;
    if (answer === "no") return "no";
    if (answer === "maybe") result = "maybe";
  }
  return result;
}

function option(name: string, value: string, packet: Packet): Match {
  const equal = (have: string | undefined, test: (have: string) => boolean): Match =>
    have === undefined ? "maybe" : test(have) ? "yes" : "no";
  switch (name) {
    case "-i":
      return equal(packet.in, (d) => isDevice(value, d));
    case "-o":
      return equal(packet.out, (d) => isDevice(value, d));
    case "-s":
      return equal(packet.source, (a) => isInside(value, a));
    case "-d":
      return equal(packet.destination, (a) => isInside(value, a));
    case "-p":
      return value === "all" ? "yes" : equal(packet.protocol, (p) => p === value);
    case "--dport":
      return packet.port === undefined ? "maybe" : equal(String(packet.port), (p) => p === value);
    case "--ctstate":
    case "--state":
      return value.split(",").includes(packet.state) ? "yes" : "no";
    default:
      return "maybe";
  }
}

const isDevice = (pattern: string, device: string) =>
  pattern.endsWith("+") ? device.startsWith(pattern.slice(0, -1)) : device === pattern;

function isInside(network: string, address: string): boolean {
  const outer = parseNetwork(network) ?? (parseAddress(network) && host(parseAddress(network)!));
  const inner = parseAddress(address);
  return outer !== undefined && inner !== undefined && contains(outer, host(inner));
}

/** Whose firewall it is, by the names that the well-known ones give to their chains. */
export function firewallOwner(table: Table): string | undefined {
  const names = Object.keys(table);
  const known: [RegExp, string][] = [
    [/^ufw6?-/, "ufw"],
    [/^(FWD|FWDI|FWDO)_|_ZONES$/, "firewalld"],
    [/^DOCKER/, "Docker"],
    [/^LIBVIRT_/, "libvirt"],
    [/^KUBE-/, "Kubernetes"],
    [/^shorewall|^sw_/i, "Shorewall"],
  ];
  return known.find(([pattern]) => names.some((n) => pattern.test(n)))?.[1];
}
