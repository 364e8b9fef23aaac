/** Whether a statement of nftables matches a packet. Pure. libnftables-json(5), nft(8) "EXPRESSIONS". */

import { flagsOf, ICMP, ICMP6, isObject, type Value, valueOf } from "./nft_value.ts";
import {
  both,
  isBetween,
  isInside,
  type Match,
  not,
  type Packet,
  protocolName,
  protocolNumber,
  sameAddress,
  test,
} from "./packet.ts";

type Json = Record<string, unknown>;

/** A statement that is no match is "yes", but for those that let only some packets through. */
export function matchOf(statement: Json, packet: Packet): Match {
  if (isObject(statement["match"])) {
    const { op, left, right } = statement["match"];
    if (op === "!=") return hasHeader(left, packet) ? not(compare("==", left, right, packet)) : "no";
    return op === "==" || op === "in" ? compare(op, left, right, packet) : "maybe";
  }
  if ("xt" in statement) {
    const { type, name } = (statement["xt"] ?? {}) as { type?: string; name?: string };
    return type === "target" || name === "comment" ? "yes" : "maybe";
  }
  const nat = NAT.find((name) => name in statement);
  if (nat) return natMatch(statement[nat], packet);
  const kept = statement["set"] ?? statement["map"] ?? statement["meter"];
  if (isObject(kept)) return keepMatch(kept, packet);
  return ["limit", "quota", "ct count", "unread"].some((name) => name in statement) ? "maybe" : "yes";
}

/** What is kept of a packet in a set or a meter: a rule goes on where the packet has it, and the element's own limit lets it. */
function keepMatch({ elem, key = elem, stmt = [] }: Json, packet: Packet): Match {
  const inner = isObject(key) && isObject(key["elem"]) ? key["elem"]["val"] : key;
  if (!hasHeader(inner, packet)) return "no";
  return [stmt].flat().map((one) => isObject(one) ? matchOf(one, packet) : "maybe").reduce(both, "yes" as Match);
}

const NAT = ["snat", "dnat", "masquerade", "redirect"];

/** In a table inet it is for one family, and where a map says whereto, for what is in it. */
function natMatch(value: unknown, packet: Packet): Match {
  if (!isObject(value)) return "yes";
  const { family, addr, port } = value;
  const its = family === undefined
    ? "yes"
    : test(packet.family, (have) => family === (have === "inet6" ? "ip6" : "ip"));
  return [addr, port].map((to) => isInMap(to, packet)).reduce(both, its);
}

function isInMap(value: unknown, packet: Packet): Match {
  const map = isObject(value) ? value["map"] : undefined;
  if (!isObject(map)) return "yes";
  if (!hasHeader(map["key"], packet)) return "no";
  const set = isObject(map["data"]) ? map["data"]["set"] : undefined;
  // The elements of a named map are not in the ruleset as it is read.
  if (!Array.isArray(set) || !set.every(Array.isArray)) return "maybe";
  return anyOf(set.map(([key]) => mapMatch(map["key"], key, packet)));
}

export const mapMatch = (key: unknown, value: unknown, packet: Packet): Match => compare("==", key, value, packet);

function hasHeader(left: unknown, packet: Packet): boolean {
  if (isObject(left) && Array.isArray(left["concat"])) return left["concat"].every((l) => hasHeader(l, packet));
  return valueOf(left, packet).kind !== "absent";
}

/** `in` asks for one of several flags, `==` for just these. */
function compare(op: "==" | "in", left: unknown, right: unknown, packet: Packet): Match {
  if (isObject(right) && Array.isArray(right["set"])) {
    return anyOf(right["set"].map((element) => compare("==", left, element, packet)));
  }
  // With a comment, a counter or a timeout of its own.
  if (isObject(right) && isObject(right["elem"])) return compare(op, left, right["elem"]["val"], packet);
  if (isObject(left) && Array.isArray(left["concat"])) {
    const parts = isObject(right) && Array.isArray(right["concat"]) ? right["concat"] : undefined;
    if (!parts) return hasHeader(left, packet) ? "maybe" : "no";
    return left["concat"].map((l, i) => compare(op, l, parts[i], packet)).reduce(both, "yes" as Match);
  }
  const have = valueOf(left, packet);
  if (have.kind === "absent") return "no";
  if (have.kind === "unknown" || (typeof right === "string" && right.startsWith("@"))) return "maybe";
  if (right === "*") return "yes";
  if (have.kind === "flags") return sameFlags(op, have.value, right);
  return Array.isArray(right) ? anyOf(right.map((one) => same(have, one))) : same(have, right);
}

const anyOf = (matches: Match[]): Match => matches.includes("yes") ? "yes" : matches.includes("maybe") ? "maybe" : "no";

function sameFlags(op: "==" | "in", have: string[] | undefined, right: unknown): Match {
  const asked = flagsOf(right);
  if (!asked) return "maybe";
  return test(have, (flags) => {
    if (op === "in") return asked.some((flag) => flags.includes(flag));
    return [...flags].sort().join() === [...asked].sort().join();
  });
}

/** What is no value that is understood here may be the packet's. */
function same(have: Value, right: unknown): Match {
  switch (have.kind) {
    case "device":
      return typeof right === "string" ? test(have.value, (name) => isDevice(right, name)) : "maybe";
    case "address":
      return sameOrInside(have.value, right);
    case "number":
      return within(have.value, right, numberOf);
    case "protocol":
      // One alone may have any name.
      return isObject(right)
        ? within(have.value === undefined ? undefined : protocolNumber(have.value), right, protocolNumber)
        : test(have.value, (p) => protocolName(right as string) === p);
    case "icmp":
      return within(have.value, right, (type) => (have.six ? ICMP6 : ICMP)[String(type)] ?? numberOf(type));
    case "word":
      return isObject(right) ? "maybe" : test(have.value, (word) => word === right);
    case "status":
      // Only what others do to its destination would make it so, and that is told by itself.
      return right === "dnat" ? "no" : "maybe";
    default:
      return "maybe";
  }
}

const isDevice = (pattern: string, device: string) =>
  pattern.endsWith("*") ? device.startsWith(pattern.slice(0, -1)) : device === pattern;

function sameOrInside(have: string | undefined, right: unknown): Match {
  if (typeof right === "string") return test(have, (address) => sameAddress(right, address));
  if (!isObject(right)) return "maybe";
  const { prefix, range } = right;
  if (isObject(prefix)) return test(have, (address) => isInside(`${prefix["addr"]}/${prefix["len"]}`, address));
  return Array.isArray(range)
    ? test(have, (address) => isBetween(String(range[0]), String(range[1]), address))
    : "maybe";
}

/** A value, or a range of them; of each end the number. */
function within(have: number | undefined, right: unknown, number: (end: unknown) => number | undefined): Match {
  const range = isObject(right) ? right["range"] : [right, right];
  const [first, last] = Array.isArray(range) ? range.map(number) : [];
  return first === undefined || last === undefined ? "maybe" : test(have, (n) => first <= n && n <= last);
}

const numberOf = (value: unknown): number | undefined =>
  typeof value === "number" ? value : typeof value === "string" && /^\d+$/.test(value) ? Number(value) : undefined;
