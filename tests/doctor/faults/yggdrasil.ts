import { type Fault, foreign, own } from "../fault.ts";

const CONF = "/etc/yggdrasil/yggdrasil.conf";
/** A daemon comes back, its peers find each other, its tunnel carries: 0.4.7 takes its time. */
const base = { scene: "yggdrasil", hop: "overlay", patience: 30 } as const;

/** yggdrasil, and the tunnel over it. */
export const YGGDRASIL_FAULTS: Fault[] = [
  own({
    ...base,
    id: "overlay-service",
    name: "yggdrasil stopped",
    breaks: "systemctl stop yggdrasil",
    touches: ["daemon"],
  }),
  own({
    ...base,
    id: "overlay-service",
    name: "yggdrasil masked",
    breaks: "systemctl -q mask --now yggdrasil",
    undoes: "systemctl -q unmask yggdrasil",
    touches: ["daemon"],
  }),
  own({
    scene: "yggdrasil",
    id: "overlay-service",
    name: "yggdrasil disabled",
    breaks: "systemctl -q disable yggdrasil",
    touches: ["daemon"],
  }),
  own({
    ...base,
    id: "overlay-service",
    name: "yggdrasil frozen by SIGSTOP",
    breaks: "kill -STOP $(systemctl show -P MainPID yggdrasil)",
    undoes: "kill -CONT $(systemctl show -P MainPID yggdrasil)",
    touches: ["daemon"],
  }),
  own({
    ...base,
    id: "overlay-service",
    name: "yggdrasil frozen by systemctl freeze",
    breaks: "systemctl freeze yggdrasil",
    undoes: "systemctl thaw yggdrasil",
    touches: ["daemon"],
  }),
  own({
    ...base,
    id: "overlay-service",
    name: "yggdrasil's TUN device deleted",
    breaks: "systemctl stop yggdrasil; ip link del ygg",
    also: ["tunnel-routing"],
    touches: ["daemon", "tunnel"],
  }),
  foreign({
    ...base,
    id: "overlay-peers",
    owner: "far",
    name: "the peer is down",
    breaks: { far: "systemctl stop yggdrasil" },
    undoes: { far: "systemctl start yggdrasil" },
    touches: ["daemon", "tunnel"],
    // 0.4.7 tries a peer that has refused again after a minute only.
    patience: 75,
  }),
  foreign({
    ...base,
    id: "overlay-peers",
    owner: "person",
    name: "the peers in crxn.yaml are not there",
    breaks:
      `cp -a /etc/crxn/crxn.yaml /run/crxn.yaml; sed -i 's|^  peers: .*|  peers: ["tls://[2001:db8:9::77]:4443"]|' /etc/crxn/crxn.yaml
      crxn up --yes || true`,
    undoes: "cp -a /run/crxn.yaml /etc/crxn/crxn.yaml; crxn up --yes",
    touches: ["config", "daemon"],
  }),
  foreign({
    ...base,
    id: "overlay-peers",
    owner: "person",
    name: "a far key that nobody has",
    breaks:
      `cp -a /etc/crxn/crxn.yaml /run/crxn.yaml; sed -i 's|via: .*|via: bdbacfd82240de3dcd123924cbb55256fb8dab08aa98e305528ab84f419e6efb|' /etc/crxn/crxn.yaml
      crxn up --yes || true`,
    undoes: "cp -a /run/crxn.yaml /etc/crxn/crxn.yaml; crxn up --yes",
    touches: ["config", "tunnel"],
  }),
  foreign({
    ...base,
    id: "overlay-identity",
    // Which of the two keys is the right one only a person can tell.
    owner: "person",
    name: "another key in yggdrasil's config",
    breaks: `cp -a ${CONF} /run/yggdrasil.conf
      yggdrasil -genconf -json | sed -n 's/.*"PrivateKey": "\\([0-9a-f]*\\)".*/\\1/p' > /run/key
      sed -i "s/\\(PrivateKey\\"\\?: *\\"\\?\\)[0-9a-f]*/\\1$(cat /run/key)/" ${CONF}; systemctl restart yggdrasil`,
    undoes: `cp -a /run/yggdrasil.conf ${CONF}; systemctl restart yggdrasil`,
    touches: ["daemon", "tunnel"],
  }),
  own({
    scene: "yggdrasil",
    id: "overlay-identity",
    name: "everybody may read the key",
    breaks: `chmod 644 ${CONF}`,
    touches: ["key-file"],
  }),
  own({
    scene: "yggdrasil",
    id: "drift",
    name: "yggdrasil's config edited",
    breaks: `sed -i 's|4443|4444|' ${CONF}`,
    touches: ["daemon"],
    patience: 30,
  }),
  own({
    scene: "yggdrasil",
    id: "drift",
    name: "yggdrasil's drop-in deleted",
    breaks: "rm /etc/systemd/system/yggdrasil.service.d/50-crxn.conf; systemctl daemon-reload",
    touches: ["daemon"],
    patience: 30,
  }),
  own({
    ...base,
    id: "tunnel-routing",
    name: "the tunnel's device deleted",
    breaks: "ip link del $OVL",
    touches: ["tunnel"],
  }),
  own({
    ...base,
    id: "tunnel-routing",
    name: "the tunnel's device down",
    breaks: "ip link set $OVL down",
    touches: ["tunnel"],
  }),
  own({
    ...base,
    traffic: "large lost",
    id: "tunnel-routing",
    name: "the tunnel's device with another MTU",
    breaks: "ip link set $OVL mtu 1280",
    touches: ["tunnel"],
  }),
  own({
    ...base,
    id: "tunnel-routing",
    name: "the tunnel leads to another node",
    breaks: `ip -d link show $OVL | grep -o 'local [0-9a-f:]*' > /run/local; ip addr show $OVL > /dev/null
      mac=$(cat /sys/class/net/$OVL/address); ip link del $OVL
      ip link add $OVL address $mac mtu 1500 type vxlan id 64 $(cat /run/local) remote 200::77 dstport 4789 dev ygg; ip link set $OVL up
      ip addr add 10.5.0.1/32 dev $OVL; ip route add 10.0.0.0/8 dev $OVL proto 64`,
    touches: ["tunnel"],
  }),
  own({
    ...base,
    traffic: "flows",
    id: "tunnel-routing",
    name: "the rules that guard the tunnel flushed",
    breaks: "ip6tables -F CRXN-INPUT",
    touches: ["tunnel", "filter6"],
  }),
  foreign({
    ...base,
    id: "tunnel-routing",
    name: "ip6tables drops the tunnel's packets",
    breaks: "ip6tables -I INPUT -i ygg -p udp --dport 4789 -j DROP",
    undoes: "ip6tables -D INPUT -i ygg -p udp --dport 4789 -j DROP",
    touches: ["tunnel", "filter6"],
  }),
  foreign({
    ...base,
    // From here it looks like a far host that does not answer.
    id: "probe",
    hop: "target",
    owner: "far",
    name: "the far end's tunnel is gone",
    breaks: { far: "ip link set $FAROVL down" },
    undoes: { far: "ip link set $FAROVL up; crxn up --yes" },
    touches: ["tunnel"],
  }),
  foreign({
    ...base,
    id: "probe",
    owner: "far",
    hop: "target",
    name: "the far node does not forward",
    breaks: { far: "sysctl -qw net.ipv4.ip_forward=0" },
    undoes: { far: "sysctl -qw net.ipv4.ip_forward=1" },
    touches: ["far"],
  }),
  own({
    ...base,
    id: "overlay-route",
    name: "the tunnel's route deleted",
    breaks: "ip route del 10.0.0.0/8 dev $OVL",
    touches: ["overlay-route"],
  }),
  own({
    ...base,
    id: "overlay-address",
    name: "the tunnel's address deleted",
    breaks: "ip addr del 10.5.0.1/32 dev $OVL",
    touches: ["overlay-address", "overlay-route"],
  }),
];
