/** A packet as rules see it, what a chain decides about it, and how single values are compared. Pure. */

import { contains, formatAddress, host, parseAddress, parseEither } from "../cidr.ts";
import type { Family } from "../item.ts";

/**
 * State of a packet for connection tracking. `INVALID` is also what a chain before it sees (priority below -200), and
 * `UNTRACKED` is what neighbour discovery always is (nf_conntrack_proto_icmpv6.c).
 */
export type ConnState = "NEW" | "ESTABLISHED" | "UNTRACKED" | "INVALID";

/** What is not given could be anything: a rule that asks for it may match or not. An empty device is no device. */
export interface Packet {
  family?: Family;
  in?: string;
  out?: string;
  source?: string;
  destination?: string;
  /** As in /etc/protocols; ICMPv6 is `ipv6-icmp`. */
  protocol?: string;
  port?: number;
  /** Type of an ICMP or ICMPv6 message. */
  icmp?: number;
  /** Of the packet as the machine sees it. */
  hopLimit?: number;
  /** It is going to be routed on, which lowers its hop limit by one. */
  forwarded?: true;
  state: ConnState;
}

export interface Decision {
  /** ACCEPT, DROP, REJECT, SNAT, ... */
  target: string;
  chain: string;
  /** The rule's words; missing when the chain's policy decided. */
  rule?: string[];
  /** iptables: the words of each rule on the way, from the built-in chain to the deciding one; missing for the policy. */
  way?: string[][];
  /** Index of the rule of the first chain that led here; the number of its rules for the policy. */
  top: number;
  /** Targets of rules before it that might have decided otherwise: they ask for what the packet leaves open. */
  doubts: string[];
  /** Where connection tracking was switched off for it on the way, which ends nothing: its target is NOTRACK. */
  untracked?: Decision;
}

/** How a walk came to a chain; `top` is missing for the first one. */
export interface Call {
  /** Every rule on the way matches. */
  sure: boolean;
  /** A rule on the way may have returned before. */
  mayReturn: boolean;
  top?: number;
}

/** @param doubts those that there were until then */
export const untrackedAt = (
  chain: string,
  rule: string[],
  { mayReturn, top = 0 }: Call,
  doubts: string[],
): Decision => ({
  target: "NOTRACK",
  chain,
  rule,
  top,
  doubts: [...doubts, ...(mayReturn ? ["RETURN"] : [])],
});

export type Match = "yes" | "no" | "maybe";

export const FINAL: ReadonlySet<string> = new Set([
  ...["ACCEPT", "DROP", "REJECT", "NFQUEUE"],
  ...["SNAT", "DNAT", "MASQUERADE", "REDIRECT", "NETMAP"],
]);

export const isDrop = ({ target }: Pick<Decision, "target">): boolean => target === "DROP" || target === "REJECT";

/** A packet that is to be routed on with a hop limit of 1 or 0 ends there (RFC 8200, 3; RFC 1812, 5.3.1). */
export const expires = (hopLimit: unknown, { forwarded }: Packet): boolean =>
  forwarded === true && (hopLimit === 0 || hopLimit === 1);

/** Whether a rule before the deciding one may have let the packet pass. */
export const isDoubtful = ({ doubts }: Pick<Decision, "doubts">): boolean =>
  doubts.some((d) => d === "ACCEPT" || d === "RETURN");

/** `undefined` is what is not known. */
export const test = <T>(have: T | undefined, is: (have: T) => boolean): Match =>
  have === undefined ? "maybe" : is(have) ? "yes" : "no";

export const not = (match: Match): Match => match === "maybe" ? match : match === "yes" ? "no" : "yes";

/** All of it has to be true. */
export const both = (a: Match, b: Match): Match =>
  a === "no" || b === "no" ? "no" : a === "yes" && b === "yes" ? a : "maybe";

export const isInside = (network: string, address: string): boolean => {
  const outer = parseEither(network);
  const inner = parseAddress(address);
  return outer !== undefined && inner !== undefined && contains(outer, host(inner));
};

export const isBetween = (first: string, last: string, address: string): boolean => {
  const [from, to, at] = [parseAddress(first), parseAddress(last), parseAddress(address)];
  return !!from && !!to && !!at && from.family === at.family && from.value <= at.value && at.value <= to.value;
};

export const sameAddress = (a: string, b: string): boolean => {
  const [one, other] = [parseAddress(a), parseAddress(b)];
  return !!one && !!other && formatAddress(one) === formatAddress(other);
};

const NUMBERS: Record<string, string> = { "1": "icmp", "6": "tcp", "17": "udp", "47": "gre", "58": "ipv6-icmp" };

/** Protocols in one spelling: `icmpv6` and `58` are `ipv6-icmp`. */
export const protocolName = (name: string | number): string =>
  NUMBERS[name] ?? (name === "icmpv6" ? "ipv6-icmp" : String(name));

/** @returns undefined for a name that is not known here */
export function protocolNumber(name: unknown): number | undefined {
  const spelling = protocolName(String(name));
  const number = Object.keys(NUMBERS).find((n) => NUMBERS[n] === spelling) ?? spelling;
  return /^\d+$/.test(number) ? Number(number) : undefined;
}

/** TCP flags of a packet: the first of a connection has SYN alone. */
export const tcpFlags = ({ protocol, state }: Packet): string[] | undefined =>
  protocol !== "tcp" ? undefined : state === "NEW" ? ["syn"] : state === "ESTABLISHED" ? ["ack"] : undefined;
