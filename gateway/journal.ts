/** Journal: what was done to the machine and how it was before, so that it can be taken back. Data and pure functions. */

import { type Action, Program, run } from "./action.ts";
import { removeCommands, removeRoute } from "./commands.ts";
import type { ChainItem, Item } from "./item.ts";
import { Path } from "./names.ts";
import { jumpsTo, routesAt, see } from "./see.ts";
import { linkOf, type Survey, type UnitSeen } from "./survey.ts";

/** A file before we wrote it; null where there was none. */
export interface FileBefore {
  base64: string;
  mode: number;
  uid: number;
  gid: number;
}

/** What an item's place held before, as much as taking it back needs. */
export interface Before {
  file?: FileBefore | null;
  /** Folders that had to be made for the file, outermost first. */
  folders?: string[];
  /** Every kernel parameter that the change can move along with its own (ip_forward resets a dozen). */
  sysctls?: Record<string, string>;
  unit?: Pick<UnitSeen, "load" | "active" | "enabled">;
  /** Targets that the unit pulls in and that were not active. */
  targets?: string[];
  /** The nftables table behind the chain existed already. */
  table?: boolean;
}

export interface Entry {
  item: Item;
  before: Before;
}

/**
 * One line of the journal file. `did` is written before the change, `undid` after it was taken back, `settled` when what
 * comes after that (services that ran before, empty tables) is done as well.
 */
export type Line =
  | { v: 1; did: Entry; at: string }
  | { v: 1; undid: string; at: string }
  | { v: 1; settled: true; at: string }
  | { v: 1; brought: string[]; at: string };

export interface Journal {
  /** By item id, in the order in which they were first made. */
  entries: Map<string, Entry>;
  /** Taken back, but not settled yet. */
  undone: Map<string, Entry>;
  /** Packages that crxn installed. */
  brought: string[];
}

export function replay(lines: Line[]): Journal {
  const journal: Journal = { entries: new Map(), undone: new Map(), brought: [] };
  for (const line of lines) {
    if ("brought" in line) journal.brought = [...new Set([...journal.brought, ...line.brought])];
    else if ("settled" in line) journal.undone.clear();
    else if ("undid" in line) takeOut(journal, line.undid);
    else putIn(journal, line.did);
  }
  return journal;
}

function putIn({ entries, undone }: Journal, { item, before }: Entry): void {
  // The first state is the one to go back to, however often we changed it since.
  const first = entries.get(item.id)?.before ?? { ...before, ...unsettled(undone.get(item.id)?.before) };
  undone.delete(item.id);
  entries.set(item.id, { item, before: first });
}

/** What is still to be done after an item was taken back, so it does not show on the machine. */
const unsettled = ({ unit, table }: Before = {}): Before => ({
  ...(unit ? { unit } : {}),
  ...(table === false ? { table } : {}),
});

function takeOut({ entries, undone }: Journal, id: string): void {
  const entry = entries.get(id);
  if (!entry) return;
  entries.delete(id);
  if (Object.keys(unsettled(entry.before)).length > 0) undone.set(id, entry);
  // What we made for several (a folder, an nftables table) goes with the last of them.
  const folders = entry.before.folders ?? [];
  for (const [heir, { item, before }] of entries) {
    const inherited = item.kind === "file" ? folders.filter((f) => item.path.startsWith(`${f}/`)) : [];
    const all = [...new Set([...inherited, ...(before.folders ?? [])])].sort((a, b) => a.length - b.length);
    if (inherited.length > 0) entries.set(heir, { item, before: { ...before, folders: all } });
    if (entry.before.table === false && item.kind === "chain" && sameTable(item, entry.item)) {
      entries.set(heir, { item, before: { ...before, table: false } });
    }
  }
}

const sameTable = (a: ChainItem, b: Item) => b.kind === "chain" && a.family === b.family && a.table === b.table;

/** What has to be known about an item's place before it is changed. `folders` and bytes of files are read by the caller. */
export function beforeOf(item: Item, survey: Survey): Before {
  switch (item.kind) {
    case "sysctl":
      return item.device ? {} : { sysctls: alongWith(item.key, survey) };
    case "service":
    case "unwanted": {
      const { load = "not-found", active = "inactive", enabled = "" } = survey.units[item.unit] ?? {};
      const pulls = item.kind === "service" ? item.pulls ?? [] : [];
      return { unit: { load, active, enabled }, targets: pulls.filter((t) => survey.units[t]?.active === "inactive") };
    }
    case "chain": {
      const family = item.family === "inet" ? "ip" : "ip6";
      return { table: survey.nftables?.includes(`${family} ${item.table}`) ?? true };
    }
    default:
      return {};
  }
}

/** The parameter itself and those that the kernel sets with it (ip-sysctl.rst: ip_forward, all/forwarding). */
function alongWith(key: string, survey: Survey): Record<string, string> {
  const family = /ip_forward$/.test(key) ? "ipv4" : /ipv6\/conf\/all\/forwarding$/.test(key) ? "ipv6" : undefined;
  const pattern = new RegExp(`^net/${family}/conf/[^/]+/(forwarding|accept_redirects)$`);
  const moved = family ? Object.entries(survey.sysctls).filter(([k]) => pattern.test(k)) : [];
  return Object.fromEntries([[key, survey.sysctls[key] ?? ""], ...moved]);
}

