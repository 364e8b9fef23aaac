import { type Fault, foreign } from "../fault.ts";

/** A table of somebody else's in native nftables. */
const table = (name: string, family: string, chains: string, more: Partial<Fault> = {}): Fault =>
  foreign({
    id: "forward-policy",
    hop: "forward",
    name,
    says: /\bsite\b/,
    breaks: `nft -f - <<'END'\ntable ${family} site {\n${chains}\n}\nEND`,
    undoes: `nft delete table ${family} site`,
    touches: ["nftables"],
    ...more,
  });

const hook = (hook: string, priority: string, policy: string, rules = "") =>
  `chain ${hook} { type filter hook ${hook} priority ${priority}; policy ${policy}; ${rules} }`;

const ingress = (only: Fault["only"] & string): Fault =>
  table(
    "an nftables drop at the uplink's ingress",
    "netdev",
    'chain in { type filter hook ingress device "eth0" priority 0; ip6 daddr 2a04:5b80:300:4::/64 drop; }',
    { only },
  );

/** Base chains of nftables: a drop in any of them is final. */
export const NFTABLES_FAULTS: Fault[] = [
  table(
    "an nftables table with policy drop",
    "inet",
    hook("forward", "filter", "drop", "ct state established accept;"),
  ),
  table(
    "an nftables rule that drops IPv6 from the uplink",
    "ip6",
    hook("forward", "10", "accept", 'iifname "eth0" drop;'),
  ),
  table(
    "an nftables rule in a chain that is jumped to",
    "ip",
    `chain guests { oifname "ovl0" reject; }\n${hook("forward", "filter", "accept", 'iifname "nat64-*" jump guests;')}`,
  ),
  table(
    "an nftables drop before connection tracking",
    "ip",
    hook("prerouting", "raw", "accept", "ip saddr 10.1.0.3 drop;"),
  ),
  table(
    "an nftables rule that sets the TTL to 1 before routing",
    "ip",
    hook("prerouting", "mangle", "accept", 'iifname "nat64-ygg" ip ttl set 1;'),
  ),
  table(
    "an nftables drop by a set of addresses",
    "inet",
    `set closed { type ipv4_addr; flags interval; elements = { 10.0.0.0/12 }; }\n${
      hook("forward", "mangle", "accept", "ip daddr @closed counter drop;")
    }`,
  ),
  table(
    "an nftables drop by a verdict map",
    "inet",
    hook("forward", "filter", "accept", 'oifname vmap { "ovl0" : drop, "docker0" : accept };'),
  ),
  ingress("trixie"),
  // nft 1.0.6 does not say which device such a chain is for, so that it may be another one.
  (({ hop: _, ...fault }) => ({
    ...fault,
    name: "an nftables drop at the ingress of a device that nft does not name",
    verdict: "warn" as const,
  }))(ingress("bookworm")),
  foreign({
    id: "forward-policy",
    hop: "forward",
    name: "firewalld's zones",
    says: /firewalld/,
    breaks: `nft -f - <<'END'
table inet firewalld {
  chain filter_FWD_public { jump filter_FWD_public_allow; }
  chain filter_FWD_public_allow { }
  chain filter_FORWARD_POLICIES { iifname "eth0" oifname "ovl9" jump filter_FWD_public; reject with icmpx admin-prohibited; }
  chain filter_FORWARD { type filter hook forward priority filter + 10; policy accept;
    ct state established,related accept; ct status dnat accept; iifname "lo" accept; ct state invalid drop; jump filter_FORWARD_POLICIES; }
}
END`,
    undoes: "nft delete table inet firewalld",
    touches: ["nftables"],
  }),
];
