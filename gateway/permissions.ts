/**
 * What the compiled crxn may do at all: Deno holds it to this list, whatever a bug or a dependency would have it do.
 * Each entry with what it is for; docs/security.md shows them.
 */

import { Program } from "./action.ts";

/** Folders that it may write below. Never: the system's programs and libraries, /boot, /dev, /proc, /sys. */
export const WRITABLE: Record<string, string> = {
  "/etc": "units, configs of the daemons, sysctl.d, crxn's own config",
  "/run": "the lock, a rehearsal's folder",
  "/var/lib": "the journal, the way back, keys",
  "/var/cache": "a download, until its sum is known",
  "/usr/local/lib": "a daemon that `overlay.daemon.url` names",
  "/root": "files that the user names (`doctor --pcap`, `init`)",
  "/home": "the same",
  "/opt": "the same",
  "/srv": "the same",
  "/mnt": "the same",
  "/media": "the same",
  "/tmp": "the same",
  "/var/tmp": "the same",
};

/** Environment variables that it may read. None is handed on to a program. */
export const ENVIRONMENT: Record<string, string> = {
  NO_COLOR: "no colours",
  FORCE_COLOR: "colours of the help, as commander has it",
  CLICOLOR_FORCE: "the same",
  TERM: "whether the terminal can redraw a line",
  LC_ALL: "whether the terminal shows more than ASCII",
  LC_CTYPE: "the same",
  LANG: "the same",
  SSH_CONNECTION: "which session `up --confirm` may cut",
};

/** What it may ask the system about itself. */
export const SYSTEM: Record<string, string> = {
  uid: "whether it is root",
  systemMemoryInfo: "how many translators it has room for",
};

/** Programs that it may start, and why; null for those that it only writes into units, undo.sh and cures. */
export const REASONS: Record<keyof typeof Program, string | null> = {
  ip: "links, addresses, routes, rules, namespaces",
  tc: null,
  sysctl: "kernel parameters",
  systemctl: "units",
  journalctl: "logs of the daemons",
  systemdSysctl: "what sysctl.d says in the end",
  networkctl: "who manages a device",
  nmcli: "the same",
  systemdAnalyze: "networkd's settings",
  ps: "which translators and overlay daemons run",
  grep: "files of /proc, which Deno itself may not read",
  kill: "to end what a rehearsal has started",
  chmod: "to make a config with keys secret again (`doctor --fix`)",
  df: "room on the disks",
  sed: null,
  cp: null,
  ln: "to put back a config that was a symbolic link",
  iptables: "rules",
  ip6tables: "the same",
  iptablesRestore: "chains of its own, as a whole",
  ip6tablesRestore: "the same",
  iptablesSave: "to read rules",
  ip6tablesSave: "the same",
  iptablesLegacy: null,
  ip6tablesLegacy: null,
  iptablesLegacySave: "to read rules of the older kind",
  ip6tablesLegacySave: "the same",
  nft: "the table with the limits; to read rules; to trace a packet",
  tayga: "to make its device; in rehearsals",
  // As nobody, by setpriv.
  yggdrasil: null,
  yggdrasilctl: "peers and sessions",
  ping: "the probe; rehearsals",
  dpkg: "whether a package's config was edited",
  dpkgQuery: "which packages there are",
  dpkgDeb: "to take a daemon out of a .deb",
  aptGet: "`crxn install`",
  aptHelper: "to download by URL",
  unshare: "a namespace for the probe's client",
  setpriv: "to run a program as user nobody, and to have it end with crxn",
  nsenter: "the probe's client",
  timeout: "the probe over TCP",
  bash: "the same",
  tcpdump: "`doctor --pcap`",
};

export const startable = (): string[] =>
  Object.entries(Program).flatMap(([name, path]) => REASONS[name as keyof typeof Program] === null ? [] : [path]);

/** Of `deno compile`. */
export const permissionFlags = (): string[] => [
  // A config may be anywhere. What Deno opens of /proc, /sys and /dev needs more than this.
  "--allow-read",
  `--allow-write=${Object.keys(WRITABLE).join(",")}`,
  `--allow-run=${startable().join(",")}`,
  `--allow-env=${Object.keys(ENVIRONMENT).join(",")}`,
  `--allow-sys=${Object.keys(SYSTEM).join(",")}`,
  // Of a rehearsal's transfer, whose addresses the config decides.
  "--allow-net",
];
