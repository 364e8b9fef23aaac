import { type Fault, foreign, own } from "../fault.ts";

const off = (key: string, name: string, touches: string, more: Partial<Fault> = {}): Fault =>
  own({
    id: "forwarding-sysctl",
    name: `${name} off at run time`,
    breaks: `sysctl -qw ${key}=0`,
    hop: "forward",
    touches: [touches],
    ...more,
  });

/** Kernel parameters, as they are now. */
export const SYSCTL_FAULTS: Fault[] = [
  off("net.ipv4.ip_forward", "IPv4 forwarding", "forwarding4"),
  off("net.ipv6.conf.all.forwarding", "IPv6 forwarding", "forwarding6"),
  off("net.ipv4.conf.ovl0.forwarding", "IPv4 forwarding of the overlay link", "forwarding4"),
  off("net.ipv4.conf.nat64-ygg.forwarding", "IPv4 forwarding of the translator's device", "forwarding4"),
  own({
    id: "forwarding-sysctl",
    name: "IPv6 disabled on the translator's device",
    breaks: "sysctl -qw net.ipv6.conf.nat64-ygg.disable_ipv6=1",
    undoes: "sysctl -qw net.ipv6.conf.nat64-ygg.disable_ipv6=0",
    hop: "forward",
    touches: ["translator", "prefix-route"],
  }),
  foreign({
    id: "accept-ra",
    name: "IPv6 disabled on the uplink",
    breaks: "sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1",
    undoes: "sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0; systemctl restart rig-network",
    hop: "uplink",
    touches: ["uplink"],
  }),
  foreign({
    id: "accept-ra",
    name: "the IPv6 default route deleted",
    breaks: "ip -6 route del default",
    undoes: "systemctl restart rig-network",
    owner: "person",
    hop: "uplink",
    touches: ["uplink"],
  }),
  foreign({
    id: "rp-filter",
    name: "strict rp_filter, and the answers come by another link",
    breaks: {
      host: "ip link add eth1 type veth peer name ovl1 netns $GWNS; ip link set eth1 up",
      gw:
        "ip link set ovl1 up; sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.ovl0.rp_filter=1; ip route add 10.1.0.3/32 dev ovl1 metric 5000",
    },
    undoes: {
      host: "ip link del eth1",
      gw: "sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.ovl0.rp_filter=0",
    },
    hop: "forward",
    touches: ["overlay-link", "overlay-route", "forwarding4"],
  }),
  own({
    id: "accept-ra",
    scene: "advertised",
    name: "accept_ra=1 at run time",
    breaks: "sysctl -qw net.ipv6.conf.eth0.accept_ra=1",
    touches: ["uplink"],
  }),
  own({
    id: "accept-ra",
    scene: "advertised",
    name: "accept_ra=0 and the advertised default route gone",
    breaks: "sysctl -qw net.ipv6.conf.eth0.accept_ra=0; ip -6 route del default",
    hop: "uplink",
    touches: ["uplink"],
    patience: 15,
  }),
  own({
    id: "accept-ra",
    scene: "advertised",
    name: "accept_ra missing from crxn's sysctl file",
    breaks: "sed -i '/accept_ra *=/d' /etc/sysctl.d/crxn.conf",
    touches: ["sysctl-file"],
  }),
  own({
    id: "forwarding-sysctl",
    scene: "advertised",
    name: "IPv6 forwarding off at run time, on an advertised uplink",
    breaks: "sysctl -qw net.ipv6.conf.all.forwarding=0",
    hop: "forward",
    touches: ["forwarding6"],
  }),
];
