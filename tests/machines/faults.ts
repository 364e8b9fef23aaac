/** One thing that breaks on a gateway, by a command, and what doctor must make of it. */
export interface Fault {
  name: string;
  /** Shell script, run on the gateway. */
  breaks: string;
  /** The check that must fail; whatever else fails is a consequence that doctor should have excused. */
  id: string;
  /** Checks that rightly fail too. */
  also?: string[];
  /** The station of the path that is broken; without it the path is whole. */
  hop?: "uplink" | "translator" | "forward" | "overlay";
  /** The station is not as it should be, and yet lets traffic through: a guard is missing. */
  flows?: true;
  /** What mends it: `crxn up --yes`, or `crxn doctor --fix --yes`. */
  mend: "up" | "fix";
  /** What only a person can undo, afterwards. */
  after?: string;
}

/** Faults of every gateway; `overlay` is the device on which the overlay's packets leave. */
export const gatewayFaults = (overlay: string): Fault[] => [
  {
    name: "IPv4 FORWARD policy DROP",
    breaks: "iptables -P FORWARD DROP",
    id: "forward-policy",
    hop: "forward",
    mend: "up",
    after: "iptables -P FORWARD ACCEPT; crxn up --yes",
  },
  {
    name: "IPv6 FORWARD policy DROP",
    breaks: "ip6tables -P FORWARD DROP",
    id: "forward-policy",
    hop: "forward",
    mend: "fix",
    after: "ip6tables -P FORWARD ACCEPT; crxn up --yes",
  },
  {
    name: "the gateway's own FORWARD chain emptied",
    breaks: "iptables -F CRXN-FORWARD",
    id: "forward-policy",
    hop: "forward",
    flows: true,
    mend: "fix",
  },
  {
    name: "net.ipv4.ip_forward=0",
    breaks: "sysctl -qw net.ipv4.ip_forward=0",
    id: "forwarding-sysctl",
    hop: "forward",
    mend: "up",
  },
  {
    name: "net.ipv6.conf.all.forwarding=0",
    breaks: "sysctl -qw net.ipv6.conf.all.forwarding=0",
    id: "forwarding-sysctl",
    hop: "forward",
    mend: "fix",
  },
  {
    name: "blackhole route gone",
    breaks: "ip -6 route del blackhole 2a04:5b80:300:4::/64",
    id: "blackhole-route",
    mend: "up",
  },
  {
    name: "tayga stopped",
    breaks: "systemctl stop tayga@ygg",
    id: "translator-service",
    hop: "translator",
    mend: "fix",
  },
  {
    name: "NAT rule deleted",
    breaks: "iptables -t nat -F CRXN-POSTROUTING",
    id: "nat-rule",
    hop: "forward",
    mend: "fix",
  },
  { name: "pool route deleted", breaks: "ip route del 100.64.0.0/16", id: "pool-route", hop: "translator", mend: "up" },
  {
    name: "prefix route deleted",
    breaks: "ip -6 route del 2a04:5b80:300:4::a00:0/104",
    id: "prefix-route",
    hop: "translator",
    mend: "fix",
  },
  {
    name: "overlay route deleted",
    breaks: `ip route del 10.0.0.0/8 dev ${overlay}`,
    id: "overlay-route",
    hop: "overlay",
    mend: "fix",
  },
  {
    name: "overlay address deleted",
    breaks: `ip addr del 10.5.0.1/32 dev ${overlay}`,
    id: "overlay-address",
    hop: "overlay",
    mend: "up",
  },
  { name: "MSS rules flushed", breaks: "iptables -t mangle -F; ip6tables -t mangle -F", id: "mss-clamp", mend: "fix" },
];

/** What can happen to an existing link. */
export const INTERFACE_FAULTS: Fault[] = [
  { name: "overlay link down", breaks: "ip link set ovl0 down", id: "tunnel-routing", hop: "overlay", mend: "fix" },
  { name: "the link's follower stopped", breaks: "systemctl stop crxn-link", id: "overlay-service", mend: "fix" },
  {
    name: "the link down and up, with nobody to follow it",
    breaks: "systemctl stop crxn-link; ip link set ovl0 down; ip link set ovl0 up",
    id: "overlay-service",
    hop: "overlay",
    mend: "up",
  },
];

/** What can happen to yggdrasil and the tunnel over it. */
export const yggdrasilFaults = (tunnel: string): Fault[] => [
  { name: "tunnel device deleted", breaks: `ip link del ${tunnel}`, id: "tunnel-routing", hop: "overlay", mend: "up" },
  {
    name: "tunnel device down",
    breaks: `ip link set ${tunnel} down`,
    id: "tunnel-routing",
    hop: "overlay",
    mend: "fix",
  },
  { name: "yggdrasil stopped", breaks: "systemctl stop yggdrasil", id: "overlay-service", hop: "overlay", mend: "fix" },
  {
    name: "TUN device deleted",
    breaks: "systemctl stop yggdrasil; ip link del ygg",
    id: "overlay-service",
    also: ["tunnel-routing"],
    hop: "overlay",
    mend: "up",
  },
];
