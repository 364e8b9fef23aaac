/** Single statements of nftables as 1.0.6 and 1.1.3 print them: which packets they let through, and how they read. */

import { assertEquals } from "@std/assert";
import { matchOf } from "../../gateway/netfilter/nft_match.ts";
import { ruleText } from "../../gateway/netfilter/nft_text.ts";
import type { Match, Packet } from "../../gateway/netfilter/packet.ts";

const SYN: Packet = {
  family: "inet",
  in: "nat64-ygg",
  out: "wg0",
  source: "100.64.0.2",
  protocol: "tcp",
  state: "NEW",
};
const ACK: Packet = { ...SYN, state: "ESTABLISHED" };
const SOLICITATION: Packet = { family: "inet6", in: "eth0", protocol: "ipv6-icmp", icmp: 135, state: "UNTRACKED" };

const field = (protocol: string, name: string) => ({ payload: { protocol, field: name } });
const OVER = { limit: { rate: 100, burst: 5, per: "second", inv: true } };

/** Statement, how it reads, and whether it lets through the beginning of a connection, what follows, a solicitation. */
type Case = [Record<string, unknown>, string, Match, Match, Match];

const NEVER = ["no", "no", "no"] as const;

const KEPT: Case[] = [
  [
    { set: { op: "update", elem: field("ip", "saddr"), set: "@flood", stmt: [OVER] } },
    "update @flood { ip saddr limit rate over 100/second }",
    ...["maybe", "maybe", "no"] as const,
  ],
  [
    { set: { op: "add", elem: { elem: { val: field("ip", "saddr"), timeout: 10 } }, set: "@seen" } },
    "add @seen { ip saddr timeout 10s }",
    ...["yes", "yes", "no"] as const,
  ],
  [
    { set: { op: "update", elem: field("ip", "saddr"), set: "@seen", stmt: [{ counter: null }] } },
    "update @seen { ip saddr counter }",
    ...["yes", "yes", "no"] as const,
  ],
  [
    { map: { op: "update", elem: field("ip6", "saddr"), data: field("tcp", "dport"), map: "@m", stmt: [OVER] } },
    "update @m { ip6 saddr limit rate over 100/second : tcp dport }",
    ...["no", "no", "maybe"] as const,
  ],
  [
    { meter: { key: field("ip", "saddr"), stmt: OVER, size: 65535, name: "m" } },
    "meter m { ip saddr limit rate over 100/second }",
    ...["maybe", "maybe", "no"] as const,
  ],
  [
    {
      meter: {
        key: { concat: [field("ip", "saddr"), field("tcp", "dport")] },
        stmt: { "ct count": { val: 10, inv: true } },
        size: 65535,
        name: "m2",
      },
    },
    "meter m2 { ip saddr . tcp dport ct count over 10 }",
    ...["maybe", "maybe", "no"] as const,
  ],
];

const flags = (op: string, right: unknown, mask?: unknown): Record<string, unknown> => ({
  match: { op, left: mask ? { "&": [field("tcp", "flags"), mask] } : field("tcp", "flags"), right },
});
const BOTH = ["fin", "syn"];

/** The beginning of a connection has SYN alone. */
const FLAGS: Case[] = [
  [flags("==", BOTH, BOTH), "tcp flags & fin,syn fin,syn", "no", "no", "no"],
  [flags("==", { "|": BOTH }, { "|": BOTH }), "tcp flags & fin | syn fin | syn", "no", "no", "no"],
  [flags("!=", BOTH, BOTH), "tcp flags & fin,syn != fin,syn", "yes", "yes", "no"],
  [flags("==", "syn", ["syn", "fin", "ack"]), "tcp flags & syn,fin,ack syn", "yes", "no", "no"],
  [
    flags("==", ["ack", "syn"], { "|": [{ "|": ["syn", "fin"] }, "ack"] }),
    "tcp flags & syn | fin | ack ack,syn",
    ...NEVER,
  ],
  [flags("==", 18), "tcp flags 18", ...NEVER],
  [flags("==", 2), "tcp flags 2", "yes", "no", "no"],
  [flags("!=", 18), "tcp flags != 18", "yes", "yes", "no"],
  [flags("==", { set: ["fin", { "|": ["syn", "ack"] }] }), "tcp flags { fin, syn | ack }", ...NEVER],
  [flags("==", { set: ["syn", "ack"] }), "tcp flags { syn, ack }", "yes", "yes", "no"],
  // `&` of them that is not 0.
  [flags("in", BOTH), "tcp flags fin,syn", "yes", "no", "no"],
  [flags("in", "ack"), "tcp flags ack", "no", "yes", "no"],
  [flags("==", { or: 1 }), 'tcp flags {"or":1}', "maybe", "maybe", "no"],
];

