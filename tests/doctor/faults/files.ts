import { type Fault, foreign, own } from "../fault.ts";

const edited = (name: string, path: string, id = "drift", more: Partial<Fault> = {}): Fault =>
  own({ id, name: `${name} edited`, breaks: `echo '# mine' >> ${path}`, touches: [path], ...more });

const unit = (name: string) => `/etc/systemd/system/${name}.service`;
const reload = "systemctl daemon-reload";

/** Files that crxn wrote, changed by somebody. */
export const FILE_FAULTS: Fault[] = [
  edited("tayga's config", "/etc/tayga/ygg.conf", "translator-config", { touches: ["translator"] }),
  own({
    id: "translator-config",
    name: "tayga's config with another prefix, and tayga restarted",
    breaks: "sed -i 's|^prefix .*|prefix 2001:db8:64::/96|' /etc/tayga/ygg.conf; systemctl restart tayga@ygg",
    hop: "translator",
    touches: ["translator"],
  }),
  own({
    id: "translator-config",
    name: "tayga's config deleted",
    breaks: "rm /etc/tayga/ygg.conf",
    touches: ["translator"],
  }),
  edited("rules.v4", "/etc/crxn/rules.v4"),
  edited("rules.v6", "/etc/crxn/rules.v6"),
  edited("link.sh", "/etc/crxn/link.sh"),
  edited("tayga's unit", unit("tayga@ygg"), "drift", {
    breaks: `echo '# mine' >> ${unit("tayga@ygg")}; ${reload}`,
    touches: ["translator"],
  }),
  edited("the overlay's unit", unit("crxn-overlay"), "drift", { touches: ["overlay-unit"] }),
  edited("the firewall's unit", unit("crxn-firewall"), "drift", { touches: ["firewall-unit"] }),
  edited("the follower's unit", unit("crxn-link"), "drift", { touches: ["follower"] }),
  own({
    id: "drift",
    name: "the guard of the machine itself flushed",
    breaks: "iptables -F CRXN-INPUT",
    touches: ["filter4"],
  }),
  own({
    id: "drift",
    name: "the guard against forged sources flushed",
    breaks: "ip6tables -t raw -F CRXN-PREROUTING",
    touches: ["raw6"],
  }),
  own({
    id: "pool",
    verdict: "warn",
    name: "the table of limits deleted",
    breaks: "nft delete table inet crxn",
    touches: ["limits"],
  }),
  own({
    id: "forwarding-sysctl",
    name: "crxn's sysctl file deleted",
    breaks: "rm /etc/sysctl.d/crxn.conf",
    touches: ["sysctl-file"],
  }),
  own({
    id: "forwarding-sysctl",
    name: "crxn's sysctl file says 0",
    breaks: "sed -i 's|ip_forward = 1|ip_forward = 0|' /etc/sysctl.d/crxn.conf",
    touches: ["sysctl-file"],
  }),
  foreign({
    id: "forwarding-sysctl",
    name: "a sysctl file that sorts later turns IPv4 forwarding off",
    // At boot crxn-overlay.service sets it once more.
    verdict: "warn",
    says: /zz-hardening\.conf/,
    breaks: "echo 'net.ipv4.ip_forward = 0' > /etc/sysctl.d/zz-hardening.conf",
    undoes: "rm /etc/sysctl.d/zz-hardening.conf",
    touches: ["sysctl-file"],
  }),
  foreign({
    id: "forwarding-sysctl",
    name: "a sysctl file that sorts later turns IPv6 forwarding off",
    verdict: "warn",
    says: /net\.conf/,
    breaks:
      "mkdir -p /usr/local/lib/sysctl.d; echo 'net/ipv6/conf/all/forwarding=0' > /usr/local/lib/sysctl.d/net.conf",
    undoes: "rm -r /usr/local/lib/sysctl.d",
    touches: ["sysctl-file"],
  }),
];
