/** Firewalls of others that take a gateway's packets: each is one finding, which names place and owner; and those that do not. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Finding } from "../../checks/check.ts";
import { Path } from "../../gateway/names.ts";
import { forwardedPackets } from "../../gateway/netfilter/packets.ts";
import type { NftChain } from "../../gateway/netfilter/nft.ts";
import type { Survey } from "../../gateway/survey.ts";
import { parseSave } from "../../machine/iptables.ts";
import { healthy, type Options, recompute, type Setup } from "./surveys/builder.ts";
import { diagnose } from "./surveys/diagnose.ts";
import { reachOf } from "./surveys/fault.ts";

interface Case {
  name: string;
  setup?: Setup;
  options?: Options;
  make: (survey: Survey) => void;
  /** Verdict and id of the only finding, and what it says; missing where nothing is to be found. */
  want?: [string, ...string[]];
  /** One of the commands that it shows. */
  fix?: string;
}

const expr = (text: string): NftChain["rules"][number]["expr"] =>
  text.split(" ").map((word) => {
    const [left = "", right] = word.split("=");
    if (right === undefined) return { [word]: null };
    if (left === "snat" || left === "dnat") return { [left]: { addr: right } };
    const [protocol, field] = left.split(".");
    const key = field ? { payload: { protocol, field } } : { meta: { key: left } };
    const [addr, len] = right.split("/");
    return { match: { op: "==", left: key, right: len ? { prefix: { addr, len: Number(len) } } : right } };
  });

const nft = (place: string, rules: string[] = [], more: Partial<NftChain> = {}) => (s: Survey) => {
  const [family, table, hook, priority] = place.split(" ");
  (s.native ??= []).push({
    family: family as NftChain["family"],
    table: table!,
    name: `my_${hook}`,
    type: "filter",
    hook: hook!,
    priority: Number(priority),
    policy: "accept",
    rules: rules.map((r) => ({ expr: expr(r) })),
    ...more,
  });
};

const add = (family: "inet" | "inet6", table: string, chain: string, rule: string, first = false) => (s: Survey) => {
  const seen = ((s.rules[family]![table] ??= {})[chain] ??= { name: chain, policy: "ACCEPT", rules: [] });
  seen.rules[first ? "unshift" : "push"](rule.split(" "));
};

const legacy = (family: "inet" | "inet6", text: string) => (s: Survey) =>
  void (s.legacy = { inet: {}, inet6: {}, [family]: parseSave(text) });

