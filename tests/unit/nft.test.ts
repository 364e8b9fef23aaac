/** Native nftables as both Debians print it: what is read, what matches, and what a chain decides. */

import { assert, assertEquals } from "@std/assert";
import { baseChains } from "../../gateway/netfilter/base_chains.ts";
import { nativeChains, type NftChain } from "../../gateway/netfilter/nft.ts";
import { matchOf } from "../../gateway/netfilter/nft_match.ts";
import { ruleText } from "../../gateway/netfilter/nft_text.ts";
import { decideNft } from "../../gateway/netfilter/nft_walk.ts";
import { isDoubtful, type Match, type Packet } from "../../gateway/netfilter/packet.ts";
import { parseSave } from "../../machine/iptables.ts";
import { parseNft } from "../../machine/nft.ts";
import { recorded } from "./recorded.ts";

const DEBIANS = ["bookworm", "trixie"] as const;

const PING: Packet = {
  family: "inet",
  in: "nat64-ygg",
  out: "wg0",
  source: "100.64.0.2",
  destination: "10.0.0.1",
  protocol: "icmp",
  icmp: 8,
  state: "NEW",
};
const SYN: Packet = {
  family: "inet6",
  in: "eth0",
  out: "nat64-ygg",
  destination: "2001:db8:300:4::a00:1",
  protocol: "tcp",
  state: "NEW",
};
const SOLICITATION: Packet = {
  family: "inet6",
  in: "eth0",
  source: "fe80::1",
  protocol: "ipv6-icmp",
  icmp: 135,
  hopLimit: 255,
  state: "UNTRACKED",
};

/** Rules of the recorded chain `forward`, as text, with whether they match the three packets. */
const MATCHES: [string, Match, Match, Match][] = [
  ["iifname { eth0, nat64-* } ct state established,related accept", "no", "no", "no"],
  ["ct state new,untracked accept", "yes", "yes", "yes"],
  ["iif lo drop", "no", "no", "no"],
  ["meta nfproto ipv6 goto sub", "no", "yes", "yes"],
  ["tcp dport 5 drop", "no", "maybe", "no"],
  ["iifname . oifname { eth0 . lo } drop", "no", "no", "maybe"],
  ["ip protocol icmp ip saddr != 10.0.0.0/8 drop", "yes", "no", "no"],
  ["ip daddr 10.0.0.0-10.0.0.9 udp dport 4789 reject with icmp admin-prohibited", "no", "no", "no"],
  ["ip daddr { 10.0.0.0-10.0.0.9, 10.1.0.0/16 } tcp flags & syn,ack syn drop", "no", "no", "no"],
  ["icmpv6 type nd-neighbor-solicit ip6 hoplimit 255 accept", "no", "no", "yes"],
  ["icmp type echo-request drop", "yes", "no", "no"],
  ["fib daddr type local drop", "maybe", "maybe", "maybe"],
  ["iifname != eth0 oifname nat64-* reject with icmpx port-unreachable", "no", "no", "no"],
  ["ip6 nexthdr ipv6-icmp drop", "no", "no", "yes"],
  ["meta protocol ip6 drop", "no", "yes", "yes"],
  ["ct direction reply accept", "maybe", "maybe", "maybe"],
  ["ct status dnat accept", "no", "no", "no"],
  ['log prefix "x" drop', "yes", "yes", "yes"],
  ["ip saddr . tcp dport { 1.2.3.4 . 80 } drop", "no", "no", "no"],
  ["ip daddr 10.0.0.0/8 drop", "yes", "no", "no"],
  ["tcp flags & fin,syn,rst,ack syn drop", "no", "yes", "no"],
  ["ct state != established drop", "yes", "yes", "yes"],
];

