/** Firewalls that take what a gateway forwards: by policy, rule, hop limit or program; and those whose tables were emptied. */

import { Path } from "../../../gateway/names.ts";
import type { NftChain } from "../../../gateway/netfilter/nft.ts";
import { add, expr, type FirewallCase, legacy, nft } from "./firewall_case.ts";

export const FORWARD_CASES: FirewallCase[] = [
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
];