const CASES: Case[] = [
  {
    name: "a native policy",
    make: nft("inet mine forward 10", [], { policy: "drop" }),
    want: [
      "fail forward-policy",
      "nftables table inet mine, chain my_forward (hook forward, priority 10), made by hand",
    ],
    fix: "/usr/sbin/nft insert rule inet mine my_forward iifname nat64-ygg oifname wg0 accept",
  },
  {
    name: "a native policy of nftables.service",
    make: (s) => {
      nft("inet filter forward 0", [], { policy: "drop" })(s);
      s.files[Path.nftables] = { content: "table inet filter {\n}\n", mode: 0o755, uid: 0, gid: 0, modified: 0 };
    },
    want: ["fail forward-policy", "set by nftables.service (/etc/nftables.conf)"],
  },
  {
    name: "a native rule of IPv6 in prerouting",
    make: nft("ip6 mine prerouting -300", ["iifname=eth0 ip6.daddr=2001:db8:300:4::/64 drop"]),
    want: ["fail forward-policy", "packets from eth0 to nat64-ygg are dropped", "hook prerouting, priority -300"],
    fix: "/usr/sbin/nft insert rule ip6 mine my_prerouting iifname eth0 ip6 daddr 2001:db8:300:4::/96 accept",
  },
  {
    name: "a native rule behind NAT",
    make: nft("ip mine postrouting 150", ["oifname=wg0 ip.saddr=10.5.0.1 drop"]),
    want: ["fail forward-policy", "packets from nat64-ygg to wg0 are dropped"],
  },
  {
    name: "an ingress chain of which nft does not say the device",
    make: nft("netdev mine ingress 0", ["ip6.daddr=2001:db8:300:4::/64 drop"]),
    want: ["warn forward-policy", "hook ingress"],
  },
  {
    name: "a hop limit of 1 before routing",
    make: add("inet6", "mangle", "PREROUTING", "-i eth0 -j HL --hl-set 1"),
    want: ["fail forward-policy", 'the rule "-i eth0 -j HL --hl-set 1" of IPv6 mangle PREROUTING'],
  },
  {
    name: "a TTL of 0 in a chain that is jumped to",
    make: (s) => {
      add("inet", "mangle", "PREROUTING", "-i nat64-ygg -j GUESTS")(s);
      s.rules.inet!["mangle"]!["GUESTS"] = { name: "GUESTS", rules: [["-j", "TTL", "--ttl-set", "0"]] };
    },
    want: ["fail forward-policy", "-j TTL --ttl-set 0", "packets from nat64-ygg to wg0 are dropped"],
  },
  { name: "a hop limit of 64", make: add("inet6", "mangle", "PREROUTING", "-i eth0 -j HL --hl-set 64") },
  { name: "a TTL that is one higher", make: add("inet", "mangle", "PREROUTING", "-i wg0 -j TTL --ttl-inc 1") },
  {
    name: "a TTL of 1 behind routing, which reaches a host on the link",
    make: add("inet", "mangle", "POSTROUTING", "-o wg0 -j TTL --ttl-set 1"),
  },
  {
    name: "a hop limit of 1 of nftables before routing",
    make: (s) => {
      nft("ip6 mine prerouting -150")(s);
      const mangle = { key: { payload: { protocol: "ip6", field: "hoplimit" } }, value: 1 };
      s.native!.at(-1)!.rules.push({ expr: [...expr("iifname=eth0"), { mangle }] });
    },
    want: ["fail forward-policy", "nftables table ip6 mine, chain my_prerouting"],
  },
  {
    name: "the policy of iptables-legacy",
    make: legacy("inet", "*filter\n:FORWARD DROP [0:0]\nCOMMIT\n"),
    want: ["fail forward-policy", "the policy of IPv4 filter FORWARD (iptables-legacy, hook forward, priority 0)"],
    fix: "/usr/sbin/iptables-legacy -w -I FORWARD 1 -i nat64-ygg -o wg0 -j ACCEPT",
  },
  {
    name: "a rule of ip6tables-legacy, of TCP alone",
    make: legacy("inet6", "*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -i eth0 -p tcp -j DROP\nCOMMIT\n"),
    want: ["fail forward-policy", "TCP packets from eth0 to nat64-ygg", "IPv6 mangle PREROUTING (iptables-legacy"],
    fix: "/usr/sbin/ip6tables-legacy -w -t mangle -I PREROUTING 1 -d 2001:db8:300:4::/96 -i eth0 -j ACCEPT",
  },
  {
    name: "a drop in raw",
    make: add("inet", "raw", "PREROUTING", "-i nat64-ygg -j DROP"),
    want: ["fail forward-policy", 'the rule "-i nat64-ygg -j DROP" of IPv4 raw PREROUTING (iptables'],
    fix: "/usr/sbin/iptables -w -t raw -I PREROUTING 2 -i nat64-ygg -j ACCEPT",
  },
  {
    name: "a drop in mangle POSTROUTING",
    make: add("inet6", "mangle", "POSTROUTING", "-o eth0 -j DROP"),
    want: ["fail forward-policy", "packets from nat64-ygg to eth0", "IPv6 mangle POSTROUTING"],
    fix: "/usr/sbin/ip6tables -w -t mangle -I POSTROUTING 1 -s 2001:db8:300:4::/96 -o eth0 -j ACCEPT",
  },
  {
    name: "a REJECT behind the jump, which crxn mends itself",
    make: add("inet", "filter", "FORWARD", "-j REJECT --reject-with icmp-host-prohibited"),
    want: ["fail forward-policy", "no rule before accepts the gateway's packets"],
    fix: "crxn up --yes",
  },
  {
    name: "a DROP before the jump, which crxn mends itself",
    make: add("inet", "filter", "FORWARD", "-j DROP", true),
    want: ["fail forward-policy", 'the rule "-j DROP" of IPv4 filter FORWARD'],
    fix: "/usr/sbin/iptables -w -I FORWARD 1 -m comment --comment crxn:jump -j CRXN-FORWARD",
  },
  {
    name: "tracking switched off for the pool",
    make: add("inet", "raw", "PREROUTING", "-i nat64-ygg -j CT --notrack"),
    want: ["fail nat-rule", "are not tracked", "IPv4 raw PREROUTING"],
  },
  {
    name: "tracking switched off for clients",
    make: nft("ip6 mine prerouting -300", ["notrack"]),
    want: ["fail forward-policy", "are not tracked", "nftables table ip6 mine"],
  },
  {
    name: "masquerading before the NAT rule, to the same address",
    make: add("inet", "nat", "POSTROUTING", "-o wg0 -j MASQUERADE", true),
    want: ["warn nat-rule", "it gives the same address"],
  },
  {
    name: "masquerading before the NAT rule, to another address",
    make: (s) => {
      add("inet", "nat", "POSTROUTING", "-o wg0 -j MASQUERADE", true)(s);
      s.links.find((l) => l.name === "wg0")!.addresses.unshift({
        address: "10.9.0.2/24",
        family: "inet",
        scope: "global",
        dynamic: false,
      });
    },
    want: ["fail nat-rule", 'the rule "-o wg0 -j MASQUERADE" of IPv4 nat POSTROUTING'],
    fix: "/usr/sbin/iptables -w -t nat -I POSTROUTING 1 -m comment --comment crxn:jump -j CRXN-POSTROUTING",
  },
  {
    name: "masquerading behind the NAT rule",
    make: add("inet", "nat", "POSTROUTING", "-j MASQUERADE"),
  },
  {
    name: "native source NAT of the same priority, younger",
    make: (s) => {
      nft("ip late postrouting 100", ["oifname=wg0 snat=10.5.0.99"], { type: "nat" })(s);
      s.nftables!.push("ip nat", "ip late");
    },
    want: ["fail nat-rule", "nftables table ip late"],
  },
  {
    name: "native source NAT of the same priority, older",
    make: (s) => {
      nft("ip early postrouting 100", ["oifname=wg0 snat=10.5.0.99"], { type: "nat" })(s);
      s.nftables!.push("ip early", "ip nat");
    },
  },
  {
    name: "source NAT of iptables-legacy, of which nothing tells the age",
    make: legacy(
      "inet",
      "*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -o wg0 -j SNAT --to-source 10.5.0.9\nCOMMIT\n",
    ),
    want: ["warn nat-rule", "if it is the younger of the two"],
  },
  {
    name: "destination NAT",
    make: nft("ip mine prerouting -100", ["ip.daddr=10.0.0.0/8 dnat=192.0.2.7"], { type: "nat" }),
    want: ["fail nat-rule", "are sent elsewhere"],
  },
  {
    name: "masquerading of clients",
    make: add("inet6", "nat", "POSTROUTING", "-j MASQUERADE"),
    want: ["warn nat-rule", "lose the client's address"],
  },
  {
    name: "neighbour discovery dropped with all ICMPv6",
    make: add("inet6", "filter", "INPUT", "-i eth0 -p ipv6-icmp -j DROP"),
    want: ["fail input-policy", "neighbour solicitation and neighbour advertisement packets on eth0"],
    fix: "/usr/sbin/ip6tables -w -I INPUT 2 -i eth0 -p ipv6-icmp --icmpv6-type 135 -j ACCEPT",
  },
  {
    name: "router advertisements dropped where the default route comes by them",
    options: { ra: true },
    make: nft("inet mine input 0", ["icmpv6.type=nd-router-advert drop"]),
    want: ["fail input-policy", "router advertisement packets on eth0"],
  },
  {
    name: "router advertisements dropped where nobody needs them",
    make: nft("inet mine input 0", ["icmpv6.type=nd-router-advert drop"]),
  },
  {
    name: "a port for peers that is shut",
    setup: "node",
    make: nft("inet mine input 0", ["meta=1"], { rules: [{ expr: expr("l4proto=tcp drop") }] }),
    want: ["warn input-policy", "peers to port 9001"],
  },
  {
    name: "the tunnel's packets dropped by a native policy",
    setup: "yggdrasil",
    make: nft("ip6 mine input 0", ["iifname=eth0 accept"], { policy: "drop" }),
    want: ["fail tunnel-routing", "packets of the tunnel from 2", "nftables table ip6 mine"],
  },
  {
    name: "the tunnel's packets dropped on their way out",
    setup: "yggdrasil",
    make: add("inet6", "filter", "OUTPUT", "-p udp -j REJECT"),
    want: ["fail tunnel-routing", "packets of the tunnel to 2", "IPv6 filter OUTPUT"],
  },
  {
    name: "the tunnel's packets rejected behind the jump, which crxn mends itself",
    setup: "yggdrasil",
    make: add("inet6", "filter", "INPUT", "-p udp -j REJECT"),
    want: ["fail tunnel-routing", "packets of the tunnel from 2", 'the rule "-p udp -j REJECT" of IPv6 filter INPUT'],
    fix: "crxn up --yes",
  },
  {
    name: "a native policy on a node of which nobody knows what is behind it",
    setup: "node",
    make: nft("inet mine forward 0", [], { policy: "drop" }),
    want: ["warn forward-policy", "that matters if networks behind this node are to be reached"],
  },
  {
    name: "a drop before crxn's jump in mangle",
    make: add("inet6", "mangle", "FORWARD", "-o nat64-ygg -j DROP", true),
    want: ["fail forward-policy", "IPv6 mangle FORWARD"],
    fix: "/usr/sbin/ip6tables -w -t mangle -D FORWARD 3",
  },
  {
    name: "packets handed to a program",
    make: add("inet", "mangle", "FORWARD", "-o wg0 -j NFQUEUE --queue-num 3"),
    want: ["warn forward-policy", "are handed to a program by"],
  },
  {
    name: "packets handed to a program if there is one",
    make: add("inet", "mangle", "FORWARD", "-o wg0 -j NFQUEUE --queue-num 3 --queue-bypass"),
  },
  {
    name: "answers of the peers dropped, and no peer connected",
    setup: "yggdrasil",
    make: (s) => {
      legacy("inet", "*filter\n:INPUT DROP [0:0]\nCOMMIT\n")(s);
      s.overlay!.peers = [{ uri: "tls://192.0.2.9:443", up: false, inbound: false, error: "i/o timeout" }];
    },
    want: [
      "fail input-policy",
      "IPv4 packets from the peer tls://192.0.2.9:443 are dropped by the policy of IPv4 filter INPUT",
    ],
    fix:
      "/usr/sbin/iptables-legacy -w -I INPUT 1 -s 192.0.2.9 -p tcp -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
  },
  {
    name: "a firewall that lets in answers",
    setup: "yggdrasil",
    make: legacy(
      "inet",
      "*filter\n:INPUT DROP [0:0]\n-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\nCOMMIT\n",
    ),
  },
  {
    name: "all tables emptied",
    setup: "yggdrasil",
    make: (s) => void (s.rules = { inet: {}, inet6: {} }),
    want: ["fail forward-policy", "all of crxn's rules are gone", "nftables.service"],
    fix: "/usr/sbin/iptables -w -t nat -N CRXN-POSTROUTING",
  },
  {
    name: "all tables emptied by firewalld",
    make: (s) => {
      s.rules = { inet: {}, inet6: {} };
      nft("inet firewalld forward 10")(s);
    },
    want: ["fail forward-policy", "firewalld before 2.0"],
  },
  {
    name: "a table that iptables cannot list",
    make: (s) => {
      const filter = s.rules.inet!["filter"]!;
      delete s.rules.inet!["filter"];
      s.unreadable = ["ip filter"];
      const comment = { xt: { type: "match", name: "comment" } };
      s.native!.push(
        ...Object.values(filter).map((c): NftChain => ({
          family: "ip",
          table: "filter",
          name: c.name,
          ...(c.policy ? { type: "filter", hook: c.name.toLowerCase(), priority: 0, policy: "accept" } : {}),
          rules: c.rules.map((r) => ({
            expr: [comment, c.policy ? { jump: { target: r.at(-1) } } : { return: null }],
          })),
        })),
      );
    },
    want: ["warn forward-policy", "iptables cannot list table ip filter any more"],
  },
  {
    name: "a firewall that drops, and accepts the gateway's packets by name",
    make: (s) => {
      nft("inet mine forward 0", ["iifname=nat64-ygg accept", "oifname=nat64-ygg accept"], { policy: "drop" })(s);
      nft("inet mine input 0", ["l4proto=icmp accept", "l4proto=ipv6-icmp accept"], { policy: "drop" })(s);
    },
  },
  {
    name: "drops of others' addresses, by a set",
    make: nft("inet crowdsec forward -10", ["ip.saddr=@bad drop", "ip6.saddr=@bad drop"]),
  },
  { name: "a rule against one client", make: add("inet6", "filter", "FORWARD", "-s 2001:db8:bad::/48 -j DROP") },
  {
    name: "Docker's chains between its own networks",
    make: (s) => {
      add("inet", "filter", "FORWARD", "-j DOCKER-FORWARD", true)(s);
      s.rules.inet!["filter"]!["DOCKER-FORWARD"] = {
        name: "DOCKER-FORWARD",
        rules: [
          "-m set --match-set docker-ext-bridges-v4 dst -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
          "-i docker0 -j ACCEPT",
          "-o docker0 -j DROP",
        ].map((r) => r.split(" ")),
      };
    },
  },
  { name: "a bogon filter on the uplink", make: add("inet", "raw", "PREROUTING", "-s 10.0.0.0/8 -i eth0 -j DROP") },
  {
    name: "rules of iptables-legacy that concern nobody here",
    make: legacy("inet", "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -i eth9 -j DROP\nCOMMIT\n"),
  },
];

