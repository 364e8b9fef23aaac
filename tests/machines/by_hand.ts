/** A gateway as the operator's notes have it, over the link ovl0, in the words that an operator types. */

export const BY_HAND = `
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
ExecStartPre=-/usr/sbin/ip addr add 10.5.0.1/32 dev ovl0
ExecStartPre=-/usr/sbin/ip route add 10.0.0.0/8 dev ovl0
ExecStartPost=/usr/sbin/iptables -t nat -A POSTROUTING -s 100.64.0.0/16 -o ovl0 -j MASQUERADE
ExecStartPost=/usr/sbin/iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1380
ExecStopPost=/usr/sbin/iptables -t nat -D POSTROUTING -s 100.64.0.0/16 -o ovl0 -j MASQUERADE
ExecStopPost=/usr/sbin/iptables -t mangle -D FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1380
ExecStopPost=/usr/sbin/tayga --rmtun --config /etc/tayga/ygg.conf
END
printf 'net.ipv4.ip_forward=1\\nnet.ipv6.conf.all.forwarding=1\\nnet.ipv6.conf.eth0.accept_ra=2\\n' >/etc/sysctl.d/router.conf
sysctl -q -p /etc/sysctl.d/router.conf
systemctl daemon-reload
systemctl enable -q --now tayga@ygg
`;