for (const debian of DEBIANS) {
  const { chains, tables } = parseNft(recorded("firewalls", `many-${debian}.nft.json`));
  const rules = chains.find((c) => c.name === "forward")!.rules;
  // 1.1.3 prints a mask as an `|` of its parts.
  const plain = (text: string) => text.replace(/\b(\w+) \| (?=\w)/g, "$1,");

  Deno.test(`parseNft: tables, base chains and their rules of ${debian}`, () => {
    assertEquals(tables, ["inet mine", "netdev nd", "inet nd2"]);
    const bases = chains.filter((c) => c.hook).map((c) => `${c.family} ${c.table} ${c.name} ${c.hook} ${c.priority}`);
    assertEquals(bases, [
      "inet mine forward forward 10",
      "inet mine pre prerouting -300",
      "inet mine n prerouting -100",
      "netdev nd ing ingress 0",
      "inet nd2 ing ingress 0",
    ]);
    assertEquals(chains.find((c) => c.name === "forward")?.policy, "drop");
    // nft 1.0.6 does not say for which device an ingress chain is.
    assertEquals(chains.find((c) => c.table === "nd")?.devices, debian === "bookworm" ? undefined : ["eth0"]);
  });

  for (const [text, ...wanted] of MATCHES) {
    Deno.test(`matchOf: ${text}, ${debian}`, () => {
      const rule = rules.find((r) => plain(ruleText(r)) === text);
      assert(rule, `no such rule; there are:\n${rules.map((r) => plain(ruleText(r))).join("\n")}`);
      const match = (packet: Packet) =>
        rule.expr.map((e) => matchOf(e, packet)).reduce<Match>(
          (a, b) => a === "no" || b === "no" ? "no" : a === "yes" ? b : a,
          "yes",
        );
      assertEquals([PING, SYN, SOLICITATION].map(match), wanted);
    });
  }
}

const chain = (expr: unknown[][], more: Partial<NftChain> = {}): NftChain => ({
  family: "inet",
  table: "mine",
  name: "forwarding",
  type: "filter",
  hook: "forward",
  priority: 0,
  policy: "accept",
  rules: expr.map((e) => ({ expr: e as NftChain["rules"][number]["expr"] })),
  ...more,
});
const iifname = (right: unknown) => ({ match: { op: "==", left: { meta: { key: "iifname" } }, right } });
const sub = (expr: unknown[][]) => ({ ...chain(expr), name: "sub", hook: undefined } as unknown as NftChain);
const decided = (base: NftChain, ...subs: NftChain[]) => {
  const { target, doubts } = decideNft(Object.fromEntries(subs.map((c) => [c.name, c])), base, PING);
  return [target, ...doubts].join(" ");
};
const jump = (how: "jump" | "goto") => ({ [how]: { target: "sub" } });
const VMAP = {
  vmap: { key: { ct: { key: "state" } }, data: { set: [["established", { accept: null }], ["new", { drop: null }]] } },
};

const DECISIONS: [string, string, NftChain, ...NftChain[]][] = [
  ["the policy has the last word", "DROP", chain([], { policy: "drop" })],
  [
    "an accept in a chain that is jumped to ends the base chain",
    "ACCEPT",
    chain([[jump("jump")], [{ drop: null }]]),
    sub([[{ accept: null }]]),
  ],
  ["what is jumped to comes back", "DROP", chain([[jump("jump")], [{ drop: null }]]), sub([])],
  ["NAT of the other family is none", "ACCEPT", chain([[{ dnat: { family: "ip6", addr: "::1" } }]])],
  [
    "NAT by a map is for what is in it",
    "ACCEPT DNAT",
    chain([
      [{ dnat: { addr: { map: { key: { payload: { protocol: "ip", field: "daddr" } }, data: "@m" } } } }],
      [{ dnat: { addr: { map: { key: { meta: { key: "iifname" } }, data: { set: [["eth9", "192.0.2.1"]] } } } } }],
    ]),
  ],
  ["what is gone to does not", "ACCEPT", chain([[jump("goto")], [{ drop: null }]]), sub([])],
  [
    "what may be gone to may not come back",
    "DROP RETURN",
    chain([[iifname("@own"), jump("goto")], [{ drop: null }]]),
    sub([]),
  ],
  [
    "what may be jumped to comes back",
    "DROP",
    chain([[iifname("@own"), jump("jump")], [{ drop: null }]]),
    sub([]),
  ],
  ["a return ends the chain", "ACCEPT", chain([[{ return: null }], [{ drop: null }]])],
  ["a map of states to verdicts", "DROP", chain([[VMAP]])],
  [
    "a named map may accept",
    "DROP ACCEPT",
    chain([[{ vmap: { key: { meta: { key: "iifname" } }, data: "@m" } }], [{ drop: null }]]),
  ],
  ["a named set is a doubt", "ACCEPT DROP", chain([[iifname("@bad"), { drop: null }]])],
  ["a limit is a doubt", "DROP ACCEPT", chain([[{ limit: { rate: 1 } }, { accept: null }]], { policy: "drop" })],
  ["a counter, a log and a comment are none", "DROP", chain([[{ counter: {} }, { log: null }, { drop: null }]])],
  [
    "a match of iptables is a doubt, its comment is not",
    "DROP ACCEPT",
    chain([[{ xt: { type: "match", name: "comment" } }, { xt: { type: "match", name: "conntrack" } }, {
      accept: null,
    }]], { policy: "drop" }),
  ],
  ["a target of iptables counts by its name", "REJECT", chain([[{ xt: { type: "target", name: "REJECT" } }]])],
  [
    "what has no such header is not what is not equal",
    "ACCEPT",
    chain([[{ match: { op: "!=", left: { payload: { protocol: "ip6", field: "saddr" } }, right: "::1" } }, {
      drop: null,
    }]]),
  ],
  ["chains that call each other come to an end", "ACCEPT", chain([[jump("jump")]]), sub([[jump("jump")]])],
];

