/** What a table of iptables does with a packet, as far as its rules can be read. Pure. iptables(8), iptables-extensions(8). */

import { parseAddress, parseEither } from "../cidr.ts";
import type { ChainSeen } from "../survey.ts";
import {
  both,
  type Call,
  type Decision,
  expires,
  FINAL,
  isInside,
  type Match,
  not,
  type Packet,
  protocolName,
  tcpFlags,
  test,
  untrackedAt,
} from "./packet.ts";
import { placesFor } from "./rule_index.ts";

export type { Decision, Packet } from "./packet.ts";

export type Table = Record<string, ChainSeen>;

/** @returns undefined when the table has no such chain */
export function decide(table: Table, chain: string, packet: Packet): Decision | undefined {
  const start = table[chain];
  if (!start) return undefined;
  const walk = new Walk(table, packet);
  const found = walk.chain(chain, { sure: true, mayReturn: false }, 0);
  const { doubts, untracked } = walk;
  const more = { doubts, ...(untracked ? { untracked } : {}) };
  if (found && found !== "return") return { ...found, ...more };
  return { target: start.policy ?? "ACCEPT", chain, top: start.rules.length, ...more };
}

type Found = { target: string; chain: string; rule: string[]; way: string[][]; top: number } | "return" | undefined;
class Walk {
  readonly doubts: string[] = [];
  untracked?: Decision;

  constructor(readonly table: Table, readonly packet: Packet) {}

  chain(chain: string, call: Call, depth: number): Found {
    // A RETURN that may have matched is a doubt only where a later rule of the same chain decides.
    let mayReturn = false;
    const rules = depth > 20 ? [] : this.table[chain]?.rules ?? [];
    for (const at of placesFor(rules, this.packet)) {
      const rule = rules[at]!;
      const match = matches(rule, this.packet);
      if (match === "no") continue;
      const word = rule.findIndex((w) => w === "-j" || w === "-g");
      const target = targetOf(rule, word, this.packet);
      if (target === undefined) continue;
      if (target === "RETURN") {
        if (match === "yes") return "return";
        mayReturn = true;
        continue;
      }
      const here = { sure: call.sure && match === "yes", mayReturn: call.mayReturn || mayReturn, top: call.top ?? at };
      if (target === "NOTRACK") {
        if (here.sure) this.untracked ??= untrackedAt(chain, rule, here, this.doubts);
        continue;
      }
      if (!FINAL.has(target) && !this.table[target]) {
        // TARPIT, STEAL, SYNPROXY and what else there may be end a packet's way.
        if (!CONTINUING.has(target)) this.doubts.push("DROP");
        continue;
      }
      const found: Found = FINAL.has(target)
        ? { target, chain, rule, way: [], top: at }
        : this.chain(target, here, depth + 1);
      const decided = found !== undefined && found !== "return";
      // What `goto` leads to comes back to whoever called this chain.
      const returns = rule[word] === "-g" && !decided;
      if (match === "yes") {
        if (decided) {
          if (mayReturn) this.doubts.push("RETURN");
          return { ...found, way: [rule, ...found.way], top: at };
        }
        if (returns) return "return";
      } else if (decided) this.doubts.push(found.target);
      else if (returns) mayReturn = true;
    }
    return undefined;
  }
}

/** Targets behind which the next rule is asked, those of xtables-addons too. */
const CONTINUING: ReadonlySet<string> = new Set([
  ...["AUDIT", "CHECKSUM", "CLASSIFY", "CONNMARK", "CONNSECMARK", "DNPT", "DSCP", "ECN", "HMARK", "IDLETIMER", "LED"],
  ...["LOG", "MARK", "NFLOG", "RATEEST", "SECMARK", "SET", "SNPT", "TCPMSS", "TCPOPTSTRIP", "TEE", "TOS", "TRACE"],
  ...["ULOG", "ACCOUNT", "IPMARK", "LOGMARK"],
]);

/** CT, HL and TTL go on with the next rule; at the end of its hops a packet has met what matters here. */
function targetOf(rule: string[], at: number, packet: Packet): string | undefined {
  const target = at < 0 ? undefined : rule[at + 1];
  if (target === "CT") return rule.includes("--notrack") ? "NOTRACK" : undefined;
  if (target !== "HL" && target !== "TTL") return target;
  const set = rule.findIndex((word) => word === "--hl-set" || word === "--ttl-set");
  return set > 0 && expires(Number(rule[set + 1]), packet) ? "DROP" : undefined;
}

