import { type Fault, foreign, own, PREFIX_NET } from "../fault.ts";

/** Starts tayga with a pool of which so many addresses are taken. */
const filled = (addresses: number) =>
  `systemctl stop tayga@ygg; cp -a /var/lib/tayga/ygg/dynamic.map /run/dynamic.map 2>/dev/null || true
  seq 2 ${
    addresses + 1
  } | awk -v now=$(date +%s) '{ printf "100.64.%d.%d\\t2001:db8:f::%x\\t%d\\n", $1 / 256, $1 % 256, $1, now }' > /var/lib/tayga/ygg/dynamic.map
  systemctl start tayga@ygg`;
const EMPTIED = `systemctl stop tayga@ygg; rm /var/lib/tayga/ygg/dynamic.map
  if test -e /run/dynamic.map; then mv /run/dynamic.map /var/lib/tayga/ygg/; fi; systemctl start tayga@ygg`;

/** Puts established flows into connection tracking, by netlink, until the kernel has no room: see conntrack.pl. */
const conntrack = (what: "fill" | "flush") => `/opt/doctor/conntrack.pl ${what}`;

/** What packets meet on their way, beyond routes and rules. */
export const PATH_FAULTS: Fault[] = [
  foreign({
    id: "pool",
    owner: "person",
    name: "a full pool",
    breaks: filled(254),
    undoes: EMPTIED,
    hop: "translator",
    touches: ["translator", "pool"],
  }),
  foreign({
    id: "pool",
    owner: "person",
    verdict: "warn",
    name: "a nearly full pool",
    breaks: filled(240),
    undoes: EMPTIED,
    touches: ["translator", "pool"],
  }),
  foreign({
    id: "conntrack",
    owner: "person",
    name: "a full connection tracking table",
    breaks: conntrack("fill"),
    undoes: conntrack("flush"),
    hop: "forward",
    touches: ["conntrack"],
  }),
  foreign({
    id: "path-mtu",
    owner: "far",
    name: "large packets vanish in the overlay",
    breaks: { host: "ip link set eth0 mtu 1300" },
    undoes: { host: "ip link set eth0 mtu 1500; ip route replace 10.5.0.0/16 dev eth0" },
    traffic: "large lost",
    touches: ["host"],
  }),
  foreign({
    id: "path-mtu",
    owner: "far",
    name: "large packets vanish behind the uplink",
    // A smaller MTU of the bridge would be no secret: the router would tell the client of it.
    breaks: {
      net:
        "nft 'add table ip6 hole; add chain ip6 hole in { type filter hook prerouting priority -300; }; add rule ip6 hole in meta length > 1300 drop'",
    },
    undoes: { net: "nft delete table ip6 hole" },
    traffic: "large lost",
    touches: ["router"],
  }),
  foreign({
    id: "path-mtu",
    owner: "foreign",
    name: "an iptables rule that drops large packets",
    breaks: "iptables -t mangle -A FORWARD -o ovl0 -m length --length 1301:65535 -j DROP",
    undoes: "iptables -t mangle -D FORWARD -o ovl0 -m length --length 1301:65535 -j DROP",
    traffic: "large lost",
    touches: ["mangle4"],
  }),
  foreign({
    id: "path-mtu",
    owner: "foreign",
    name: "a shaper that lets none but small packets through",
    // Of what is larger than its bucket none is ever sent (tc-tbf(8)).
    breaks: "tc qdisc add dev ovl0 root tbf rate 100mbit burst 300 latency 50ms mtu 300",
    undoes: "tc qdisc del dev ovl0 root",
    says: /no MTU.*tbf/s,
    traffic: "large lost",
    touches: ["overlay-link"],
  }),
  foreign({
    id: "prefix-routed",
    owner: "far",
    name: "an on-link /64: the provider asks for each address",
    breaks: { net: `ip -6 route replace ${PREFIX_NET} dev br-static` },
    undoes: { net: `ip -6 route replace ${PREFIX_NET} via 2001:db8:9::10 dev br-static` },
    hop: "uplink",
    traffic: "lost",
    touches: ["router"],
  }),
  foreign({
    id: "blackhole-route",
    owner: "person",
    verdict: "warn",
    name: "the network of the prefix is the uplink's own",
    breaks: "ip -6 addr add 2a04:5b80:300:4:1::1/64 dev eth0 nodad",
    undoes: "ip -6 addr del 2a04:5b80:300:4:1::1/64 dev eth0",
    touches: ["router", "blackhole"],
  }),
  foreign({
    id: "probe",
    owner: "far",
    name: "the far host is off",
    breaks: {
      host: "ip address del 10.1.0.3/32 dev eth0",
      // A neighbour that was there a moment ago is not asked for again so soon.
      gw: "ip neigh flush dev $OVL",
    },
    undoes: { host: "ip address add 10.1.0.3/32 dev eth0; ip route replace 10.5.0.0/16 dev eth0" },
    hop: "overlay",
    touches: ["host"],
  }),
  foreign({
    id: "probe",
    owner: "far",
    name: "the far host knows no way back",
    breaks: { host: "ip route del 10.5.0.0/16" },
    undoes: { host: "ip route add 10.5.0.0/16 dev eth0" },
    hop: "target",
    touches: ["host"],
  }),
  foreign({
    id: "probe",
    owner: "person",
    name: "the far host's address on this machine",
    breaks: "ip address add 10.1.0.3/32 dev lo",
    undoes: "ip address del 10.1.0.3/32 dev lo",
    says: /10\.1\.0\.3 is an address of lo, on this machine/,
    hop: "overlay",
    touches: ["overlay-route", "host"],
  }),
  foreign({
    id: "probe",
    owner: "person",
    name: "a zone of connection tracking for what comes from the overlay",
    breaks: "iptables -t raw -A PREROUTING -i ovl0 -j CT --zone 5",
    undoes: "iptables -t raw -D PREROUTING -i ovl0 -j CT --zone 5",
    says: /"-i ovl0 -j CT --zone 5" of IPv4 raw PREROUTING/,
    hop: "translator",
    touches: ["raw4"],
  }),
  foreign({
    id: "probe",
    owner: "person",
    name: "an IPsec policy that blocks what goes to the overlay",
    breaks: "ip xfrm policy add src 0.0.0.0/0 dst 10.1.0.0/24 dir fwd action block",
    undoes: "ip xfrm policy delete src 0.0.0.0/0 dst 10.1.0.0/24 dir fwd",
    says: /the IPsec policy "src 0\.0\.0\.0\/0 dst 10\.1\.0\.0\/24 dir fwd" blocks them/,
    hop: "overlay",
    touches: ["overlay-route"],
  }),
  foreign({
    id: "probe",
    owner: "person",
    name: "the far host's link address fixed to a wrong one",
    breaks: "ip neigh replace 10.1.0.3 lladdr 02:00:00:00:00:99 nud permanent dev ovl0",
    undoes: "ip neigh del 10.1.0.3 dev ovl0",
    says: /10\.1\.0\.3 is fixed by hand/,
    hop: "overlay",
    touches: ["host"],
  }),
  foreign({
    id: "probe",
    owner: "person",
    name: "a queue that lets nothing out of the overlay link",
    breaks: "tc qdisc add dev ovl0 root tbf rate 8bit burst 1 limit 1",
    undoes: "tc qdisc del dev ovl0 root",
    says: /the queue of ovl0 is held by tc\(8\) \(tbf\)/,
    hop: "overlay",
    touches: ["host"],
  }),
  foreign({
    id: "probe",
    owner: "person",
    name: "a queue that lets nothing into the translator",
    breaks: "tc qdisc add dev nat64-ygg root tbf rate 8bit burst 1 limit 1",
    undoes: "tc qdisc del dev nat64-ygg root",
    says: /the queue of nat64-ygg is held by tc\(8\) \(tbf\)/,
    hop: "translator",
    touches: ["host"],
  }),
  foreign({
    id: "probe",
    owner: "person",
    name: "ARP switched off on the overlay link",
    breaks: "ip link set ovl0 arp off; ip neigh flush dev ovl0",
    undoes: "ip link set ovl0 arp on",
    says: /ovl0 asks for nobody's link address/,
    hop: "overlay",
    touches: ["host"],
  }),
  foreign({
    id: "accept-ra",
    owner: "person",
    verdict: "warn",
    name: "the router's link address fixed to a wrong one",
    breaks: "ip neigh replace 2001:db8:9::1 lladdr 02:00:00:00:00:99 nud permanent dev eth0",
    undoes: "ip neigh del 2001:db8:9::1 dev eth0",
    says: /2001:db8:9::1 on eth0 is fixed by hand/,
    traffic: "lost",
    touches: ["router", "uplink"],
  }),
  foreign({
    id: "conflicts",
    only: "trixie",
    owner: "foreign",
    name: "Debian's own tayga with its sample config",
    breaks: "systemctl -q enable --now tayga.service",
    undoes: "systemctl -q disable --now tayga.service",
    mended: true,
    touches: ["conflicts"],
  }),
  foreign({
    id: "conflicts",
    name: "a second NAT64 with the same prefix",
    breaks:
      `printf 'tun-device nat64-two\\nipv4-addr 192.168.200.1\\nprefix 2a04:5b80:300:4::/96\\ndynamic-pool 192.168.200.0/24\\n' > /run/two.conf
      tayga --mktun -c /run/two.conf; ip link set nat64-two up; ip route add 192.168.200.0/24 dev nat64-two
      ip -6 route add 2a04:5b80:300:4::a01:0/112 dev nat64-two; systemd-run -q --unit=two tayga -n -c /run/two.conf`,
    undoes: "systemctl stop two; ip link del nat64-two; rm /run/two.conf",
    hop: "translator",
    touches: ["conflicts", "prefix-route"],
  }),
  foreign({
    id: "logs",
    owner: "person",
    verdict: "warn",
    name: "an error in tayga's log",
    // Whose it is journald looks up while whoever said it still runs.
    breaks: `cg=/sys/fs/cgroup$(systemctl show -P ControlGroup tayga@ygg)
      sh -c "echo \\$\\$ > $cg/cgroup.procs; (echo 'unable to write dynamic.map: No space left on device'; sleep 1) | systemd-cat -t tayga -p err"`,
    undoes: "systemctl restart tayga@ygg",
    touches: ["translator", "logs"],
  }),
  own({
    id: "mss-clamp",
    name: "a clamp in crxn.yaml that up was not run for",
    breaks: "cp -a /etc/crxn/crxn.yaml /run/crxn.yaml; printf '  mss: 1200\\n' >> /etc/crxn/crxn.yaml",
    undoes: "cp -a /run/crxn.yaml /etc/crxn/crxn.yaml; crxn up --yes",
    touches: ["config", "mangle4", "mangle6"],
  }),
];