const line = (f: Finding) => `${f.verdict} ${f.id}: ${f.found}`;

for (const { name, setup = "interface", options = {}, make, want, fix } of CASES) {
  Deno.test(`doctor: ${name}: ${want?.[0] ?? "nothing to say"}`, async () => {
    const input = await healthy(setup, options);
    make(input.survey);
    const findings = diagnose(input).filter((f) => !["pass", "skip"].includes(f.verdict));
    if (!want) return assertEquals(findings.map(line), []);
    assertEquals(findings.map((f) => `${f.verdict} ${f.id}`), [want[0]], findings.map(line).join("\n"));
    for (const words of want.slice(1)) assertStringIncludes(findings[0]!.found!, words);
    if (fix) {
      const commands = findings[0]!.fix!.map((argv) => argv.join(" "));
      assert(commands.includes(fix), commands.join("\n"));
    }
  });
}

Deno.test("forwardedPackets: a network of one address is that host, and every slice has a packet", async () => {
  const input = await healthy("two nodes");
  const { blueprint: { config, ways } } = input;
  ways[1]!.networks = ["10.1.0.3/32"];
  const kinds = forwardedPackets({ config, ways, uplink: "eth0", survey: input.survey });
  const to = (
    family: string,
    device: string,
  ) => [
    ...new Set(kinds.filter((k) => k.family === family && k.packet.out === device).map((k) => k.packet.destination)),
  ];
  assertEquals(to("inet", ways[1]!.device), ["10.1.0.3"]);
  assertEquals(to("inet6", "nat64-ygg"), ["2001:db8:300:4::a00:1", "2001:db8:300:4::a01:3"]);
});

