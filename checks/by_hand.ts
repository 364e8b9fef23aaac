/**
 * How each check's subject usually breaks, and the commands that show it without crxn: the rest of its page. Names of interfaces
 * are those of the defaults; the config may have others.
 */

export interface ByHand {
  breaks: string;
  /** Commands, as typed into a root shell. */
  look: string[];
}

export const BY_HAND: Record<string, ByHand> = {
  "packages": {
    breaks: "Somebody removes a package, or `apt autoremove` does; a fetched daemon is replaced by another build.",
    look: ["dpkg-query -W tayga yggdrasil iptables", "cat /etc/os-release"],
  },
  "tun-device": {
    breaks:
      "A container is started without the device; a kernel was updated and its modules are gone until the reboot.",
    look: ["ls -l /dev/net/tun", "modprobe tun"],
  },
  "overlay-service": {
    breaks:
      "The daemon dies at its start for a bad config, or hangs; somebody stops, disables or masks a unit; an update restarts it and it fails.",
    look: [
      "systemctl status crxn-overlay yggdrasil crxn-link",
      "journalctl -b -u yggdrasil -n 50",
      "yggdrasilctl getSelf",
    ],
  },
  "overlay-identity": {
    breaks: "The config is made anew by a package or by hand, with another key; a backup is put back with mode 644.",
    look: ["ls -l /etc/yggdrasil/yggdrasil.conf", "yggdrasilctl getSelf"],
  },
  "overlay-peers": {
    breaks:
      "The peer moved, is off, or runs a version that cannot peer; a firewall lets no connection out; a key in overlay.routes was copied with an error.",
    look: ["yggdrasilctl getPeers", "journalctl -b -u yggdrasil | grep -i -e incompatible -e error"],
  },
  "tunnel-routing": {
    breaks:
      "The tunnel device is deleted, down, or of another kind than the far end's; its packets are dropped in INPUT; a VPN's link went down.",
    look: ["ip -d link show", "ip6tables -vnL CRXN-INPUT", "tcpdump -ni ygg udp port 4789 or proto gre"],
  },
  "overlay-address": {
    breaks: "Whoever made the link makes it anew; a network manager takes off addresses that it did not put on.",
    look: ["ip -4 address show"],
  },
  "overlay-route": {
    breaks:
      "The kernel takes routes off a link that goes down and does not put them back; networkd removes routes of others; a more specific route or an `ip rule` leads elsewhere.",
    look: ["ip -4 route show table all", "ip rule", "ip route get 10.0.0.1"],
  },
  "translator-service": {
    breaks:
      "A line that tayga does not know; a device that another process holds; the rules that it requires do not load.",
    look: ["systemctl status tayga@ygg crxn-firewall", "journalctl -b -u tayga@ygg -n 50"],
  },
  "translator-config": {
    breaks: "The file is edited by hand; it is right, and tayga has not been restarted since.",
    look: ["cat /etc/tayga/ygg.conf", "systemctl show -p ExecMainStartTimestamp tayga@ygg"],
  },
  "translator-device": {
    breaks: "The device is deleted under the daemon, which then holds nothing; somebody sets it down.",
    look: ["ip -d link show nat64-ygg", "ip -s link show nat64-ygg"],
  },
  "pool": {
    breaks: "One client walks through the addresses of its /64, and each takes an address of the pool for two hours.",
    look: ["wc -l /var/lib/tayga/ygg/dynamic.map", "tail /var/lib/tayga/ygg/dynamic.map"],
  },
  "pool-route": {
    breaks: "The device was down for a moment, and its IPv4 routes went; another route covers the pool.",
    look: ["ip -4 route show table all", "ip route get 100.64.0.2"],
  },
  "prefix-route": {
    breaks: "A more specific route, another table or an `ip rule` takes the packets; networkd removes the route.",
    look: ["ip -6 route show table all", "ip -6 rule", "ip -6 route get 2001:db8:300:4::a00:1"],
  },
  "blackhole-route": {
    breaks: "A `route flush`, or a network manager that removes what it does not know.",
    look: ["ip -6 route show type blackhole"],
  },
  "forwarding-sysctl": {
    breaks:
      "A hardening tool, a VPN script or a file of a later name in sysctl.d sets it to 0: now, or at the next boot.",
    look: [
      "sysctl net.ipv4.ip_forward net.ipv6.conf.all.forwarding",
      "grep -rn forward /etc/sysctl.conf /etc/sysctl.d /usr/lib/sysctl.d",
    ],
  },
  "accept-ra": {
    breaks: "Forwarding is switched on while accept_ra is 1: the kernel drops the default route at once.",
    look: ["ip -6 route show default", "sysctl net.ipv6.conf.eth0.accept_ra"],
  },
  "forward-policy": {
    breaks: "Docker, ufw or firewalld starts and sets the policy to DROP, or loads its rules in front of others.",
    look: ["iptables -vnL FORWARD", "ip6tables -vnL FORWARD", "nft list ruleset"],
  },
  "rp-filter": {
    breaks: "A hardening tool sets it to 1 for all, while packets come in by one device and answers leave by another.",
    look: ["sysctl -ar 'ipv4.conf.*.rp_filter'", "nstat -az TcpExtIPReversePathFilter"],
  },
  "uplink": {
    breaks: "A new card, a new kernel or a new systemd gives the interface another name; the cable is out.",
    look: ["ip link show", "ip -6 route show default", "ip -6 rule"],
  },
  "input-policy": {
    breaks: "A firewall drops all ICMPv6, or every port but a few, also those of overlay.listen.",
    look: ["ip6tables -vnL INPUT", "nft list ruleset"],
  },
  "conntrack": {
    breaks: "Many clients, a scan, or an nf_conntrack_max that somebody set low: new connections are dropped.",
    look: [
      "sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max",
      "dmesg | grep 'table full'",
    ],
  },
  "network-managers": {
    breaks: "A .network file with a wide [Match], or an update that restarts networkd.",
    look: ["networkctl list", "nmcli device status", "grep -r Match -A3 /etc/systemd/network"],
  },
  "disk": {
    breaks: "Logs or packages fill the disk; an error makes the kernel mount it read-only.",
    look: ["df -h", "df -i", "grep ' ro,' /proc/mounts"],
  },
  "clock": {
    breaks: "A machine without a battery for its clock starts in the past, and no time service reaches the Internet.",
    look: ["timedatectl", "date"],
  },
  "nat-rule": {
    breaks: "A firewall script flushes the nat table; a rule in front of ours translates to another address.",
    look: ["iptables -t nat -vnL"],
  },
  "mss-clamp": {
    breaks: "A firewall script flushes the mangle table. Pings go on, web pages hang.",
    look: ["iptables -t mangle -vnL FORWARD", "ip6tables -t mangle -vnL FORWARD"],
  },
  "path-mtu": {
    breaks: "A link on the way carries less than its ends think, and the message that says so is filtered.",
    look: ["ping -M do -s 1400 -c 3 10.0.0.1", "tracepath -n 10.0.0.1"],
  },
  "prefix-routed": {
    breaks: "The provider hands out a network on the link itself and routes nothing here.",
    look: ["tcpdump -ni eth0 icmp6 and 'ip6[40] == 135'", "ip -6 route show dev eth0"],
  },
  "conflicts": {
    breaks: "Debian 13's tayga package starts a translator of its own; another NAT64 (jool) serves the same prefix.",
    look: ["systemctl status tayga", "ip route show | grep nat64"],
  },
  "logs": {
    breaks: "Errors in a log come before the failure: a full disk, a refused connection, a wrong clock.",
    look: ["journalctl -b -p warning -u yggdrasil -u 'tayga@*' -u 'crxn-*'"],
  },
  "drift": {
    breaks: "Somebody edits a file of crxn, or crxn.yaml without `crxn up`; a package brings other units.",
    look: ["crxn up --dry-run"],
  },
  "upkeep": {
    breaks:
      "The timers are stopped or disabled by hand; crxn's program is moved, so that nothing is run any more; the folder of the metrics goes with the package that brought it.",
    look: ["systemctl list-timers 'crxn-*'", "journalctl -u crxn-mend -n 20"],
  },
  "probe": {
    breaks: "Anything. It is here to see what no other check looks for.",
    look: ["tcpdump -ni nat64-ygg icmp or icmp6", "ping 2001:db8:300:4::a00:1"],
  },
};
