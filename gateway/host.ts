/** The machine around the gateway, as plain data: read for doctor and status beside the survey, by `machine/host.ts`. */

/** One line of a sysctl file, as systemd-sysctl reads it. */
export interface SysctlLine {
  file: string;
  /** Counted from 1. */
  line: number;
  /** In slash form; `*` stands for one part of the name. */
  key: string;
  /** Missing for `-KEY`, which keeps a key out of what patterns set (sysctl.d(5)). */
  value?: string;
}

/** A running program that has to do with the gateway, or is a rival of it. */
export interface ProcessSeen {
  pid: number;
  /** As ps(1) has it: "Ss", "Ts" for one that a signal has stopped. */
  state: string;
  args: string[];
}

/** A config of tayga that is not the gateway's. */
export interface RivalConfig {
  file: string;
  /** The unit that would run it. */
  unit: string;
  active: boolean;
  enabled: boolean;
  device?: string;
  prefix?: string;
  pool?: string;
}

export interface Neighbour {
  address: string;
  device: string;
  /** As `ip neigh` has it: REACHABLE, STALE, FAILED, ... */
  states: string[];
}

/** The file system that holds a folder which the gateway writes to. */
export interface DiskSeen {
  folder: string;
  mount: string;
  type: string;
  /** Bytes; `free` is what is left for others than root as well. */
  size: number;
  free: number;
  /** 0 where the file system counts none. */
  inodes: number;
  freeInodes: number;
  readOnly: boolean;
}

/** tayga's list of addresses that it has given out, dynamic.map, at the time it was last written. */
export interface PoolSeen {
  /** Milliseconds since the epoch. */
  written: number;
  /** Addresses in the list. */
  given: number;
  /** Those of them that were used within a lease before the list was read; the rest tayga may give to new clients. */
  held: number;
  /** The /64 networks of clients that have most of them, with their number. */
  largest: [network: string, addresses: number][];
}

/** What manages this machine's network devices. */
export interface ManagersSeen {
  networkd?: {
    /** The .network file that a device matches, by device. */
    files: Record<string, string>;
    /** Routes and rules that networkd did not make are left alone (networkd.conf(5)). */
    keepsRoutes: boolean;
    keepsRules: boolean;
  };
  /** NetworkManager: its connection, by device, where it is not merely looking on. */
  networkManager?: Record<string, string>;
}

export interface LogLine {
  unit: string;
  /** Milliseconds since the epoch. */
  at: number;
  /** syslog(3), 0 to 7. */
  priority: number;
  message: string;
  /** systemd says it of the unit, not the unit itself. */
  manager: boolean;
}

export interface HostSeen {
  /** When it was read, in milliseconds since the epoch, by the machine's own clock. */
  now: number;
  /** The latest time that something on this disk is dated: no right clock can be behind it. */
  latest?: { at: number; what: string };
  /** What the next boot sets, in the order in which it is set. */
  sysctlLines?: SysctlLine[];
  /** What /etc/sysctl.conf says, which `sysctl --system` and `sysctl -p` read last, whether the boot reads it or not. */
  sysctlConf?: SysctlLine[];
  /** Kernel parameters of connection tracking, in slash form. */
  tracking?: { entries: number; limit: number; dropped: number; evicted: number };
  processes?: ProcessSeen[];
  neighbours?: Neighbour[];
  disks?: DiskSeen[];
  pool?: PoolSeen;
  rivals?: RivalConfig[];
  /** Names of the kernel's modules that translate by themselves: jool, nat46. */
  translators?: string[];
  managers?: ManagersSeen;
  /** What the gateway's units have said since the boot. Undefined where it may not be read. */
  log?: LogLine[];
}

/** Whether a unit's process was stopped by a signal. */
export const isStopped = (host: HostSeen | undefined, pid: number): boolean =>
  pid > 0 && host?.processes?.some((p) => p.pid === pid && /^[Tt]/.test(p.state)) === true;

/** What a unit has said since a time in milliseconds. */
export const saidSince = (host: HostSeen | undefined, unit: string, since: number): LogLine[] =>
  (host?.log ?? []).filter((l) => l.unit === unit && l.at >= since);
