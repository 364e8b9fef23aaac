/** Faults of the machine around the gateway: sysctls, daemons that stand still, rivals, disks, the clock. */

import type { CheckInput } from "../../../checks/check.ts";
import { Path, Unit } from "../../../gateway/names.ts";
import { canonicalNetwork } from "../../../gateway/networks.ts";
import { poolRoom } from "../../../checks/pool.ts";
import type { Fault } from "./fault.ts";
import { logLine, NOW } from "./host.ts";

const OTHER = "/etc/sysctl.d/zz-other.conf";
const TAYGA = "tayga@ygg.service";
const line = (key: string, value: string, file = OTHER) => ({ file, line: 3, key, value });
const persisted = (key: string, value: string) => (_: unknown, { host }: CheckInput) =>
  void host!.sysctlLines!.push(line(key, value));
/** The kernel takes a device's IPv6 routes with it. */
const withoutIpv6 = (name: string): Fault["make"] => (s) => {
  s.sysctls[`net/ipv6/conf/${name}/disable_ipv6`] = "1";
  s.routes = s.routes.filter((r) => r.family !== "inet6" || (name !== "all" && r.device !== name));
  const ipv4 = { to: "default", type: "unicast", via: "192.0.2.1", table: "main", protocol: "boot", metric: 0 };
  s.routes.push({ family: "inet", device: "eth0", ...ipv4 });
  if (name === "all") {
    for (const { name: link } of s.links) s.sysctls[`net/ipv6/conf/${link}/disable_ipv6`] = "1";
  }
};
const disk = (change: Record<string, unknown>, folder = "/var/lib/tayga"): Fault["make"] => (_, { host }) => {
  const there = host!.disks!.find((d) => d.folder === folder)!;
  Object.assign(there, { mount: folder, ...change });
};
const rival = (more: Record<string, unknown>): Fault["make"] => (_, { host, blueprint }) =>
  void host!.rivals!.push({
    file: "/etc/tayga/x.conf",
    unit: "tayga@x.service",
    active: true,
    enabled: true,
    device: "nat64-x",
    prefix: blueprint.config.prefix!,
    pool: "192.168.9.0/24",
    ...more,
  });