/**
 * Modules that ask only for what their options say: without one iptables does not take them, or behind `-p` they ask for
 * nothing more. Others ask for something by being there, such as `-m ah` for a header and `-m rpfilter` for a way back.
 */
const NEUTRAL: ReadonlySet<string> = new Set([
  ...["comment", "tcp", "udp", "udplite", "sctp", "dccp", "icmp", "icmp6", "multiport"],
  ...["conntrack", "state", "mark", "connmark", "set", "addrtype", "limit", "hl", "ttl", "length", "mac"],
]);

export function matches(rule: string[], packet: Packet): Match {
  let result: Match = "yes";
  let negated = false;
  for (let i = 0; i < rule.length; i++) {
    const word = rule[i]!;
    if (word === "-j" || word === "-g") break;
    if (word === "!") {
      negated = true;
      continue;
    }
    if (word === "--comment") {
      i++;
      continue;
    }
    if (!word.startsWith("-")) continue;
    const values = [rule[i + 1] ?? "", rule[i + 2] ?? ""] as const;
    const plain = option(word, values, packet);
    i += word === "--tcp-flags" ? 2 : 1;
    result = both(result, negated ? not(plain) : plain);
    negated = false;
    if (result === "no") return "no";
  }
  return result;
}

function option(name: string, [value, second]: readonly [string, string], packet: Packet): Match {
  switch (name) {
    case "-m":
      return NEUTRAL.has(value) ? "yes" : "maybe";
    case "-i":
      return test(packet.in, (d) => isDevice(value, d));
    case "-o":
      return test(packet.out, (d) => isDevice(value, d));
    case "-s":
      return isFrom(value, packet.source);
    case "-d":
      return isFrom(value, packet.destination);
    case "-p":
      return value === "all" ? "yes" : test(packet.protocol, (p) => p === protocolName(value));
    case "--dport":
      return test(packet.port, (p) => isPort(value, p));
    case "--dports":
      return test(packet.port, (p) => value.split(",").some((v) => isPort(v, p)));
    case "--icmp-type":
    case "--icmpv6-type":
      // With a code behind a slash it may be one of them.
      return value.includes("/") ? "maybe" : value === "any" ? "yes" : test(packet.icmp, (t) => String(t) === value);
    case "--hl-eq":
      return test(packet.hopLimit, (n) => n === Number(value));
    case "--tcp-flags": {
      const set = second === "NONE" ? "" : second.toLowerCase();
      const asked = value.toLowerCase().split(",");
      return test(tcpFlags(packet), (flags) => flags.filter((f) => asked.includes(f)).sort().join() === sorted(set));
    }
    case "--ctstate":
    case "--state":
      return isInState(value.split(","), packet);
    case "--ctstatus":
      // Only what others do to its destination would make it so, and that is told by itself.
      return value === "DNAT" ? "no" : "maybe";
    default:
      return "maybe";
  }
}

/** Behind the slash is a length, or the mask itself where that is no prefix: `::5/::ffff:ffff:ffff:ffff`. */
function isFrom(network: string, address: string | undefined): Match {
  if (parseEither(network)) return test(address, (a) => isInside(network, a));
  const [base, mask] = network.split("/").map(parseAddress);
  if (!base || !mask || base.family !== mask.family) return "maybe";
  const have = address === undefined ? undefined : parseAddress(address);
  return test(have, (a) => a.family === base.family && (a.value & mask.value) === (base.value & mask.value));
}

/** SNAT and DNAT ask what was done to the connection's addresses. */
function isInState(states: string[], packet: Packet): Match {
  if (states.includes(packet.state)) return "yes";
  return states.includes("SNAT") || states.includes("DNAT") ? "maybe" : "no";
}

const sorted = (list: string) => list.split(",").filter(Boolean).sort().join();

const isDevice = (pattern: string, device: string) =>
  pattern.endsWith("+") ? device.startsWith(pattern.slice(0, -1)) : device === pattern;

/** `80` or `80:90`. */
function isPort(range: string, port: number): boolean {
  const [first, last = first] = range.split(":").map(Number);
  return first! <= port && port <= last!;
}
