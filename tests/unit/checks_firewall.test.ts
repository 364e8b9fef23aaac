/** The walk through a table, against rules as ufw, Docker and people write them. */

import { assertEquals } from "@std/assert";
import { firewallOwner } from "../../checks/firewall_owner.ts";
import { decide, matches, type Packet } from "../../gateway/netfilter/iptables_walk.ts";
import { parseSave } from "../../machine/iptables.ts";

const PACKET: Packet = { in: "nat64-ygg", out: "wg0", source: "100.64.0.2", destination: "10.0.0.1", state: "NEW" };

const RULES: [string, "yes" | "no" | "maybe"][] = [
  ["-j DROP", "yes"],
  ["-i nat64-ygg -j DROP", "yes"],
  ["-i nat64-+ -j DROP", "yes"],
  ["-i eth0 -j DROP", "no"],
  ["! -i eth0 -j DROP", "yes"],
  ["! -i nat64-ygg -o wg0 -j DROP", "no"],
  ["-s 100.64.0.0/10 -d 10.0.0.0/8 -j DROP", "yes"],
  ["! -s 100.64.0.0/10 -j DROP", "no"],
  ["-d 10.0.0.1/32 -j DROP", "yes"],
  ["-d 192.0.2.0/24 -j DROP", "no"],
  ["-d 0.0.0.1/255.0.0.0 -j DROP", "no"],
  ["-d 10.0.0.1/255.255.255.0 -j DROP", "yes"],
  ["-d 10.0.0.1/255.0.0.255 -j DROP", "yes"],
  ["-d 0.0.0.5/0.0.0.255 -j DROP", "no"],
  ["! -d 0.0.0.1/0.0.0.255 -j DROP", "no"],
  ["! -d ::1/::ffff -j DROP", "yes"],
  ["-d router.example -j DROP", "maybe"],
  ["-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "no"],
  ["-m conntrack ! --ctstate RELATED,ESTABLISHED -j DROP", "yes"],
  ["-m conntrack --ctstate SNAT -j DROP", "maybe"],
  ["-m conntrack ! --ctstate DNAT -j DROP", "maybe"],
  ["-m conntrack --ctstate NEW,DNAT -j DROP", "yes"],
  ["-p tcp -j DROP", "maybe"],
  ["-i eth0 -p tcp -j DROP", "no"],
  ["-m mark --mark 0x1 -j DROP", "maybe"],
  ["-m ah -j DROP", "maybe"],
  ["-m eui64 -j DROP", "maybe"],
  ["-i eth0 -m rpfilter -j DROP", "no"],
  ["-i nat64-ygg -m rpfilter -j RETURN", "maybe"],
  ["-s 100.64.0.0/10 -m rpfilter --invert -m comment --comment forged -j DROP", "maybe"],
  ["-m addrtype --dst-type LOCAL -j DROP", "maybe"],
  ["-m hl --hl-eq 255 -i eth0 -j DROP", "no"],
  ["-m comment --comment -i -j DROP", "yes"],
];

for (const [rule, want] of RULES) {
  Deno.test(`matches: ${rule}: ${want}`, () => assertEquals(matches(rule.split(" "), PACKET), want));
}

const filter = (text: string) => parseSave(`*filter\n${text}\nCOMMIT\n`)["filter"]!;

Deno.test("decide: the policy has the last word", () => {
  const decision = decide(filter(":FORWARD DROP [0:0]\n-A FORWARD -i eth0 -j ACCEPT"), "FORWARD", PACKET);
  assertEquals([decision?.target, decision?.rule, decision?.top], ["DROP", undefined, 1]);
});

Deno.test("decide: a chain that returns goes on where it was called from", () => {
  const table = filter(
    ":FORWARD ACCEPT [0:0]\n:A - [0:0]\n-A FORWARD -j A\n-A FORWARD -o wg0 -j REJECT\n-A A -i nat64-ygg -j RETURN\n-A A -j ACCEPT",
  );
  assertEquals(decide(table, "FORWARD", PACKET)?.target, "REJECT");
});

Deno.test("decide: what might match is a doubt, not a decision", () => {
  const table = filter(":FORWARD DROP [0:0]\n-A FORWARD -p tcp -j ACCEPT");
  assertEquals(decide(table, "FORWARD", PACKET), { target: "DROP", chain: "FORWARD", top: 1, doubts: ["ACCEPT"] });
});

Deno.test("decide: a chain that may be gone to is a return that may be, one that may be jumped to is none", () => {
  const text = (how: string) =>
    `:FORWARD ACCEPT [0:0]\n:A - [0:0]\n:B - [0:0]\n-A FORWARD -j A\n-A A -m set --match-set own src ${how} B\n-A A -j DROP\n-A B -j LOG`;
  const seen = (how: string) => {
    const { target, doubts } = decide(filter(text(how)), "FORWARD", PACKET)!;
    return [target, ...doubts];
  };
  assertEquals(seen("-g"), ["DROP", "RETURN"]);
  assertEquals(seen("-j"), ["DROP"]);
});

Deno.test("decide: a target that is not known may end a packet's way, one that goes on does not", () => {
  const doubts = (target: string) =>
    decide(filter(`:FORWARD ACCEPT [0:0]\n-A FORWARD -j ${target}`), "FORWARD", PACKET)!.doubts;
  assertEquals(["TARPIT", "SYNPROXY", "LOG --log-prefix x", "TCPMSS --set-mss 1220", "HL --hl-inc 1"].map(doubts), [
    ["DROP"],
    ["DROP"],
    [],
    [],
    [],
  ]);
});

Deno.test("decide: chains that call each other come to an end", () => {
  const table = filter(":FORWARD ACCEPT [0:0]\n:A - [0:0]\n-A FORWARD -j A\n-A A -j A");
  assertEquals(decide(table, "FORWARD", PACKET)?.target, "ACCEPT");
});

Deno.test("decide: where tracking is switched off is remembered, and the next rule asked", () => {
  const raw = (...rules: string[]) =>
    decide(filter([":FORWARD ACCEPT [0:0]\n:A - [0:0]", ...rules].join("\n-A ")), "FORWARD", PACKET)!;
  const seen = ({ target, untracked }: ReturnType<typeof raw>) => [
    target,
    ...(untracked ? [untracked.chain, untracked.top, ...untracked.doubts] : []),
  ];
  const off = "-i nat64-ygg -j CT --notrack";
  assertEquals(seen(raw(`FORWARD ${off}`, "FORWARD -o wg0 -j DROP")), ["DROP", "FORWARD", 0]);
  assertEquals(seen(raw("FORWARD -j LOG", "FORWARD -j A", `A ${off}`)), ["ACCEPT", "A", 1]);
  assertEquals(seen(raw("FORWARD -m mark --mark 1 -j RETURN", "FORWARD -j A", `A ${off}`)), [
    "ACCEPT",
    "A",
    1,
    "RETURN",
  ]);
  assertEquals(seen(raw("FORWARD -p tcp -j A", `A ${off}`)), ["ACCEPT"]);
  assertEquals(seen(raw("FORWARD -j CT --helper ftp", "FORWARD -j ACCEPT")), ["ACCEPT"]);
});

Deno.test("firewallOwner: by the names of chains", () => {
  assertEquals(firewallOwner(filter(":FORWARD DROP [0:0]\n:ufw-user-forward - [0:0]")), "ufw");
  assertEquals(firewallOwner(filter(":FORWARD DROP [0:0]\n:DOCKER-USER - [0:0]")), "Docker");
  assertEquals(firewallOwner(filter(":FORWARD DROP [0:0]")), undefined);
});