/** Kinds of devices that we make. */
const LINK_KINDS = ["tun", "vxlan", "ip6gre"];

/**
 * Actions that take an item back, on the machine as it is now. What is gone already needs nothing.
 * @param lost devices that are made anew before: what the survey saw on them is gone
 */
export function undoActions({ item, before }: Entry, survey: Survey, lost: Set<string> = new Set()): Action[] {
  switch (item.kind) {
    case "file":
      return undoFile(item.path, before, survey);
    case "sysctl":
      return undoSysctl(before, survey);
    case "service":
      return stopActions(item.unit, before, survey);
    case "unwanted":
      return [];
    case "package":
      return [];
    case "chain": {
      if (!survey.rules[item.family]?.[item.table]?.[item.chain]) return [];
      return removeCommands(item, jumpsTo(item, survey));
    }
    case "link": {
      // Of whatever kind: a kill may have come between the note and the change.
      const kind = lost.has(item.name) ? undefined : linkOf(survey, item.name)?.kind;
      return kind && LINK_KINDS.includes(kind) ? removeCommands(item) : [];
    }
    case "address":
      return see(item, survey).is === "present" && !lost.has(item.device) ? removeCommands(item) : [];
    case "route":
      // As it is there, not as it should be; one that somebody else put in our place stays.
      return routesAt(item, survey)
        .filter((r) => r.protocol === "64" && !(r.type === "unicast" && lost.has(r.device ?? "")))
        .map(removeRoute);
  }
}

function undoFile(path: string, before: Before, survey: Survey): Action[] {
  const there = survey.files[path];
  if (before.file) {
    const { base64, mode, uid, gid } = before.file;
    return [{ do: "restore", path, base64, mode, uid, gid }];
  }
  return [
    ...(there ? [{ do: "remove", path } as Action] : []),
    ...[...(before.folders ?? [])].reverse().map((folder): Action => ({ do: "rmdir", path: folder })),
  ];
}

function undoSysctl(before: Before, survey: Survey): Action[] {
  const [main, ...others] = Object.entries(before.sysctls ?? {});
  // The others after their master, for setting that one moves them. -e passes over interfaces that are gone by then.
  const gone = ([key]: [string, string]) => survey.sysctls[key] === undefined;
  if (!main || gone(main)) return [];
  const words = [main, ...others.filter((o) => !gone(o))].map(([key, value]) => `${key}=${value}`);
  return [run([Program.sysctl, "-e", "-q", "-w", ...words])];
}

function stopActions(unit: string, before: Before, survey: Survey): Action[] {
  const now = survey.units[unit];
  if (!now || now.load === "not-found") return [];
  const actions: Action[] = [];
  if (before.unit?.enabled !== "enabled" && now.enabled === "enabled") {
    actions.push(run([Program.systemctl, "--quiet", "disable", unit]));
  }
  if (now.active !== "inactive") actions.push(run([Program.systemctl, "stop", unit]));
  // A unit that failed on its last stop would stay listed as failed.
  actions.push(run([Program.systemctl, "reset-failed", unit], { also: [1] }));
  for (const target of before.targets ?? []) actions.push(run([Program.systemctl, "stop", target]));
  const instance = /^tayga@(.+)\.service$/.exec(unit)?.[1];
  if (instance) {
    actions.push({ do: "removeTree", path: `/var/lib/tayga/${instance}` }, { do: "rmdir", path: "/var/lib/tayga" });
  }
  return actions;
}

/** What comes last when all is taken back: services that ran before us run again, with their old files. */
export function restartFormer(entries: Entry[]): Action[] {
  return entries.flatMap(({ item, before }) => {
    if (item.kind !== "service" && item.kind !== "unwanted") return [];
    const actions: Action[] = [];
    if (before.unit?.enabled === "enabled") actions.push(run([Program.systemctl, "--quiet", "enable", item.unit]));
    if (before.unit?.active === "active") actions.push(run([Program.systemctl, "start", item.unit]));
    return actions;
  });
}

/** nftables tables that iptables made for our chains, with nothing of anybody left in them. */
export function emptyTables(entries: Entry[], survey: Survey): Action[] {
  const tables = new Set<string>();
  for (const { item, before } of entries) {
    if (item.kind !== "chain" || before.table !== false) continue;
    const chains = Object.values(survey.rules[item.family]?.[item.table] ?? {});
    const empty = chains.every((c) => c.rules.length === 0 && (c.policy ?? "") === "ACCEPT");
    if (empty) tables.add(`${item.family === "inet" ? "ip" : "ip6"} ${item.table}`);
  }
  return [...tables].map((t) => run([Program.nft, "delete", "table", ...t.split(" ")], { also: [1] }));
}

/** Where the journal is, for messages. */
export const journalPath = Path.journal;
