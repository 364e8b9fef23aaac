import { type Fault, foreign, own } from "../fault.ts";

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
    touches: ["translator"],
  }),
  own({
    id: "mss-clamp",
    name: "the overlay link's MTU lowered after up",
    breaks: "ip link set ovl0 mtu 1300",
    undoes: "ip link set ovl0 mtu 1500; crxn up --yes",
    touches: ["overlay-link", "mangle4", "mangle6"],
  }),
  own({
    id: "tunnel-routing",
    name: "the overlay link down",
    breaks: "ip link set ovl0 down",
    hop: "overlay",
    touches: ["overlay-link", "overlay-route", "overlay-address"],
  }),
  foreign({
    id: "tunnel-routing",
    owner: "person",
    name: "the overlay link renamed",
    breaks: "ip link set ovl0 name wg9",
    undoes: "ip link set wg9 name ovl0; crxn up --yes",
    hop: "overlay",
    touches: ["overlay-link", "overlay-route", "overlay-address", "follower"],
  }),
  foreign({
    id: "drift",
    owner: "person",
    name: "the uplink renamed",
    breaks: "ip link set eth0 name wan0",
    undoes: "ip link set wan0 name eth0",
    touches: ["uplink"],
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
    touches: ["packages"],
  }),
  foreign({
    id: "disk",
    owner: "person",
    name: "the disk below /var/lib/tayga full",
    breaks: `cp -a /var/lib/tayga/ygg /run/tayga-kept; mount -t tmpfs -o size=64k disk /var/lib/tayga/ygg
      cp -a /run/tayga-kept/. /var/lib/tayga/ygg/; head -c 1M /dev/zero > /var/lib/tayga/ygg/filler 2>/dev/null || true`,
    undoes: "umount /var/lib/tayga/ygg; rm -r /run/tayga-kept",
    touches: ["disk", "translator"],
  }),
  foreign({
    id: "network-managers",
    verdict: "warn",
    name: "networkd that removes foreign routes",
    breaks:
      `printf '[Match]\\nName=nat64-*\\n[Network]\\nLinkLocalAddressing=no\\n' > /etc/systemd/network/50-all.network
      systemctl -q enable systemd-networkd 2>/dev/null`,
    undoes: "rm /etc/systemd/network/50-all.network; systemctl -q disable systemd-networkd 2>/dev/null",
    touches: ["networkd"],
  }),
];
