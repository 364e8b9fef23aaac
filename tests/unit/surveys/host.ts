/** The machine around a healthy gateway. */

import type { Blueprint } from "../../../gateway/blueprint.ts";
import type { HostSeen, LogLine } from "../../../gateway/host.ts";
import { Path, Unit } from "../../../gateway/names.ts";
import { parseSysctlFile } from "../../../machine/sysctl_files.ts";

export const NOW = Date.UTC(2026, 10, 26, 2);

export const logLine = (unit: string, message: string, more: Partial<LogLine> = {}): LogLine => ({
  unit,
  at: 3000,
  priority: 6,
  message,
  manager: false,
  ...more,
});

/** As `put()` makes it: every main process is 100, and since 2000. */
export function hostSeen({ config, items }: Blueprint): HostSeen {
  const sysctls = items.find((i) => i.kind === "file" && i.path === Path.sysctl);
  const text = sysctls?.kind === "file" ? sysctls.content : "";
  const folder = (name: string) => ({
    folder: name,
    mount: name === "/run" ? "/run" : "/",
    type: name === "/run" ? "tmpfs" : "ext4",
    size: 2 ** 33,
    free: 2 ** 32,
    inodes: 500_000,
    freeInodes: 400_000,
    readOnly: false,
  });
  return {
    now: NOW,
    latest: { at: NOW - 3600_000, what: "/var/lib/dpkg/status" },
    sysctlLines: parseSysctlFile(text, Path.sysctl),
    sysctlConf: [],
    tracking: { entries: 12, limit: 262144, dropped: 0, evicted: 0 },
    processes: config.nat64
      ? [{
        pid: 100,
        state: "Ss",
        args: ["/usr/sbin/tayga", "--nodetach", "--config", Path.taygaConfig(config.nat64.instance)],
      }]
      : [],
    neighbours: [{ address: "fe80::1", device: "eth0", states: ["REACHABLE"] }],
    disks: ["/etc", "/var/lib/crxn", "/var/lib/tayga", "/var/log", "/run"].map(folder),
    rivals: [],
    translators: [],
    managers: {},
    log: [
      logLine(Unit.yggdrasil, "ioctl(TUNSETIFF): Device or resource busy", { at: 1900 }),
      logLine(Unit.yggdrasil, "2026/11/26 01:41:58 Connected outbound TLS: 201::1@[2001:db8::1]:4443, source [::]:1"),
    ],
  };
}
