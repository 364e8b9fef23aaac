/** Firewalls that spoil a gateway's NAT: packets that are not tracked, and addresses that somebody else exchanges first. */

import type { Survey } from "../../../gateway/survey.ts";
import { parseSave } from "../../../machine/iptables.ts";
import { add, type FirewallCase, legacy, nft } from "./firewall_case.ts";

/** What kube-proxy puts in front: it masquerades what carries its mark. */
const kube = (family: "inet" | "inet6") => (s: Survey) => {
  const nat = parseSave(KUBE)["nat"]!;
  const own = s.rules[family]!["nat"] ??= {};
  own["KUBE-POSTROUTING"] = nat["KUBE-POSTROUTING"]!;
  (own["POSTROUTING"] ??= { name: "POSTROUTING", policy: "ACCEPT", rules: [] }).rules.unshift(
    ...nat["POSTROUTING"]!.rules,
  );
};

const KUBE = `*nat
:POSTROUTING ACCEPT [0:0]
:KUBE-POSTROUTING - [0:0]
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
COMMIT
`;

/** Then masquerading there gives another address than ours. */
const otherAddress = (s: Survey) =>
  void s.links.find((l) => l.name === "wg0")!.addresses.unshift({
    address: "10.9.0.2/24",
    family: "inet",
    scope: "global",
    dynamic: false,
  });

export const NAT_CASES: FirewallCase[] = [
  {
    name: "tracking switched off for the pool",
    make: add("inet", "raw", "PREROUTING", "-i nat64-ygg -j CT --notrack"),
    want: ["fail nat-rule", "are not tracked", "IPv4 raw PREROUTING"],
  },
  {
    name: "tracking switched off for the pool, and the packets accepted behind that",
    make: (s) => {
      add("inet", "raw", "PREROUTING", "-i nat64-ygg -j CT --notrack")(s);
      add("inet", "raw", "PREROUTING", "-i nat64-ygg -j ACCEPT")(s);
    },
    want: ["fail nat-rule", "are not tracked", 'the rule "-i nat64-ygg -j CT --notrack" of IPv4 raw PREROUTING'],
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
      otherAddress(s);
    },
    want: ["fail nat-rule", 'the rule "-o wg0 -j MASQUERADE" of IPv4 nat POSTROUTING'],
    fix: "/usr/sbin/iptables -w -t nat -I POSTROUTING 1 -m comment --comment crxn:jump -j CRXN-POSTROUTING",
  },
  {
    name: "masquerading by a mark before the NAT rule",
    make: (s) => {
      kube("inet")(s);
      kube("inet6")(s);
      otherAddress(s);
    },
  },
  {
    name: "masquerading by a mark, and behind it by devices, before the NAT rule",
    make: (s) => {
      add("inet", "nat", "POSTROUTING", "-o wg0 -j MASQUERADE", true)(s);
      kube("inet")(s);
      otherAddress(s);
    },
    want: ["fail nat-rule", 'the rule "-o wg0 -j MASQUERADE" of IPv4 nat POSTROUTING'],
    fix: "/usr/sbin/iptables -w -t nat -I POSTROUTING 1 -m comment --comment crxn:jump -j CRXN-POSTROUTING",
  },
  {
    name: "masquerading before the NAT rule, of what no policy of IPsec accepts",
    make: (s) => {
      add("inet", "nat", "POSTROUTING", "-o wg0 -j MASQUERADE", true)(s);
      add("inet", "nat", "POSTROUTING", "-m policy --dir out --pol ipsec -j ACCEPT", true)(s);
      otherAddress(s);
    },
    want: ["fail nat-rule", 'the rule "-o wg0 -j MASQUERADE" of IPv4 nat POSTROUTING'],
  },
  {
    name: "destination NAT of what a mark does not spare",
    make: (s) => {
      add("inet", "nat", "PREROUTING", "-j DNAT --to-destination 192.0.2.7", true)(s);
      add("inet", "nat", "PREROUTING", "-m mark ! --mark 0x4000/0x4000 -j RETURN", true)(s);
    },
  },
  {
    name: "native source NAT before ours of what a set does not spare",
    make: nft("ip mine postrouting 90", ["ip.daddr=@own return", "snat=10.5.0.99"], { type: "nat" }),
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
];
