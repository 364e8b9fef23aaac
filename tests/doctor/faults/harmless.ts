import type { Harmless } from "../fault.ts";

const link = (name: string, makes: Harmless["makes"], undoes: Harmless["undoes"]): Harmless => ({
  name,
  scene: "link",
  makes,
  undoes,
});

/** What is not a fault, however much it looks like one. */
export const HARMLESS: Harmless[] = [
  link(
    "an nftables table that accepts",
    "nft 'add table inet site; add chain inet site forward { type filter hook forward priority 0; policy accept; }; add rule inet site forward iifname \"ovl7\" drop'",
    "nft delete table inet site",
  ),
  link(
    "an nftables policy drop whose rules accept what is the gateway's",
    `nft -f - <<'END'
table inet site {
  chain forward { type filter hook forward priority 0; policy drop; ct state established,related accept; iifname { "eth0", "nat64-ygg" } accept; }
}
END`,
    "nft delete table inet site",
  ),
  link(
    "IPv4 FORWARD policy DROP with an accept for everything",
    "iptables -P FORWARD DROP; iptables -A FORWARD -j ACCEPT",
    "iptables -D FORWARD -j ACCEPT; iptables -P FORWARD ACCEPT",
  ),
  link(
    "a sysctl file that sorts before crxn's",
    "echo 'net.ipv4.ip_forward = 0' > /etc/sysctl.d/10-off.conf",
    "rm /etc/sysctl.d/10-off.conf",
  ),
  link(
    "a DROP rule for another device",
    "iptables -I FORWARD -i docker0 -j DROP",
    "iptables -D FORWARD -i docker0 -j DROP",
  ),
  link(
    "a DROP rule for SSH from outside",
    "iptables -A INPUT -i eth0 -p tcp --dport 22 -j DROP",
    "iptables -D INPUT -i eth0 -p tcp --dport 22 -j DROP",
  ),
  link(
    "an ip rule and a route for another network",
    "ip rule add to 172.20.0.0/14 lookup 100; ip route add default via 192.0.2.1 table 100",
    "ip rule del to 172.20.0.0/14 lookup 100; ip route flush table 100",
  ),
  link(
    "a foreign MASQUERADE behind crxn's rule",
    "iptables -t nat -A POSTROUTING -o ovl0 -j MASQUERADE",
    "iptables -t nat -D POSTROUTING -o ovl0 -j MASQUERADE",
  ),
  link(
    "a narrower route in another part of the prefix",
    "ip -6 route add 2a04:5b80:300:4:0:1::/96 dev eth0",
    "ip -6 route del 2a04:5b80:300:4:0:1::/96 dev eth0",
  ),
  link("loose rp_filter", "sysctl -qw net.ipv4.conf.all.rp_filter=2", "sysctl -qw net.ipv4.conf.all.rp_filter=0"),
];
