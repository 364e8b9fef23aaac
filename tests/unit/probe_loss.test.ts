/** Where packets got lost by what was counted, and by whose rule. Traces and counters are from real machines. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { isAnswered, lossOf } from "../../checks/probe_loss.ts";
import type { Through } from "../../checks/probe_result.ts";
import { placeOf } from "../../checks/probe_words.ts";
import { parseSave } from "../../machine/iptables.ts";
import { healthy } from "./surveys/builder.ts";
import { by, get, through } from "./surveys/probed.ts";

const CASES: [missed: string, Partial<Through>, aside: string[], hop: string, where: string][] = [
  ["q6-in", {}, [], "uplink", "at the probe's own client"],
  [
    "q6-prerouted",
    by("ip6 raw", "PREROUTING", "drop"),
    [],
    "forward",
    'between eth0 and nat64-ygg: ip6 raw PREROUTING, rule "drop"',
  ],
  [
    "q6-routed",
    get("RTNETLINK answers: Network is unreachable"),
    [],
    "translator",
    "routing, there is no route for them",
  ],
  [
    "q6-routed",
    get("x from y dev eth1 table 9 proto static"),
    ["q6-astray"],
    "translator",
    "they are sent to eth1 by table 9",
  ],
  ["q6-forwarded", by("inet guard", "mine"), [], "forward", "between eth0 and nat64-ygg: inet guard mine, policy DROP"],
  ["q6-out", {}, [], "forward", "POSTROUTING, by a rule that nftables does not trace"],
  ["q4-in", {}, [], "translator", "packets went into nat64-ygg, none came out"],
  [
    "q4-routed",
    get("RTNETLINK answers: Invalid argument"),
    [],
    "overlay",
    "between nat64-ygg and wg0: routing, a blackhole route",
  ],
  ["q4-forwarded", by("ip filter", "CRXN-FORWARD", "drop"), [], "forward", "set by crxn"],
  ["a4-in", {}, [], "target", "beyond wg0: packets left, no answer came back"],
  ["a4-in", get("10.1.0.3 FAILED"), [], "overlay", "no neighbour there answers for 10.1.0.3"],
  ["a4-in", get("10.0.0.1 FAILED \n10.1.0.3 lladdr 02:00:00:00:00:01 STALE"), [], "target", "no answer came back"],
  [
    "a4-in",
    get("10.1.0.3 lladdr 02:00:00:00:00:99 PERMANENT"),
    [],
    "overlay",
    "no answer came back; the link address of 10.1.0.3 is fixed by hand",
  ],
  ["a4-in", get("10.9.0.9 lladdr 02:00:00:00:00:99 PERMANENT"), [], "target", "no answer came back"],
  ["a4-in", {}, ["a4-elsewhere"], "target", "answers come in by another device than wg0"],
  [
    "a4-routed",
    get(""),
    ["a4-local"],
    "translator",
    "taken for the machine's own: nothing gives them the pool's address back",
  ],
  ["a4-routed", get("RTNETLINK answers: Invalid cross-device link"), [], "translator", "rp_filter"],
  [
    "a4-forwarded",
    by("ip filter", "FORWARD"),
    [],
    "forward",
    "on the way back, between wg0 and nat64-ygg: ip filter FORWARD, policy DROP",
  ],
  ["a6-in", {}, [], "translator", "on the way back, in the translator"],
  [
    "a6-routed",
    get("RTNETLINK answers: No route to host"),
    [],
    "uplink",
    "on the way back, between nat64-ygg and eth0: routing",
  ],
];

for (const [missed, more, aside, hop, where] of CASES) {
  Deno.test(`probe: lost before ${missed}: ${hop}, ${where}`, async () => {
    const { survey } = await healthy("interface");
    const seen = through("small", missed, more, aside);
    const place = placeOf(lossOf(seen, "small")!, seen, survey, "eth0");
    assertEquals(place.hop, hop);
    assertStringIncludes(place.where, where);
  });
}

Deno.test("probe: an ICMP error from beyond is handed on", async () => {
  const { survey } = await healthy("interface");
  const seen = through("small", "a4-in");
  seen.flows.small!.error = "2001:db8:300:4::a01:1: Destination unreachable: No route";
  assertEquals(
    placeOf(lossOf(seen, "small")!, seen, survey, "eth0").where,
    "beyond wg0: packets left, but an error: 2001:db8:300:4::a01:1: Destination unreachable: No route",
  );
});

Deno.test("probe: who set a policy is told by the chains beside it", async () => {
  const { survey } = await healthy("interface");
  survey.rules.inet!.filter!["ufw-user-forward"] = { name: "ufw-user-forward", rules: [] };
  const seen = through("small", "q4-forwarded", by("ip filter", "FORWARD"));
  const { where } = placeOf(lossOf(seen, "small")!, seen, survey, "eth0");
  assertEquals(where, "between nat64-ygg and wg0: ip filter FORWARD, policy DROP, set by ufw");
});

Deno.test("probe: a rule that takes the tunnel's packets is between tunnel and yggdrasil", async () => {
  const { survey } = await healthy("yggdrasil");
  const tunnel = { device: "ygg", "t-sent": 3, "t-out": 0, "t-in": 0, "t-taken": 0 };
  const where = (more: Partial<Through>) => {
    const seen = through("small", "a4-in", more);
    return placeOf(lossOf(seen, "small")!, seen, survey, "eth0").where;
  };
  const rule = by("inet x", "y", "drop");
  assertEquals(where({ tunnel, ...rule }), 'between wg0 and ygg: inet x y, rule "drop"');
  const back = { ...tunnel, "t-out": 3, "t-in": 3 };
  assertEquals(where({ tunnel: back, ...rule }), 'on the way back, between ygg and wg0: inet x y, rule "drop"');
  assertEquals(where({ tunnel: { ...back, "t-taken": 3 } }), "beyond wg0: packets left, no answer came back");
});

Deno.test("probe: packets that are taken for the machine's own: by whose address, by which rule", async () => {
  const { survey } = await healthy("interface");
  const placed = (missed: string, aside: string, more: Partial<typeof survey>) => {
    const seen = through("small", missed, get(""), [aside]);
    return placeOf(lossOf(seen, "small")!, seen, { ...survey, ...more }, "eth0");
  };
  const own = (address: string) => ({
    links: survey.links.map((l) =>
      l.name === "lo" ? { ...l, addresses: [...l.addresses, { ...l.addresses[0]!, address }] } : l
    ),
  });
  const taken = placed("q4-routed", "q4-local", own("10.1.0.3/32"));
  assertEquals(taken, {
    hop: "overlay",
    where: "between nat64-ygg and wg0: routing, packets are taken for the machine's own: " +
      "10.1.0.3 is an address of lo, on this machine",
  });
  assertStringIncludes(
    placed("q6-routed", "q6-local", own("2001:db8:300:4::a01:3/128")).where,
    "a01:3 is an address of lo",
  );
  assertEquals(placed("q4-routed", "q4-local", own("10.1.0.33/32")).where.endsWith("own"), true);

  const back = "nothing gives them the pool's address back (nat)";
  assertEquals(placed("a4-routed", "a4-local", {}).where.endsWith(back), true);
  const save = "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -i wg0 -j CT --zone 5\nCOMMIT\n";
  const zoned = placed("a4-routed", "a4-local", {
    rules: { ...survey.rules, inet: { ...survey.rules.inet, ...parseSave(save) } },
  });
  assertStringIncludes(
    zoned.where,
    `${back}: the rule "-i wg0 -j CT --zone 5" of IPv4 raw PREROUTING puts packets into a zone`,
  );
  assertEquals(zoned.cure?.map((argv) => argv.join(" ")), [
    "/usr/sbin/iptables -w -t raw -D PREROUTING -i wg0 -j CT --zone 5",
  ]);
  const rule = { handle: 7, expr: [{ mangle: { key: { ct: { key: "zone" } }, value: 5 } }] };
  const others =
    "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -i eth9 -j CT --zone 5\n-A PREROUTING -s 192.0.2.1/32 -i wg0 -j CT --zone 5\nCOMMIT\n";
  const beside = placed("a4-routed", "a4-local", {
    rules: { ...survey.rules, inet: { ...survey.rules.inet, ...parseSave(others) } },
  });
  assertEquals([beside.where.endsWith(back), beside.cure], [true, undefined]);
  const native = [{ family: "inet" as const, table: "mine", name: "early", rules: [rule] }];
  const byNft = placed("a4-routed", "a4-local", { native });
  assertStringIncludes(byNft.where, "of nftables table inet mine, chain early puts packets into a zone");
  const iif = { match: { op: "==", left: { meta: { key: "iifname" } }, right: "eth9" } };
  const elsewhere = [{ ...native[0]!, rules: [{ ...rule, expr: [iif, ...rule.expr] }] }];
  assertEquals(placed("a4-routed", "a4-local", { native: elsewhere }).cure, undefined);
  assertEquals(byNft.cure?.map((argv) => argv.join(" ")), ["/usr/sbin/nft delete rule inet mine early handle 7"]);
});

Deno.test("probe: the IPsec policy that decides is named, not one that another comes before, or that is about something else", async () => {
  const { survey } = await healthy("interface");
  const route = {
    command: ["/usr/sbin/ip", ..."route get 10.1.0.3 from 100.64.0.9 iif nat64-ygg".split(" ")],
    output: "",
  };
  const where = (output: string) => {
    const seen = through("small", "q4-routed", {
      route,
      ipsec: { command: ["/usr/sbin/ip", "xfrm", "policy"], output },
    });
    return placeOf(lossOf(seen, "small")!, seen, survey, "eth0").where.replace(
      "between nat64-ygg and wg0: routing, ",
      "",
    );
  };
  // As iproute2 6.15 prints them.
  const policy = (src: string, dst: string, dir: string, priority: number, more = "", below = "") =>
    `src ${src} dst ${dst} ${more}\n\tdir ${dir} priority ${priority} ptype main \n${below}`;
  const tmpl = "\ttmpl src 192.0.2.1 dst 192.0.2.9\n\t\tproto esp reqid 1 mode tunnel\n";
  const none =
    "the kernel drops them before FORWARD (a martian source, a rule of the routing policy, or an IPsec policy: ip xfrm policy)";
  const block = policy("0.0.0.0/0", "10.1.0.0/24", "fwd action block", 5);
  assertEquals(where(block), 'the IPsec policy "src 0.0.0.0/0 dst 10.1.0.0/24 dir fwd" blocks them (ip xfrm policy)');
  assertStringIncludes(
    where(policy("100.64.0.0/16", "10.0.0.0/8", "out", 9, "", tmpl)),
    'dir out" wants them in IPsec',
  );
  const others = [
    policy("0.0.0.0/0", "10.2.0.0/24", "fwd action block", 0),
    policy("192.168.0.0/16", "10.1.0.0/24", "fwd action block", 0),
    policy("0.0.0.0/0", "10.1.0.0/24", "in action block", 0),
    policy("0.0.0.0/0", "10.1.0.0/24", "fwd action block", 0, "proto tcp dport 22 "),
    policy("::/0", "::/0", "fwd action block", 0),
    policy("0.0.0.0/0", "0.0.0.0/0", "fwd", 1),
    "",
  ];
  for (const output of [...others, others.join("")]) assertEquals(where(output), none, output);
  const without = through("small", "q4-routed", { route });
  assertEquals(placeOf(lossOf(without, "small")!, without, survey, "eth0").where.endsWith("routing policy)"), true);
  // One that lets it pass is asked before the one that blocks it.
  assertEquals(where(policy("0.0.0.0/0", "10.1.0.3/32", "fwd", 1) + block), none);
  assertStringIncludes(where(block + policy("0.0.0.0/0", "10.1.0.3/32", "fwd", 7)), "blocks them");
});

Deno.test("isAnswered: a reset counts only when it came from the overlay", () => {
  assertEquals(isAnswered(through("tcp", undefined), "tcp"), true);
  const rejected = through("tcp", "q4-forwarded");
  rejected.flows.tcp!.back = 1;
  assertEquals(isAnswered(rejected, "tcp"), false);
  assertEquals(lossOf(rejected, "tcp")?.hook, "FORWARD");
});

Deno.test("probe: a queue that somebody has put on a device may be it; the kernel's own may not; nor does one without ARP", async () => {
  const { survey } = await healthy("interface");
  const placed = (missed: string, device: string, set: { qdisc?: string; noArp?: true }) => {
    const links = survey.links.map((l) => l.name === device ? { ...l, ...set } : l);
    const seen = through("small", missed);
    return placeOf(lossOf(seen, "small")!, seen, { ...survey, links }, "eth0");
  };
  const sent = { hop: "target" as const, where: "beyond wg0: packets left, no answer came back" };
  assertEquals(placed("a4-in", "wg0", { qdisc: "fq_codel" }), sent);
  const held = placed("a4-in", "wg0", { qdisc: "tbf" });
  assertEquals([held.hop, held.cure], ["overlay", [["/usr/sbin/tc", "qdisc", "del", "dev", "wg0", "root"]]]);
  assertStringIncludes(held.where, `${sent.where}; the queue of wg0 is held by tc(8) (tbf)`);
  const into = placed("q4-in", "nat64-ygg", { qdisc: "netem" });
  assertStringIncludes(into.where, "none came out; the queue of nat64-ygg is held");
  const deaf = placed("a4-in", "wg0", { noArp: true });
  assertEquals([deaf.hop, deaf.cure], ["overlay", [["/usr/sbin/ip", "link", "set", "dev", "wg0", "arp", "on"]]]);
  assertStringIncludes(deaf.where, `${sent.where}; wg0 asks for nobody's link address`);
});
