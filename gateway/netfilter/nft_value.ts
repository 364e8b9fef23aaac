/** What a packet has where an expression of nftables looks. Pure. libnftables-json(5), nft(8) "EXPRESSIONS". */

import { type Packet, protocolName, tcpFlags } from "./packet.ts";

type Json = Record<string, unknown>;
export const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What a packet has where a rule looks; `absent` when it has no such header, and then no operator matches. */
export type Value =
  | { kind: "device" | "address" | "word" | "protocol"; value: string | undefined }
  | { kind: "number"; value: number | undefined }
  | { kind: "flags"; value: string[] | undefined }
  | { kind: "icmp"; value: number | undefined; six: boolean }
  | { kind: "status" }
  | { kind: "absent" }
  | { kind: "unknown" };

const UNKNOWN: Value = { kind: "unknown" };
const ABSENT: Value = { kind: "absent" };

export function valueOf(left: unknown, packet: Packet): Value {
  if (!isObject(left)) return UNKNOWN;
  if (isObject(left["meta"])) return metaOf(String(left["meta"]["key"]), packet);
  if (isObject(left["ct"])) return trackedOf(String(left["ct"]["key"]), packet);
  if (isObject(left["payload"])) {
    return payloadOf(String(left["payload"]["protocol"]), String(left["payload"]["field"]), packet);
  }
  if (Array.isArray(left["&"])) return masked(left["&"], packet);
  return UNKNOWN;
}

/** `tcp flags & (fin | syn) == syn` */
function masked([field, mask]: unknown[], packet: Packet): Value {
  const have = valueOf(field, packet);
  const names = flagsOf(mask);
  if (have.kind !== "flags" || !names) return have.kind === "absent" ? ABSENT : UNKNOWN;
  return { kind: "flags", value: have.value?.filter((flag) => names.includes(flag)) };
}

/** From the lowest bit on. */
const FLAGS = ["fin", "syn", "rst", "psh", "ack", "urg", "ecn", "cwr"];

/** Several flags are a list with nft 1.0.6, an `|` of them with 1.1.3 and in sets, and a number where nothing masks them. */
export function flagsOf(value: unknown): string[] | undefined {
  if (typeof value === "number") return FLAGS.filter((_, bit) => (value & (1 << bit)) !== 0);
  if (typeof value === "string") return [value];
  const list = isObject(value) ? value["|"] : value;
  if (!Array.isArray(list)) return undefined;
  const parts = list.map(flagsOf);
  return parts.every((part) => part !== undefined) ? parts.flat() : undefined;
}

function metaOf(key: string, packet: Packet): Value {
  const six = packet.family === undefined ? undefined : packet.family === "inet6";
  switch (key) {
    case "iifname":
    case "iif":
      return { kind: "device", value: packet.in };
    case "oifname":
    case "oif":
      return { kind: "device", value: packet.out };
    case "nfproto":
      return { kind: "word", value: six === undefined ? six : six ? "ipv6" : "ipv4" };
    case "protocol":
      return { kind: "word", value: six === undefined ? six : six ? "ip6" : "ip" };
    case "l4proto":
      return { kind: "protocol", value: packet.protocol };
    default:
      return UNKNOWN;
  }
}

function trackedOf(key: string, packet: Packet): Value {
  if (key === "state") return { kind: "word", value: packet.state.toLowerCase() };
  return key === "status" ? { kind: "status" } : UNKNOWN;
}

function payloadOf(protocol: string, field: string, packet: Packet): Value {
  switch (protocol) {
    case "ip":
    case "ip6": {
      if (packet.family !== undefined && (packet.family === "inet6") !== (protocol === "ip6")) return ABSENT;
      if (field === "saddr") return { kind: "address", value: packet.source };
      if (field === "daddr") return { kind: "address", value: packet.destination };
      if (field === "protocol" || field === "nexthdr") return { kind: "protocol", value: packet.protocol };
      return field === "hoplimit" ? { kind: "number", value: packet.hopLimit } : UNKNOWN;
    }
    case "icmp":
    case "icmpv6": {
      const six = protocol === "icmpv6";
      if (packet.protocol !== undefined && packet.protocol !== protocolName(protocol)) return ABSENT;
      return field === "type" && packet.protocol ? { kind: "icmp", value: packet.icmp, six } : UNKNOWN;
    }
    case "tcp":
    case "udp":
      if (packet.protocol !== undefined && packet.protocol !== protocol) return ABSENT;
      if (field === "flags") return { kind: "flags", value: tcpFlags(packet) };
      return field === "dport" && packet.protocol ? { kind: "number", value: packet.port } : UNKNOWN;
    case "th":
      if (packet.protocol !== undefined && !["tcp", "udp", "sctp", "dccp"].includes(packet.protocol)) return ABSENT;
      return field === "dport" ? { kind: "number", value: packet.port } : UNKNOWN;
    case "esp":
    case "ah":
    case "sctp":
    case "dccp":
    case "comp":
      return packet.protocol === undefined ? UNKNOWN : ABSENT;
    default:
      return UNKNOWN;
  }
}

export const ICMP: Record<string, number> = {
  "echo-reply": 0,
  "destination-unreachable": 3,
  "source-quench": 4,
  redirect: 5,
  "echo-request": 8,
  "router-advertisement": 9,
  "router-solicitation": 10,
  "time-exceeded": 11,
  "parameter-problem": 12,
  "timestamp-request": 13,
  "timestamp-reply": 14,
  "info-request": 15,
  "info-reply": 16,
  "address-mask-request": 17,
  "address-mask-reply": 18,
};

export const ICMP6: Record<string, number> = {
  "destination-unreachable": 1,
  "packet-too-big": 2,
  "time-exceeded": 3,
  "parameter-problem": 4,
  "echo-request": 128,
  "echo-reply": 129,
  "mld-listener-query": 130,
  "mld-listener-report": 131,
  "mld-listener-done": 132,
  "mld-listener-reduction": 132,
  "nd-router-solicit": 133,
  "nd-router-advert": 134,
  "nd-neighbor-solicit": 135,
  "nd-neighbor-advert": 136,
  "nd-redirect": 137,
  "router-renumbering": 138,
  "ind-neighbor-solicit": 141,
  "ind-neighbor-advert": 142,
  "mld2-listener-report": 143,
};