Deno.test("input-policy: ufw is not told to open every port for answers, nor to take ICMPv6, which it cannot", async () => {
  const rules = {
    inet: parseSave("*filter\n:INPUT DROP [0:0]\n:ufw-user-input - [0:0]\nCOMMIT\n"),
    inet6: parseSave("*filter\n:INPUT DROP [0:0]\n:ufw6-user-input - [0:0]\nCOMMIT\n"),
  };
  const input = await healthy("yggdrasil", { rules });
  const finding = diagnose(input).find((f) => f.id === "input-policy")!;
  assertEquals(finding.verdict, "fail");
  const commands = finding.fix!.map((argv) => argv.join(" "));
  assertEquals(commands.filter((c) => c.startsWith("/usr/sbin/ufw")), []);
  assert(commands.some((c) => c.includes("--icmpv6-type 135")), commands.join("\n"));
  assert(commands.some((c) => c.includes("--ctstate RELATED,ESTABLISHED")), commands.join("\n"));
});

Deno.test("doctor: a native policy and a chain of crxn's own that is gone are both named", async () => {
  const input = await healthy("interface");
  nft("ip mine forward 0", [], { policy: "drop" })(input.survey);
  input.survey.rules.inet!["filter"]!["FORWARD"]!.rules = [];
  const [only] = diagnose(input).filter((f) => f.verdict === "fail");
  assertStringIncludes(only!.found!, "no jump from FORWARD");
  assertStringIncludes(only!.found!, "nftables table ip mine");
});

