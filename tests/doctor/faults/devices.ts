import { CRXN, type Fault, FOLLOWED, foreign, own } from "../fault.ts";

/** Links and the kernel. */
export const DEVICE_FAULTS: Fault[] = [
  own({
    id: "translator-device",
    name: "the translator's device down",
    breaks: "ip link set nat64-ygg down",
    hop: "translator",
    touches: ["translator", "prefix-route", "pool-route"],
  }),
  own({
    id: "translator-device",
    name: "the translator's device deleted",
    breaks: "ip link del nat64-ygg",
    hop: "translator",
    touches: ["translator", "prefix-route", "pool-route"],
  }),
  own({
    id: "translator-device",
    name: "the translator's device with a small MTU",
    breaks: "ip link set nat64-ygg mtu 1280",
    undoes: "ip link set nat64-ygg mtu 1500",
    traffic: "large lost",
    touches: ["translator"],
  }),
  own({
    id: "translator-device",
    name: "the translator's device without a queue",
    breaks: "ip link set nat64-ygg txqueuelen 0",
    undoes: "ip link set nat64-ygg txqueuelen 500",
    hop: "translator",
    touches: ["translator"],
  }),
  own({
    id: "mss-clamp",
    name: "the overlay link's MTU lowered after up",
    // Pings of 1448 bytes still pass whole: in fragments ICMP is not translated.
    breaks: "ip link set ovl0 mtu 1460",
    undoes: "ip link set ovl0 mtu 1500; crxn up --yes",
    touches: ["overlay-link", "mangle4", "mangle6"],
  }),
  own({
    id: "tunnel-routing",
    name: "the overlay link down",
    breaks: "ip link set ovl0 down",
    undoes: FOLLOWED,
    hop: "overlay",
    touches: ["overlay-link", "overlay-route", "overlay-address"],
  }),
  foreign({
    id: "tunnel-routing",
    owner: "person",
    name: "the overlay link renamed",
    breaks: "ip link set ovl0 name wg9",
    undoes: `ip link set wg9 name ovl0; crxn up --yes; ${FOLLOWED}`,
    hop: "overlay",
    touches: ["overlay-link", "overlay-route", "overlay-address", "follower"],
  }),
  own({
    id: "uplink",
    name: "the uplink renamed",
    breaks: "ip link set eth0 name wan0",
    undoes: "ip link set wan0 name eth0; crxn up --yes",
    touches: ["uplink"],
  }),
  own({
    id: "uplink",
    scene: "advertised",
    name: "the advertised uplink renamed",
    breaks: "ip link set eth0 name wan0",
    undoes: "ip link set wan0 name eth0; crxn up --yes",
    touches: ["uplink"],
    patience: 15,
  }),
  foreign({
    id: "tun-device",
    owner: "person",
    name: "/dev/net/tun missing",
    breaks: "mount -t tmpfs none /dev/net",
    undoes: "umount /dev/net",
    touches: ["tun"],
  }),
  own({
    id: "packages",
    name: "tayga's package removed",
    breaks: "dpkg --force-depends --remove tayga >/dev/null",
    touches: ["packages", "translator"],
    patience: 20,
  }),
  foreign({
    id: "packages",
    owner: "person",
    name: "another system than Debian",
    breaks:
      `printf 'ID=fedora\\nVERSION_ID=42\\nPRETTY_NAME="Fedora Linux 42"\\n' > /run/fedora; mount --bind /run/fedora /usr/lib/os-release`,
    undoes: "umount /usr/lib/os-release",
    touches: ["packages", CRXN],
  }),
  foreign({
    id: "disk",
    owner: "person",
    name: "the disk below /var/lib/tayga full",
    breaks: `cp -a /var/lib/tayga /run/tayga-kept; mount -t tmpfs -o size=64k disk /var/lib/tayga
      cp -a /run/tayga-kept/. /var/lib/tayga/; head -c 1M /dev/zero > /var/lib/tayga/filler 2>/dev/null || true`,
    undoes: "umount /var/lib/tayga; rm -r /run/tayga-kept",
    touches: ["disk", "translator"],
  }),
  foreign({
    id: "network-managers",
    verdict: "warn",
    name: "networkd that will remove foreign routes when it is restarted",
    // Begun with the setting that keeps its hands off, so that nothing is lost yet.
    breaks: `mkdir -p /etc/systemd/networkd.conf.d
      printf '[Network]\\nManageForeignRoutes=no\\nManageForeignRoutingPolicyRules=no\\n' > /etc/systemd/networkd.conf.d/keep.conf
      printf '[Match]\\nName=lan8\\n[Network]\\nLinkLocalAddressing=no\\n' > /etc/systemd/network/50-lan.network
      ip link add lan8 type veth peer name lan9; ip link set lan9 addrgenmode none; ip link set lan8 up; ip link set lan9 up
      systemctl -q start systemd-networkd; sleep 0.5; rm -r /etc/systemd/networkd.conf.d`,
    undoes: `systemctl -q stop systemd-networkd.socket systemd-networkd 2>/dev/null || systemctl stop systemd-networkd
      rm /etc/systemd/network/50-lan.network; ip link del lan8`,
    touches: ["networkd"],
  }),
];
