/** What every look at a machine asks, whatever the config says. */

import { Program } from "../gateway/action.ts";
import type { Family } from "../gateway/item.ts";
import type { Config } from "../gateway/config/types.ts";
import { Unit } from "../gateway/names.ts";
import { upkeepUnits } from "../gateway/upkeep_units.ts";
import { procQuestion } from "./proc.ts";
import { unitsQuestion } from "./systemd.ts";

/** Who may manage devices. */
export const MANAGERS = { networkd: "systemd-networkd.service", networkManager: "NetworkManager.service" };

/** Of a config, what decides which units there are. */
export interface Kind {
  overlay: "yggdrasil" | "interface";
  /** Of the translators. */
  instances: string[];
  /** What timers do. */
  upkeep?: { mend?: unknown; metrics?: unknown };
}

/** Units that are looked at for their state, in the order in which `up` makes them and the journal has them. */
export const unitsAsked = (kind: Kind | undefined): string[] => [
  Unit.firewall,
  Unit.overlay,
  Unit.sampleTranslator,
  ...(kind?.overlay === "interface" ? [Unit.link] : []),
  ...(kind?.overlay === "yggdrasil" ? [Unit.yggdrasil, "network-online.target"] : []),
  ...(kind?.instances ?? []).map(Unit.translator),
  ...upkeepUnits(kind?.upkeep),
];

/** Units whose logs are read. */
export const unitsLogged = ({ overlay, instances, upkeep }: Kind): string[] => [
  Unit.firewall,
  Unit.overlay,
  ...(overlay === "yggdrasil" ? [Unit.yggdrasil] : [Unit.link]),
  ...instances.map(Unit.translator),
  ...upkeepUnits(upkeep).filter((u) => u.endsWith(".service")),
];

/** Of a config that is parsed. */
export const kindOfConfig = ({ overlay, upkeep }: Config, instances: string[]): Kind => ({
  overlay: overlay.type,
  instances,
  ...(upkeep ? { upkeep } : {}),
});

const ip = (
  family: Family,
  ...words: string[]
): string[] => [Program.ip, "-j", family === "inet6" ? "-6" : "-4", ...words];
const ofBoth = (question: (family: Family) => string[]): Record<Family, string[]> => ({
  inet: question("inet"),
  inet6: question("inet6"),
});

/** Of the survey (survey.ts). */
export const SURVEY = {
  /** Without the elements of sets, which may be many thousands. */
  nft: [Program.nft, "-t", "-j", "list", "ruleset"],
  packages: [Program.dpkgQuery, "--show", "--showformat=${Package} ${db:Status-Status} ${Version}\\n"],
  links: [Program.ip, "-j", "-d", "-s", "address", "show"],
  rules: { inet: [Program.iptablesSave], inet6: [Program.ip6tablesSave] } satisfies Record<Family, string[]>,
  routes: ofBoth((family) => ip(family, "route", "show", "table", "all")),
  policies: ofBoth((family) => ip(family, "rule", "show")),
};

/** Of nftables what there is, without any rule: of a large machine only what iptables-save does not show is then read. */
export const NFT_NAMES = {
  tables: [Program.nft, "-j", "list", "tables"],
  chains: [Program.nft, "-j", "list", "chains"],
};

/** One table, by the words of its name, without the elements of its sets. */
export const tableQuestion = (words: string[]): string[] => [Program.nft, "-t", "-j", "list", "table", ...words];

/** Files of proc(5) that tell about what is around the gateway. */
export const PROC = {
  mounts: "/proc/self/mountinfo",
  connections: "/proc/sys/net/netfilter/nf_conntrack_count",
  most: "/proc/sys/net/netfilter/nf_conntrack_max",
  tracking: "/proc/net/stat/nf_conntrack",
} as const;

/** Of what is around the gateway (host.ts). */
export const HOST = {
  proc: procQuestion(Object.values(PROC)),
  managers: unitsQuestion(Object.values(MANAGERS)),
  sysctlFiles: [Program.systemdSysctl, "--cat-config"],
  processes: [Program.ps, "-eo", "pid=,stat=,args="],
  neighbours: ip("inet6", "neigh", "show"),
  // The file last, for it may hold spaces. Folders: where crxn's journal, tayga's list, configs, sockets and logs are.
  disks: [
    Program.df,
    "-B1",
    "--output=target,fstype,size,avail,itotal,iavail,file",
    "--",
    ...["/etc", "/var/lib/crxn", "/var/lib/tayga", "/var/log", "/run"],
  ],
};

/** Whether /etc/tayga.conf differs from what its package brought (dpkg(1), --verify). Where there is a translator. */
export const OWN_TAYGA = [Program.dpkg, "--verify", "tayga"];

type Questions = Record<string, string[] | Record<Family, string[]>>;

/** One after the other. */
export const listed = (questions: Questions): string[][] =>
  Object.values(questions).flatMap((q) => Array.isArray(q) ? [q] : Object.values(q));
