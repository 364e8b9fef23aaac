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
    id: "forwarding-sysctl",
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
    name: "strict rp_filter, and a mark that only the way there has",
    breaks: `sysctl -qw net.ipv4.conf.all.rp_filter=1
      iptables -t mangle -A PREROUTING -i nat64-ygg -j MARK --set-mark 7
      ip rule add fwmark 7 lookup 100 priority 100; ip route add 10.0.0.0/8 dev ovl0 table 100
      ip rule add from 100.64.0.0/16 to 10.0.0.0/8 lookup 101 priority 101; ip route add 10.0.0.0/8 dev eth0 table 101`,
    undoes: `sysctl -qw net.ipv4.conf.all.rp_filter=0
      iptables -t mangle -D PREROUTING -i nat64-ygg -j MARK --set-mark 7
      ip rule del priority 100; ip route flush table 100; ip rule del priority 101; ip route flush table 101`,
    hop: "forward",
    touches: ["overlay-link", "overlay-route", "forwarding4", "mangle4"],
  }),
  foreign({
    id: "overlay-route",
    name: "a narrower route to the far host by another link",
    breaks: {
      host: "ip link add eth1 type veth peer name ovl1 netns $GWNS; ip link set eth1 up",
      gw: "ip link set ovl1 up; ip route add 10.1.0.3/32 dev ovl1 metric 5000",
    },
    undoes: { host: "ip link del eth1" },
    hop: "overlay",
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
