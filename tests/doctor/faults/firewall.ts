import { type Fault, foreign, own } from "../fault.ts";

const forward = { id: "forward-policy", hop: "forward" } as const;

/** The policy of a chain: crxn's own chain may accept, which is enough. */
const policy = (family: 4 | 6): Fault => {
  const program = family === 4 ? "iptables" : "ip6tables";
  return own({
    ...forward,
    owner: "foreign",
    name: `IPv${family} FORWARD policy DROP`,
    breaks: `${program} -P FORWARD DROP`,
    undoes: `${program} -P FORWARD ACCEPT; crxn up --yes`,
    touches: [`filter${family}`],
  });
};

/** A rule of somebody else's, made and taken away by the same words. */
const rule = (name: string, call: string, words: string, touches: string, more: Partial<Fault> = {}): Fault => {
  const [program, chain] = [call.split(" ")[0], words.split(" ")[0]];
  return foreign({
    ...forward,
    name,
    breaks: `${call} ${words}`,
    undoes: `${program}${/ (-t \w+)/.exec(call)?.[0] ?? ""} -D ${chain} ${words.split(" ").slice(1).join(" ")}`,
    touches: [touches],
    ...more,
  });
};

/** One that crxn's own chain can accept in front of: --fix does so, and the rule stays. */
const passable = (name: string, call: string, words: string, touches: string, more: Partial<Fault> = {}): Fault => {
  const fault = rule(name, call, words, touches, more);
  return { ...fault, mended: true, undoes: `${fault.undoes}; crxn up --yes` };
};