Deno.test("dropsOf: whether crxn's chains accept does not change what is wanted, and a rule that went is a warning at most", async () => {
  const rules = { inet: parseSave("*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -j REJECT\nCOMMIT\n"), inet6: {} };
  const input = await healthy("interface", { rules: structuredClone(rules) });
  const forward = (s: Survey) => s.rules.inet!["filter"]!;
  assert(forward(input.survey)["CRXN-FORWARD"]!.rules.some((r) => r.at(-1) === "ACCEPT"));
  assertEquals(recompute(input).blueprint.items, input.blueprint.items);
  assertEquals(diagnose(input).filter((f) => !["pass", "skip"].includes(f.verdict)).map(line), []);
  forward(input.survey)["FORWARD"]!.rules.pop();
  const left = diagnose(input).filter((f) => !["pass", "skip"].includes(f.verdict));
  assertEquals(left.map((f) => `${f.verdict} ${f.id}`), ["warn drift"], left.map(line).join("\n"));
});

Deno.test("overlay-peers: a far node whose answers a firewall drops is not called silent", async () => {
  const input = await healthy("yggdrasil");
  add("inet6", "filter", "INPUT", "-i ygg -p ipv6-icmp -j DROP")(input.survey);
  input.reach = reachOf(input, [0]);
  const peers = diagnose(input).find((f) => f.id === "overlay-peers")!;
  assertEquals(peers.verdict, "unknown");
  assertStringIncludes(peers.found!, "ICMPv6 packets from the far node");
  input.survey.rules.inet6!["filter"]!["INPUT"]!.rules.pop();
  assertEquals(diagnose(input).find((f) => f.id === "overlay-peers")!.verdict, "fail");
});

Deno.test("dropsOf: a rule that only may drop leaves the last word to others", async () => {
  const rules = {
    inet: parseSave("*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -m mark --mark 1 -j DROP\nCOMMIT\n"),
    inet6: {},
  };
  const { survey } = await healthy("interface", { rules });
  assert(!survey.rules.inet!["filter"]!["CRXN-FORWARD"]!.rules.some((r) => r.at(-1) === "ACCEPT"));
});
