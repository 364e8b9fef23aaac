/** Actions: the few things crxn does to a machine, as plain data. Plans print them, the journal keeps them, one place does them. */

export type Action =
  /** A program, never a shell. `also` names exit codes besides 0 that mean success. */
  | { do: "run"; argv: string[]; stdin?: string; also?: number[]; timeoutSeconds?: number }
  /** A text file, written beside its place and renamed into it. */
  | { do: "write"; path: string; content: string; mode: number; group?: string }
  /** A copy beside it of what is there: somebody has edited it, and it is about to be written anew. */
  | { do: "keep"; path: string; as: string }
  /** A file as it was before, byte for byte, with the time of its last change (milliseconds since the epoch). */
  | { do: "restore"; path: string; base64: string; mode: number; uid: number; gid: number; modified?: number }
  /** The time of a file's last change, in milliseconds since the epoch: what runs with it has been told of what changed. */
  | { do: "age"; path: string; modified: number }
  | { do: "remove"; path: string }
  /** A folder, if it is empty; otherwise somebody uses it and it stays. */
  | { do: "rmdir"; path: string }
  /** A folder with all that a daemon of ours has put into it. */
  | { do: "removeTree"; path: string }
  /** A folder that systemd has moved for a user of the unit's own, leaving a link (DynamicUser=): back, and root's again. */
  | { do: "moveBack"; from: string; to: string };

export const run = (
  argv: string[],
  more: { stdin?: string; also?: number[]; timeoutSeconds?: number } = {},
): Action => ({
  do: "run",
  argv,
  ...more,
});

/** Programs by absolute path, as Debian 12 and 13 have them: nothing is looked up in PATH as root. */
export const Program = {
  ip: "/usr/sbin/ip",
  tc: "/usr/sbin/tc",
  sysctl: "/usr/sbin/sysctl",
  systemctl: "/usr/bin/systemctl",
  journalctl: "/usr/bin/journalctl",
  systemdSysctl: "/usr/lib/systemd/systemd-sysctl",
  networkctl: "/usr/bin/networkctl",
  nmcli: "/usr/bin/nmcli",
  systemdAnalyze: "/usr/bin/systemd-analyze",
  ps: "/usr/bin/ps",
  grep: "/usr/bin/grep",
  kill: "/usr/bin/kill",
  chmod: "/usr/bin/chmod",
  df: "/usr/bin/df",
  sed: "/usr/bin/sed",
  cp: "/usr/bin/cp",
  ln: "/usr/bin/ln",
  iptables: "/usr/sbin/iptables",
  ip6tables: "/usr/sbin/ip6tables",
  iptablesRestore: "/usr/sbin/iptables-restore",
  ip6tablesRestore: "/usr/sbin/ip6tables-restore",
  iptablesSave: "/usr/sbin/iptables-save",
  ip6tablesSave: "/usr/sbin/ip6tables-save",
  iptablesLegacy: "/usr/sbin/iptables-legacy",
  ip6tablesLegacy: "/usr/sbin/ip6tables-legacy",
  iptablesLegacySave: "/usr/sbin/iptables-legacy-save",
  ip6tablesLegacySave: "/usr/sbin/ip6tables-legacy-save",
  nft: "/usr/sbin/nft",
  tayga: "/usr/sbin/tayga",
  yggdrasil: "/usr/sbin/yggdrasil",
  yggdrasilctl: "/usr/sbin/yggdrasilctl",
  ping: "/usr/bin/ping",
  dpkg: "/usr/bin/dpkg",
  dpkgQuery: "/usr/bin/dpkg-query",
  dpkgDeb: "/usr/bin/dpkg-deb",
  aptGet: "/usr/bin/apt-get",
  aptHelper: "/usr/lib/apt/apt-helper",
  unshare: "/usr/bin/unshare",
  setpriv: "/usr/bin/setpriv",
  nsenter: "/usr/bin/nsenter",
  timeout: "/usr/bin/timeout",
  bash: "/usr/bin/bash",
  tcpdump: "/usr/bin/tcpdump",
} as const;

/** A word for sh(1): one with unusual characters is quoted. */
export const shellWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

/** A command as a person would type it. */
export const commandLine = ([program = "", ...args]: string[]): string =>
  [program.replace(/^\/usr\/s?bin\//, ""), ...args].map(shellWord).join(" ");