const asks = (left: unknown, right: unknown, op = "=="): Record<string, unknown> => ({ match: { op, left, right } });
const NEIGHBOURS = { range: ["nd-router-solicit", "nd-neighbor-advert"] };
const TYPE = field("icmpv6", "type");
const PROTOCOL = { meta: { key: "l4proto" } };

const RANGES: Case[] = [
  [asks(TYPE, NEIGHBOURS), "icmpv6 type nd-router-solicit-nd-neighbor-advert", "no", "no", "yes"],
  [asks(TYPE, NEIGHBOURS, "!="), "icmpv6 type != nd-router-solicit-nd-neighbor-advert", ...NEVER],
  [asks(TYPE, { range: [128, "mld-listener-done"] }), "icmpv6 type 128-mld-listener-done", ...NEVER],
  [
    asks(TYPE, { set: ["echo-request", NEIGHBOURS] }),
    "icmpv6 type { echo-request, nd-router-solicit-nd-neighbor-advert }",
    ...["no", "no", "yes"] as const,
  ],
  [asks(PROTOCOL, { range: [1, 58] }), "meta l4proto 1-58", "yes", "yes", "yes"],
  [asks(PROTOCOL, { set: ["icmp", { range: ["tcp", 17] }] }), "meta l4proto { icmp, tcp-17 }", "yes", "yes", "no"],
  [asks(PROTOCOL, { range: ["egp", 58] }), "meta l4proto egp-58", "maybe", "maybe", "maybe"],
  [asks(PROTOCOL, 200), "meta l4proto 200", ...NEVER],
  [asks({ meta: { key: "iif" } }, { range: ["lo", "3"] }), "iif lo-3", "maybe", "maybe", "maybe"],
  [asks(field("ip", "saddr"), { odd: 1 }, "!="), 'ip saddr != {"odd":1}', "maybe", "maybe", "no"],
  [asks({ ct: { key: "state" } }, { odd: 1 }), 'ct state {"odd":1}', "maybe", "maybe", "maybe"],
];

const map = (key: unknown, ...pairs: [unknown, unknown][]) => ({ map: { key, data: { set: pairs } } });
const PORT = field("tcp", "dport");

/** The family of `table ip` is not printed. */
const NAT: Case[] = [
  [{ dnat: { family: "ip", addr: "192.168.0.5" } }, "dnat ip to 192.168.0.5", "yes", "yes", "no"],
  [{ dnat: { family: "ip6", addr: "::1", port: 80 } }, "dnat ip6 to [::1]:80", "no", "no", "yes"],
  [{ dnat: { addr: "192.168.0.5" } }, "dnat to 192.168.0.5", "yes", "yes", "yes"],
  [{ masquerade: null }, "masquerade", "yes", "yes", "yes"],
  [
    { dnat: { family: "ip", addr: map(PORT, [80, "192.168.0.5"], [{ range: [90, 99] }, { concat: ["::1", 80] }]) } },
    "dnat ip to tcp dport map { 80 : 192.168.0.5, 90-99 : ::1 . 80 }",
    ...["maybe", "maybe", "no"] as const,
  ],
  [
    { snat: { addr: map(field("ip", "saddr"), ["192.168.1.5", "198.51.100.5"]) } },
    "snat to ip saddr map { 192.168.1.5 : 198.51.100.5 }",
    ...NEVER,
  ],
  [
    { snat: { addr: map(field("ip", "saddr"), [{ prefix: { addr: "100.64.0.0", len: 10 } }, "198.51.100.5"]) } },
    "snat to ip saddr map { 100.64.0.0/10 : 198.51.100.5 }",
    ...["yes", "yes", "no"] as const,
  ],
  [
    { dnat: { addr: { map: { key: field("ip", "daddr"), data: "@to" } } } },
    "dnat to ip daddr map @to",
    ...["maybe", "maybe", "no"] as const,
  ],
  [{ redirect: { port: map(PORT, [22, 8080]) } }, "redirect to :tcp dport map { 22 : 8080 }", "maybe", "maybe", "no"],
];

for (const [statement, text, ...wanted] of [...KEPT, ...FLAGS, ...RANGES, ...NAT]) {
  Deno.test(`matchOf: ${text}: ${wanted.join()}`, () => {
    assertEquals(ruleText({ expr: [statement] }), text);
    assertEquals([SYN, ACK, SOLICITATION].map((packet) => matchOf(statement, packet)), wanted);
  });
}
