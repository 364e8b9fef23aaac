/** Firewalls that take what is for the machine itself: neighbour discovery, peers, and packets of the tunnel. */

import { add, expr, type FirewallCase, legacy, nft } from "./firewall_case.ts";

export const INPUT_CASES: FirewallCase[] = [
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
];
