/** Firewalls that take nothing of a gateway's: each leaves doctor with nothing to say. */

import { add, type FirewallCase, legacy, nft } from "./firewall_case.ts";

export const HARMLESS_CASES: FirewallCase[] = [
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