export const HOST_FAULTS: Fault[] = [
  {
    name: "a sysctl file that switches a device's forwarding off at boot",
    check: "forwarding-sysctl",
    make: persisted("net/ipv4/conf/wg0/forwarding", "0"),
  },
  {
    name: "a sysctl file that switches forwarding off for devices to come",
    check: "forwarding-sysctl",
    make: persisted("net/ipv4/conf/default/forwarding", "0"),
  },
  {
    name: "a sysctl pattern that switches all forwarding off at boot",
    check: "forwarding-sysctl",
    make: persisted("net/ipv4/conf/*/forwarding", "0"),
  },
  {
    name: "a sysctl file that switches IPv6 off at boot",
    check: "forwarding-sysctl",
    make: persisted("net/ipv6/conf/all/disable_ipv6", "1"),
  },
  { name: "IPv6 off on the translator's device", check: "forwarding-sysctl", make: withoutIpv6("nat64-ygg") },
  { name: "IPv6 off on the uplink", check: "forwarding-sysctl", make: withoutIpv6("eth0") },
  { name: "IPv6 off on all devices", check: "forwarding-sysctl", make: withoutIpv6("all") },
  {
    name: "forwarding switched off by hand, though the files are right",
    check: "forwarding-sysctl",
    make: (s) => void (s.sysctls["net/ipv6/conf/all/forwarding"] = "0"),
  },
  {
    name: "a router that does not answer",
    check: "accept-ra",
    make: (_, { host }) => void (host!.neighbours![0]!.states = ["FAILED"]),
  },
  { name: "a frozen translator", check: "translator-service", make: (s) => void (s.units[TAYGA]!.frozen = true) },
  {
    name: "a translator stopped by a signal",
    check: "translator-service",
    make: (s, { host }) => {
      s.units[TAYGA]!.pid = 101;
      Object.assign(host!.processes![0]!, { pid: 101, state: "Ts" });
    },
  },
  {
    name: "a frozen yggdrasil",
    setup: "yggdrasil",
    check: "overlay-service",
    make: (s) => {
      s.units[Unit.yggdrasil]!.frozen = true;
      delete s.overlay;
    },
  },
  {
    name: "a stopped yggdrasil",
    setup: "yggdrasil",
    check: "overlay-service",
    make: (s, { host }) => {
      s.units[Unit.yggdrasil]!.pid = 77;
      host!.processes!.push({ pid: 77, state: "Tsl", args: ["/usr/sbin/yggdrasil"] });
      delete s.overlay;
    },
  },
  {
    name: "a link to /dev/null in place of the translator's unit",
    check: "translator-service",
    make: (s) => {
      s.files[`${Path.units}/${TAYGA}`]!.content = "";
      Object.assign(s.units[TAYGA]!, { load: "masked", active: "inactive", enabled: "masked" });
    },
  },
  {
    name: "a translator with another config, by somebody's drop-in",
    check: "translator-config",
    make: (s, { host }) => {
      host!.processes![0]!.args = ["/usr/sbin/tayga", "-n", "-c", "/etc/other.conf"];
      s.units[TAYGA]!.dropIns = [`${Path.units}/${TAYGA}.d/override.conf`];
    },
  },
  {
    name: "a tayga that was started by hand, and the unit cannot start",
    check: "conflicts",
    make: (s, { host }) => {
      Object.assign(s.units[TAYGA]!, { active: "activating", sub: "auto-restart", pid: 0, restarts: 9 });
      host!.processes = [{ pid: 4711, state: "Ss", args: ["tayga", `--config=${Path.taygaConfig("ygg")}`] }];
    },
  },
  { name: "another tayga with the same prefix", check: "conflicts", make: rival({}) },
  {
    name: "another tayga with the same pool",
    check: "conflicts",
    make: (s, input) => rival({ prefix: "2001:db8:77::/96", pool: input.blueprint.config.nat64!.pool })(s, input),
  },
  { name: "another tayga that starts at the next boot", check: "conflicts", make: rival({ active: false }) },
  {
    name: "a rule that hands the prefix to Jool",
    check: "conflicts",
    make: (s) => {
      const rules = [["-d", "2001:db8:300:4::/96", "-j", "JOOL", "--instance", "default"]];
      const chain = ((s.rules.inet6!["mangle"] ??= {})["PREROUTING"] ??= { name: "PREROUTING", rules: [] });
      chain.rules.push(...rules);
    },
  },
  {
    name: "an address of the pool on the machine itself",
    check: "conflicts",
    make: (s, { blueprint }) => {
      const address = canonicalNetwork(blueprint.config.nat64!.pool).replace(/\.0\/.*$/, ".9/32");
      s.links[0]!.addresses.push({ address, family: "inet", scope: "global", dynamic: false });
    },
  },
  {
    name: "an address of a slice on the machine itself",
    check: "conflicts",
    make: (s) =>
      void s.links[0]!.addresses.push({
        address: "2001:db8:300:4::a01:3/128",
        family: "inet6",
        scope: "global",
        dynamic: false,
      }),
  },
  {
    name: "a full pool",
    check: "pool",
    make: (_, { host, blueprint }) => {
      const given = poolRoom(blueprint.config.nat64!);
      host!.pool = { written: NOW - 60_000, given, held: given, largest: [["2001:db8:1::/64", given]] };
    },
  },
  {
    name: "a full table of connections",
    check: "conntrack",
    make: (_, { host }) => void (host!.tracking = { entries: 1000, limit: 1000, dropped: 7, evicted: 0 }),
  },
  { name: "a full disk", check: "disk", make: disk({ free: 4096 }) },
  { name: "a read-only disk", check: "disk", make: disk({ readOnly: true }, "/etc") },
  { name: "a disk without inodes", check: "disk", make: disk({ freeInodes: 0 }, "/run") },
  {
    name: "a clock that is a year behind",
    check: "clock",
    make: (_, { host }) => void (host!.now -= 365 * 86400_000),
  },
  {
    name: "a translator that dies on a full disk",
    check: "disk",
    make: (s, input) => {
      disk({ free: 0 })(s, input);
      Object.assign(s.units[TAYGA]!, { active: "failed", sub: "failed", result: "exit-code" });
      input.host!.log!.push(logLine(TAYGA, "No space left on device"));
    },
  },
  {
    name: "networkd that has taken a device's address and routes",
    check: "network-managers",
    make: (s, { host }) => {
      host!.managers = {
        networkd: { files: { wg0: "/etc/systemd/network/wg0.network" }, keepsRoutes: false, keepsRules: false },
      };
      s.links.find((l) => l.name === "wg0")!.addresses = [];
      s.routes = s.routes.filter((r) => r.device !== "wg0" && r.type === "unicast");
    },
  },
  {
    name: "networkd that has taken blackhole and unreachable routes at its start",
    check: "network-managers",
    make: (s, { host }) => {
      host!.managers = {
        networkd: { files: { eth0: "/etc/systemd/network/eth0.network" }, keepsRoutes: false, keepsRules: false },
      };
      s.routes = s.routes.filter((r) => r.type !== "blackhole" && r.type !== "unreachable");
    },
  },
  {
    name: "a blackhole route deleted beside a networkd that is innocent",
    check: "blackhole-route",
    make: (s, { host }) => {
      host!.managers = {
        networkd: { files: { eth0: "/etc/systemd/network/eth0.network" }, keepsRoutes: true, keepsRules: true },
      };
      s.routes = s.routes.filter((r) => r.type !== "blackhole");
    },
  },
];
