import { assertEquals } from "@std/assert";
import type { Machine } from "../rig/mod.ts";

// Near misses of everything that crxn owns: others' things that look like crxn's, and must survive whatever crxn does.

/** A drop-in of somebody's for units of crxn's: what `systemctl edit` writes. */
const OVERRIDE = "[Service]\nNice=5\n";

const FILES: Record<string, string> = {
  "/etc/sysctl.d/zz-other.conf": "net.ipv4.conf.all.log_martians = 1\n",
  "/etc/sysctl.d/crxn2.conf": "# not crxn's\n",
  "/etc/systemd/system/tayga@other.service.d/theirs.conf": OVERRIDE,
  "/etc/systemd/system/tayga@ygg.service.d/override.conf": OVERRIDE,
  "/etc/systemd/system/yggdrasil.service.d/override.conf": OVERRIDE,
  "/etc/systemd/system/crxn-other.service": "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n",
  "/etc/tayga/other.conf": "tun-device nat64-other\nipv4-addr 198.51.100.1\nprefix 2001:db8:64::/96\n",
  "/var/lib/tayga/other/dynamic.map": "198.51.100.7 2001:db8::7 1\n",
};

const NETFILTER = `ip6?tables -N CRXN2
ip6?tables -A CRXN2 -m mark --mark 0x7 -j RETURN
ip6?tables -A FORWARD -m comment --comment crxnx -j CRXN2
ip6?tables -N CRXN-FORWARD2
ip6?tables -A INPUT -m comment --comment crxn:jump2 -m mark --mark 0x9 -j CRXN-FORWARD2
ip6?tables -t mangle -N CRXN-OTHER
`;

const LINKS = `ip tuntap add dev nat64-other mode tun
ip link set nat64-other up
ip link add crxn-other type veth peer name crxn-0123456
ip link set crxn-other up
ip link set crxn-0123456 up
ip address add 203.0.113.65/27 dev crxn-other
ip route add 172.31.0.0/16 dev crxn-other proto 63
ip route add blackhole 172.30.0.0/16 proto 65
ip -6 route add blackhole 2001:db8:ffff::/48 proto 63
ip -6 route add 2001:db8:fffe::/48 dev crxn-other proto static
ip rule add from 203.0.113.64/27 lookup 164
ip route add 10.0.0.0/8 dev crxn-other table 164 proto 64`;

/** What shows each of them, on a machine that crxn is on. */
const SHOWN: Record<string, string> = {
  ...Object.fromEntries(Object.entries(FILES).map(([path, text]) => [`cat ${path}`, text])),
  "iptables-save | grep -c 'CRXN2\\|crxnx\\|CRXN-FORWARD2\\|jump2\\|CRXN-OTHER'": "6\n",
  "ip6tables-save | grep -c 'CRXN2\\|crxnx\\|CRXN-FORWARD2\\|jump2\\|CRXN-OTHER'": "6\n",
  "ip link show nat64-other | wc -l; ip link show crxn-other | wc -l": "2\n2\n",
  "ip -4 address show dev crxn-other | grep -c 203.0.113.65/27": "1\n",
  "ip route show proto 63 | wc -l; ip route show proto 65 | wc -l; ip route show table 164 | wc -l": "1\n1\n1\n",
  "ip -6 route show proto 63 | wc -l; ip -6 route show 2001:db8:fffe::/48 | wc -l": "1\n1\n",
  "systemctl is-active crxn-other": "active\n",
  "systemctl show -P Nice tayga@ygg": "5\n",
};

export async function clutter(gw: Machine): Promise<void> {
  for (const [path, text] of Object.entries(FILES)) {
    await gw.must(["mkdir", "-p", path.replace(/\/[^/]*$/, "")]);
    await gw.write(path, text);
  }
  const both = ["iptables", "ip6tables"].map((program) => NETFILTER.replaceAll("ip6?tables", program)).join("");
  await gw.must(`set -e; ${both}${LINKS}\nsystemctl daemon-reload; systemctl start crxn-other`);
}

/** All of it is there, and in force. `up`: so is the gateway, whose unit an override of somebody's is for. */
export async function assertClutter(gw: Machine, { up = true } = {}): Promise<void> {
  const commands = Object.keys(SHOWN).filter((command) => up || !command.includes("tayga@ygg"));
  const shown = await gw.sh(commands.map((command) => `echo ---; ${command}`).join("\n"));
  const outputs = shown.stdout.split("---\n").slice(1);
  const want = Object.fromEntries(commands.map((command) => [command, SHOWN[command]]));
  assertEquals(Object.fromEntries(commands.map((command, i) => [command, outputs[i]])), want);
}
