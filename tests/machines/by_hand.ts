/** A gateway as the operator's notes have it, in the words that an operator types. */

import { assertEquals } from "@std/assert";
import type { Namespace } from "../rig/mod.ts";
import { MAPPED } from "./story.ts";

/** @param own lines that put address and routes on the link, where nobody else does */
export const typedOver = (link: string, own = ""): string => `
systemctl disable -q --now tayga 2>/dev/null || true
mkdir -p /etc/tayga /var/lib/tayga/ygg
cat >/etc/tayga/ygg.conf <<'END'
tun-device nat64-ygg
ipv4-addr 100.64.0.1
prefix 2a04:5b80:300:4::/96
dynamic-pool 100.64.0.0/16
data-dir /var/lib/tayga/ygg
END
cat >/etc/systemd/system/tayga@.service <<'END'
[Unit]
Description=TAYGA NAT64 %i
After=network.target

[Service]
ExecStart=/usr/sbin/tayga --nodetach --config /etc/tayga/%i.conf
Restart=on-failure

[Install]
WantedBy=multi-user.target
END
mkdir -p /etc/systemd/system/tayga@ygg.service.d
cat >/etc/systemd/system/tayga@ygg.service.d/override.conf <<'END'
[Service]
ExecStartPre=/usr/sbin/tayga --mktun --config /etc/tayga/ygg.conf
ExecStartPre=/usr/sbin/ip link set nat64-ygg up
ExecStartPre=/usr/sbin/ip route add 100.64.0.0/16 dev nat64-ygg
ExecStartPre=/usr/sbin/ip -6 route add 2a04:5b80:300:4::a00:0/104 dev nat64-ygg
ExecStartPre=-/usr/sbin/ip -6 route add blackhole 2a04:5b80:300:4::/64
${own}ExecStartPost=/usr/sbin/iptables -t nat -A POSTROUTING -s 100.64.0.0/16 -o ${link} -j MASQUERADE
ExecStartPost=/usr/sbin/iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1380
ExecStopPost=/usr/sbin/iptables -t nat -D POSTROUTING -s 100.64.0.0/16 -o ${link} -j MASQUERADE
ExecStopPost=/usr/sbin/iptables -t mangle -D FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1380
ExecStopPost=/usr/sbin/tayga --rmtun --config /etc/tayga/ygg.conf
END
printf 'net.ipv4.ip_forward=1\\nnet.ipv6.conf.all.forwarding=1\\nnet.ipv6.conf.eth0.accept_ra=2\\n' >/etc/sysctl.d/router.conf
sysctl -q -p /etc/sysctl.d/router.conf
systemctl daemon-reload
systemctl enable -q --now tayga@ygg
`;

/** Over the link ovl0, which somebody else has made. */
export const BY_HAND = typedOver(
  "ovl0",
  "ExecStartPre=-/usr/sbin/ip addr add 10.5.0.1/32 dev ovl0\nExecStartPre=-/usr/sbin/ip route add 10.0.0.0/8 dev ovl0\n",
);

/** How many of fifty pings a second are lost, for eight seconds in whose midst something is done. */
export async function lostWhile(client: Namespace, body: () => Promise<unknown>): Promise<number> {
  let over = false;
  const pings = client.run(["ping", "-n", "-q", "-i", "0.02", "-c", "400", "-W", "1", MAPPED]);
  pings.then(() => over = true, () => {});
  await new Promise((resolve) => setTimeout(resolve, 500));
  await body();
  assertEquals(over, false, "it took longer than the pings: nobody has seen its end");
  const { stdout } = await pings;
  const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(stdout) ?? [];
  assertEquals(sent, "400", stdout);
  return Number(sent) - Number(received);
}