for (const [name, want, base, ...subs] of DECISIONS) {
  Deno.test(`decideNft: ${name}`, () => assertEquals(decided(base, ...subs), want));
}

Deno.test("decideNft: where tracking is switched off is remembered, and the next rule asked", () => {
  const of = (base: NftChain, ...subs: NftChain[]) => {
    const { target, untracked } = decideNft(Object.fromEntries(subs.map((c) => [c.name, c])), base, PING);
    return [target, ...(untracked ? [untracked.chain, untracked.top, untracked.rule, ...untracked.doubts] : [])];
  };
  const off = [iifname("nat64-ygg"), { notrack: null }];
  const text = ["iifname nat64-ygg notrack"];
  assertEquals(of(chain([off, [{ drop: null }]])), ["DROP", "forwarding", 0, text]);
  assertEquals(of(chain([[{ counter: null }], [jump("jump")]]), sub([off])), ["ACCEPT", "sub", 1, text]);
  assertEquals(of(chain([[iifname("@own"), { return: null }], off])), ["ACCEPT", "forwarding", 1, text, "RETURN"]);
  assertEquals(of(chain([[iifname("@own"), jump("jump")]]), sub([off])), ["ACCEPT"]);
});

Deno.test("nativeChains: only what iptables-save does not show", () => {
  const of = (family: NftChain["family"], table: string, name: string) => chain([], { family, table, name });
  const all = [
    of("ip", "filter", "FORWARD"),
    of("ip", "filter", "mynative"),
    of("ip", "mine", "FORWARD"),
    of("inet", "filter", "forward"),
    of("ip6", "filter", "FORWARD"),
  ];
  const rules = { inet: parseSave("*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n"), inet6: {} };
  const names = (unreadable: string[]) =>
    nativeChains(all, rules, unreadable).map((c) => `${c.family} ${c.table} ${c.name}`);
  assertEquals(names([]), ["ip filter mynative", "ip mine FORWARD", "inet filter forward", "ip6 filter FORWARD"]);
  assertEquals(names(["ip filter"])[0], "ip filter FORWARD");
});

Deno.test("baseChains: in the order in which the kernel calls them, whoever made them", () => {
  const survey = {
    rules: { inet: parseSave("*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n*mangle\n:FORWARD ACCEPT [0:0]\nCOMMIT\n") },
    legacy: { inet: parseSave("*nat\n:POSTROUTING ACCEPT [0:0]\nCOMMIT\n*raw\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n") },
    native: [
      chain([], { priority: -5 }),
      chain([], { family: "ip6", name: "six" }),
      chain([], { hook: "postrouting", name: "late", priority: 300 }),
    ],
  };
  assertEquals(
    baseChains(survey as never, "inet").map((c) => `${c.backend} ${c.chain} ${c.priority}`),
    [
      "iptables-legacy PREROUTING -300",
      "iptables FORWARD -150",
      "nft forwarding -5",
      "iptables FORWARD 0",
      "iptables-legacy POSTROUTING 100",
      "nft late 300",
    ],
  );
});

Deno.test("isDoubtful: a drop that may have happened earlier is none", () => {
  assertEquals([["DROP"], ["ACCEPT"], ["LOG", "RETURN"]].map((doubts) => isDoubtful({ doubts })), [false, true, true]);
});
