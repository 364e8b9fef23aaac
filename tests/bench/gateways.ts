/** The gateways that are compared: by hand, crxn with some translators, and no translation at all. */

import type { Machine } from "../rig/mod.ts";
import { CONFIG, crxn, INTERFACE_GATEWAY, MAPPED, ROUTED } from "../machines/story.ts";

const PREFIX = ROUTED.replace(/\/64$/, "/96");

export interface Gateway {
  name: string;
  /** What a client reaches the overlay's host by. */
  target: string;
  begin: (gw: Machine) => Promise<unknown>;
  end: (gw: Machine) => Promise<unknown>;
  /** The units that translate. */
  units: string[];
}

/** The overlay host's own IPv6 address, for routing without translation. */
/** And this machine's, as its next hop. */
export const GATEWAY6 = "2001:db8:e::1";
export const HOST6 = "2001:db8:e::3";

/** What the operator's notes say: one tayga, its routes, masquerading, the clamp. */
const HAND = `
mkdir -p /var/lib/tayga/hand
printf '%s\\n' 'tun-device nat64' 'ipv4-addr 100.64.0.1' 'prefix ${PREFIX}' 'dynamic-pool 100.64.0.0/16' 'data-dir /var/lib/tayga/hand' >/run/hand.conf
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
tayga --mktun --config /run/hand.conf
ip link set nat64 up
ip addr add 10.5.0.1/32 dev ovl0
ip route add 10.0.0.0/8 dev ovl0
ip route add 100.64.0.0/16 dev nat64
ip -6 route add ${PREFIX} dev nat64
iptables -t nat -A POSTROUTING -s 100.64.0.0/16 -o ovl0 -j MASQUERADE
iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1440
ip6tables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1440
systemd-run -q --unit hand tayga --nodetach --config /run/hand.conf
`;
const HAND_END = `
systemctl stop hand
iptables -t nat -D POSTROUTING -s 100.64.0.0/16 -o ovl0 -j MASQUERADE
iptables -t mangle -D FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1440
ip6tables -t mangle -D FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1440
ip link del nat64
ip route del 10.0.0.0/8 dev ovl0
ip addr del 10.5.0.1/32 dev ovl0
`;

export const byHand: Gateway = {
  name: "by hand, one tayga",
  target: MAPPED,
  begin: (gw) => gw.must(HAND),
  end: (gw) => gw.must(HAND_END),
  units: ["hand"],
};

export const crxnWith = (workers: number): Gateway => ({
  name: `crxn, ${workers} ${workers === 1 ? "translator" : "translators"}`,
  target: MAPPED,
  begin: async (gw) => {
    await gw.write(CONFIG, `${INTERFACE_GATEWAY}nat64: {workers: ${workers}, limits: {flows: 60000}}\n`);
    await crxn(gw, "up --yes");
  },
  end: (gw) => crxn(gw, "down --yes"),
  units: Array.from({ length: workers }, (_, i) => i === 0 ? "tayga@ygg" : `tayga@ygg-${i + 1}`),
});

export const routing: Gateway = {
  name: "routing, no translation",
  target: HOST6,
  begin: (gw) => gw.must(`sysctl -qw net.ipv6.conf.all.forwarding=1; ip -6 address add ${GATEWAY6}/64 dev ovl0 nodad`),
  end: (gw) => gw.must(`ip -6 address del ${GATEWAY6}/64 dev ovl0`),
  units: [],
};