/** Chains of iptables: ours broken, and others' in the way. */
export const IPTABLES_FAULTS: Fault[] = [
  policy(4),
  policy(6),
  own({
    ...forward,
    name: "crxn's FORWARD chain emptied",
    breaks: "iptables -F CRXN-FORWARD",
    traffic: "flows",
    touches: ["filter4"],
  }),
  own({
    ...forward,
    name: "the jump to crxn's IPv6 FORWARD chain deleted",
    breaks:
      "ip6tables -D FORWARD $(ip6tables -S FORWARD | sed -n 's/^-A FORWARD \\(.*CRXN-FORWARD.*\\)/\\1/p' | tr -d '\"')",
    traffic: "flows",
    touches: ["filter6"],
  }),
  own({
    ...forward,
    name: "every rule of every table flushed",
    breaks:
      "for p in iptables ip6tables; do $p -F; $p -X; $p -t nat -F; $p -t nat -X; $p -t mangle -F; $p -t mangle -X; done",
    touches: ["filter4", "filter6", "nat", "mangle4", "mangle6"],
  }),
  passable("a DROP rule before crxn's chain", "iptables -I", "FORWARD -i nat64-ygg -j DROP", "filter4"),
  passable("a REJECT rule behind crxn's chain", "iptables -A", "FORWARD -o ovl0 -j REJECT", "filter4"),
  passable("an IPv6 DROP rule for the uplink", "ip6tables -A", "FORWARD -i eth0 -j DROP", "filter6"),
  passable(
    "an IPv6 rule that drops what leaves the translator",
    "ip6tables -I",
    "FORWARD -i nat64-ygg -o eth0 -j DROP",
    "filter6",
  ),
  passable("a DROP rule for TCP", "iptables -I", "FORWARD -i nat64-ygg -p tcp -j DROP", "filter4", {
    traffic: "tcp lost",
  }),
  rule("a DROP rule in raw", "iptables -t raw -I", "PREROUTING -i ovl0 -s 10.1.0.0/16 -j DROP", "raw4"),
  rule("an IPv6 DROP rule in mangle", "ip6tables -t mangle -A", "FORWARD -o nat64-ygg -j DROP", "mangle6"),
  rule("a DROP rule in mangle POSTROUTING", "iptables -t mangle -A", "POSTROUTING -o ovl0 -j DROP", "mangle4"),
  rule(
    "a hop limit of 1 before routing",
    "ip6tables -t mangle -A",
    "PREROUTING -i eth0 -d 2a04:5b80:300:4::/96 -j HL --hl-set 1",
    "mangle6",
    { says: /--hl-set 1/ },
  ),
  rule("a TTL of 1 before routing", "iptables -t mangle -A", "PREROUTING -i nat64-ygg -j TTL --ttl-set 1", "mangle4", {
    says: /--ttl-set 1/,
  }),
  rule("a DROP rule in iptables-legacy", "iptables-legacy -A", "FORWARD -i ovl0 -j DROP", "legacy"),
  foreign({
    ...forward,
    name: "iptables-legacy FORWARD policy DROP",
    says: /legacy/,
    breaks: "iptables-legacy -P FORWARD DROP",
    undoes: "iptables-legacy -P FORWARD ACCEPT",
    touches: ["legacy"],
  }),
  foreign({
    ...forward,
    name: "ip6tables-legacy FORWARD policy DROP",
    says: /legacy/,
    breaks: "ip6tables-legacy -P FORWARD DROP",
    undoes: "ip6tables-legacy -P FORWARD ACCEPT",
    touches: ["legacy"],
  }),
  own({
    ...forward,
    owner: "foreign",
    name: "Docker's FORWARD",
    says: /Docker/,
    breaks:
      `iptables -P FORWARD DROP; iptables -N DOCKER-USER; iptables -N DOCKER-FORWARD; iptables -A DOCKER-USER -j RETURN
      iptables -A DOCKER-FORWARD -i docker0 -j ACCEPT; iptables -A FORWARD -j DOCKER-USER; iptables -A FORWARD -j DOCKER-FORWARD`,
    undoes: `iptables -P FORWARD ACCEPT; iptables -D FORWARD -j DOCKER-USER; iptables -D FORWARD -j DOCKER-FORWARD
      for c in DOCKER-USER DOCKER-FORWARD; do iptables -F $c; iptables -X $c; done; crxn up --yes`,
    touches: ["filter4"],
  }),
  own({
    ...forward,
    owner: "foreign",
    name: "ufw enabled",
    says: /ufw/,
    // ufw lets echo requests through.
    traffic: "tcp lost",
    breaks: `command -v ufw || { apt-get -q update; apt-get -qy install --no-install-recommends ufw; } >/dev/null
      sed -i 's/^IPV6=.*/IPV6=yes/' /etc/default/ufw; ufw --force enable`,
    undoes: `ufw --force disable; iptables -P FORWARD ACCEPT; ip6tables -P FORWARD ACCEPT
      for p in iptables ip6tables; do $p -S | sed -n 's/^-A \\(.* ufw6\\?-.*\\)/-D \\1/p' | while read -r line; do $p $line; done
      $p -S | sed -n 's/^-N \\(ufw.*\\)/\\1/p' | while read -r c; do $p -F $c; done
      $p -S | sed -n 's/^-N \\(ufw.*\\)/\\1/p' | while read -r c; do $p -X $c; done; done
      dpkg --purge ufw >/dev/null; crxn up --yes`,
    touches: ["filter4", "filter6", "sysctl-file", "packages"],
  }),
  own({
    id: "nat-rule",
    name: "the NAT chain emptied",
    breaks: "iptables -t nat -F CRXN-POSTROUTING",
    hop: "forward",
    touches: ["nat"],
  }),
  own({
    id: "nat-rule",
    name: "the jump to the NAT chain deleted",
    breaks: "iptables -t nat -F POSTROUTING",
    hop: "forward",
    touches: ["nat"],
  }),
  rule(
    "an iptables rule that drops neighbour solicitations",
    "ip6tables -I",
    "INPUT -i eth0 -p ipv6-icmp -m icmp6 --icmpv6-type 135 -j DROP",
    "input6",
    // Who knows the machine's link address already goes on for a while.
    { id: "input-policy", hop: "uplink", traffic: "flows" },
  ),
  rule(
    "a foreign SNAT before crxn's",
    "iptables -t nat -I",
    "POSTROUTING -o ovl0 -j SNAT --to-source 192.0.2.10",
    "nat",
    {
      id: "nat-rule",
    },
  ),
  rule(
    "a foreign SNAT for one overlay host",
    "iptables -t nat -I",
    "POSTROUTING -d 10.1.0.3/32 -j SNAT --to-source 192.0.2.10",
    "nat",
    { id: "nat-rule" },
  ),
  rule(
    "a DNAT of one overlay host to another",
    "iptables -t nat -I",
    "PREROUTING -i nat64-ygg -d 10.1.0.3/32 -j DNAT --to-destination 10.1.0.99",
    "nat",
    { id: "nat-rule" },
  ),
  rule(
    "notrack for the translator's packets",
    "iptables -t raw -A",
    "PREROUTING -i nat64-ygg -j CT --notrack",
    "raw4",
    {
      id: "nat-rule",
    },
  ),
  own({
    id: "mss-clamp",
    name: "the clamp's rules flushed",
    breaks: "iptables -t mangle -F; ip6tables -t mangle -F",
    touches: ["mangle4", "mangle6"],
  }),
  own({
    id: "mss-clamp",
    name: "the clamp with another value",
    breaks: `iptables -t mangle -F CRXN-FORWARD
      iptables -t mangle -A CRXN-FORWARD -o nat64-ygg -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1460`,
    touches: ["mangle4"],
  }),
];
