/** What takes a gateway's packets, how it is taken away again, and what the probe has to say of it. */

import type { Place } from "../rig/mod.ts";
import type { Scene } from "./story.ts";

export interface Loss {
  name: string;
  /** Shell scripts; `on` names the machine or namespace, by default the gateway. */
  breaks: string;
  mends: string;
  on?: (scene: Scene) => Place;
  /** The check that must tell, the station, and what it must say. */
  id?: "probe" | "path-mtu" | "prefix-routed";
  hop?: string;
  says: RegExp;
}

export const chain = (hook: string, rule: string) =>
  `nft 'add table inet guard; add chain inet guard mine { type filter hook ${hook}; policy accept; }; add rule inet guard mine ${rule}'`;
export const unchain = "nft delete table inet guard";
const host = ({ host }: Scene) => host;
/** Large packets, and the errors that would tell. */
const hole = chain("forward priority 0", "meta length 1300-65535 drop");

export const LOSSES: Loss[] = [
  {
    name: "a native table with policy drop",
    breaks:
      "nft 'add table inet guard; add chain inet guard mine { type filter hook forward priority 10; policy drop; }'",
    mends: unchain,
    hop: "forward",
    says: /lost between eth0 and nat64-ygg: inet guard mine, policy DROP(, which [a-z-]+ explains)?$/,
  },
  {
    name: "a native rule that drops IPv4 to the overlay",
    breaks: chain("forward priority 10", "ip daddr 10.1.0.0/16 counter drop"),
    mends: unchain,
    hop: "forward",
    says:
      /lost between nat64-ygg and ovl0: inet guard mine, rule "ip daddr 10\.1\.0\.0\/16 drop"(, which [a-z-]+ explains)?$/,
  },
  {
    name: "a native rule that rejects answers",
    breaks: chain("forward priority 10", "ip6 saddr 2a04:5b80:300:4::/96 reject"),
    mends: unchain,
    hop: "forward",
    says:
      /lost on the way back, between nat64-ygg and eth0: inet guard mine, rule "ip6 saddr 2a04:5b80:300:4::\/96 reject/,
  },
  {
    name: "a native rule before connection tracking",
    breaks: chain("prerouting priority raw", "ip saddr 10.1.0.3 drop"),
    mends: unchain,
    hop: "forward",
    says:
      /lost on the way back, between ovl0 and nat64-ygg: inet guard mine, rule "ip saddr 10\.1\.0\.3 drop"(, which [a-z-]+ explains)?$/,
  },
  {
    name: "a rule of iptables' mangle table, for TCP alone",
    breaks: "iptables -t mangle -I POSTROUTING -o ovl0 -p tcp -j DROP",
    mends: "iptables -t mangle -D POSTROUTING -o ovl0 -p tcp -j DROP",
    hop: "forward",
    says:
      /pings pass, TCP to 10\.1\.0\.3 does not; lost between nat64-ygg and ovl0: ip mangle POSTROUTING, rule ".*drop"(, which [a-z-]+ explains)?$/,
  },
  {
    name: "a rule of iptables-legacy",
    breaks: "iptables-legacy -I FORWARD -d 10.1.0.0/16 -j DROP",
    mends: "iptables-legacy -F FORWARD",
    hop: "forward",
    says: /lost between nat64-ygg and ovl0: FORWARD, by a rule that nftables does not trace/,
  },
  {
    name: "a policy route",
    breaks: "ip rule add to 10.1.0.0/16 table 77; ip route add 10.1.0.0/16 dev eth0 table 77",
    mends: "ip rule del to 10.1.0.0/16 table 77; ip route del 10.1.0.0/16 dev eth0 table 77",
    hop: "overlay",
    says: /lost between nat64-ygg and ovl0: routing, they are sent to eth0 by table 77(, which [a-z-]+ explains)?$/,
  },
  {
    name: "a frozen tayga",
    breaks: "pkill -STOP -x tayga",
    mends: "pkill -CONT -x tayga",
    hop: "translator",
    says: /lost in the translator/,
  },
  {
    name: "a host that is silent",
    on: host,
    breaks: chain("input priority 0", "meta l4proto { icmp, tcp } drop"),
    mends: unchain,
    hop: "target",
    says: /lost beyond ovl0: packets left, no answer came back(, which [a-z-]+ explains)?$/,
  },
  {
    name: "a host that is not there",
    on: host,
    breaks: "ip address del 10.1.0.3/32 dev eth0",
    mends: "ip address add 10.1.0.3/32 dev eth0; ip route replace 10.5.0.0/16 dev eth0",
    hop: "overlay",
    says: /lost beyond ovl0: no neighbour there answers for 10\.1\.0\.3(, which [a-z-]+ explains)?$/,
  },
  {
    name: "a host without a way back",
    on: host,
    breaks: "ip route del 10.5.0.0/16",
    mends: "ip route add 10.5.0.0/16 dev eth0",
    hop: "target",
    says: /lost beyond ovl0: packets left, no answer came back(, which [a-z-]+ explains)?$/,
  },
  {
    name: "a host that takes no large packets",
    on: host,
    breaks: chain("input priority 0", "meta length 1301-65535 drop"),
    mends: unchain,
    id: "path-mtu",
    says:
      /over the overlay \(ovl0, to 10\.1\.0\.3\) packets of 1(29\d|300) bytes pass, .*vanish without an ICMP error; TCP is held to segments of 1440 only/,
  },
  {
    name: "a router that takes no large packets",
    on: ({ net }) => net,
    breaks: chain("input priority 0", "ip6 version 6 meta length 1301-65535 drop"),
    mends: unchain,
    id: "path-mtu",
    says: /to the IPv6 router \(eth0, .*\) packets of 1(29\d|300) bytes pass, .*vanish/,
  },
  {
    name: "a rule of this machine that drops large packets",
    breaks: hole,
    mends: unchain,
    id: "path-mtu",
    says:
      /from client to target .* vanish without an ICMP error: between eth0 and nat64-ygg: inet guard mine, rule "meta length 1300-65535 drop"/,
  },
];
