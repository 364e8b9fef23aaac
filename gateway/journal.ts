/** Journal: what was done to the machine and how it was before, so that it can be taken back. Data and pure functions. */

import type { ChainItem, Item } from "./item.ts";
import { instanceOf, Path } from "./names.ts";
import { NFT_FAMILY } from "./netfilter/nft.ts";
import type { Survey, UnitSeen } from "./survey.ts";

/** A file before we wrote it; null where there was none. */
export interface FileBefore {
  base64: string;
  mode: number;
  uid: number;
  gid: number;
  /** Milliseconds since the epoch: by it one tells what a daemon that goes on running has read. */
  modified?: number;
  /** It was a symbolic link to this, relative or not; the rest is what was found there. */
  link?: string;
}

/** What an item's place held before, as much as taking it back needs. */
export interface Before {
  file?: FileBefore | null;
  /** Folders that had to be made for the file, or for the data of the service, outermost first. */
  folders?: string[];
  /** Every kernel parameter that the change can move along with its own (ip_forward resets a dozen). */
  sysctls?: Record<string, string>;
  unit?: Pick<UnitSeen, "load" | "active" | "enabled">;
  /** Targets that the unit pulls in and that were not active. */
  targets?: string[];
  /** The nftables table behind the chain existed already. */
  table?: boolean;
  /** So did, in that table, the built-in chain that jumps to it: iptables-nft makes each at its first rule. */
  base?: boolean;
}

export interface Entry {
  item: Item;
  before: Before;
  /** Of a file: what we wrote there earlier. After a kill it may still be what is there. */
  wrote?: string[];
}

/** A program that crxn fetched: noted before the file gets its name. */
export interface Fetched {
  path: string;
  url: string;
  /** Of what the URL gave, in hex. */
  sha256: string;
  /** Of the program itself. */
  program: string;
}

/**
 * One line of the journal file. `did` is written before the change, `undid` after it was taken back, `settled` when what
 * comes after that (services that ran before, empty tables) is done as well.
 */
export type Line =
  | { v: 1; did: Entry; at: string }
  | { v: 1; undid: string; at: string }
  | { v: 1; settled: true; at: string }
  | { v: 1; brought: string[]; at: string }
  | { v: 1; fetched: Fetched; at: string }
  /** The path of a fetched program that is removed. */
  | { v: 1; removed: string; at: string };

export interface Journal {
  /** By item id, in the order in which they were first made. */
  entries: Map<string, Entry>;
  /** Taken back, but not settled yet. */
  undone: Map<string, Entry>;
  /** Packages that crxn installed. */
  brought: string[];
  /** Programs that crxn fetched, by path. */
  fetched: Map<string, Fetched>;
}

/** All that was made, in the order in which it was. */
export const itemsIn = ({ entries }: Pick<Journal, "entries">): Item[] => [...entries.values()].map(({ item }) => item);

export function replay(lines: Line[]): Journal {
  const journal: Journal = { entries: new Map(), undone: new Map(), brought: [], fetched: new Map() };
  for (const line of lines) {
    if ("brought" in line) journal.brought = [...new Set([...journal.brought, ...line.brought])];
    else if ("fetched" in line) journal.fetched.set(line.fetched.path, line.fetched);
    else if ("removed" in line) journal.fetched.delete(line.removed);
    else if ("settled" in line) journal.undone.clear();
    else if ("undid" in line) takeOut(journal, line.undid);
    else putIn(journal, line.did);
  }
  return journal;
}

/** The journal as it will be when these have been made as well. */
export function withComing(journal: Journal, coming: Entry[]): Journal {
  const copy = { ...journal, entries: new Map(journal.entries), undone: new Map(journal.undone) };
  for (const entry of coming) putIn(copy, entry);
  return copy;
}

/** Whether a line about it would change nothing: the journal has the very same item, and how its place was before that. */
export const isNoted = ({ entries }: Pick<Journal, "entries">, item: Item): boolean =>
  entries.has(item.id) && JSON.stringify(entries.get(item.id)!.item) === JSON.stringify(item);

/** The lines that stay when nothing is left to take back: what `install` brought. Empty when it brought nothing. */
export function kept({ brought, fetched }: Journal, at: string): string {
  const lines: Line[] = [
    ...(brought.length > 0 ? [{ v: 1 as const, brought, at }] : []),
    ...[...fetched.values()].map((one) => ({ v: 1 as const, fetched: one, at })),
  ];
  return lines.map((line) => JSON.stringify(line) + "\n").join("");
}

function putIn({ entries, undone }: Journal, { item, before }: Entry): void {
  // The first state is the one to go back to, however often we changed it since.
  const first = entries.get(item.id)?.before ?? { ...before, ...unsettled(undone.get(item.id)?.before) };
  const wrote = earlier(entries.get(item.id), item);
  undone.delete(item.id);
  entries.set(item.id, { item, before: first, ...(wrote.length > 0 ? { wrote } : {}) });
}

function earlier(entry: Entry | undefined, now: Item): string[] {
  if (entry?.item.kind !== "file" || now.kind !== "file") return [];
  const all = new Set([...entry.wrote ?? [], entry.item.content]);
  all.delete(now.content);
  return [...all];
}

/** What is still to be done after an item was taken back, so it does not show on the machine. */
const unsettled = ({ unit, table, base }: Before = {}): Before => ({
  ...(unit ? { unit } : {}),
  ...(table === false ? { table } : {}),
  ...(base === false ? { base } : {}),
});

function takeOut({ entries, undone }: Journal, id: string): void {
  const entry = entries.get(id);
  if (!entry) return;
  entries.delete(id);
  if (Object.keys(unsettled(entry.before)).length > 0) undone.set(id, entry);
  // What we made for several (a folder, an nftables table) goes with the last of them.
  const folders = entry.before.folders ?? [];
  if (folders.length === 0 && entry.before.table !== false) return;
  for (const [heir, { item, before }] of entries) {
    const places = item.kind === "file" ? [item.path] : dataFolders(item);
    const inherited = folders.filter((f) => places.some((place) => place.startsWith(`${f}/`)));
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
      const family = NFT_FAMILY[item.family];
      const table = survey.nftables?.includes(`${family} ${item.table}`) ?? true;
      const base = !table || (survey.baseChains?.includes(`${family} ${item.table} ${item.from}`) ?? true);
      return { table, ...(base ? {} : { base }) };
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

/**
 * Where a translator remembers which client has which address of the pool: made by its unit (StateDirectory=). With a user
 * of its own the second is the folder, and the first a link to it (DynamicUser= in systemd.exec(5)).
 */
export function dataFolders(item: Item): string[] {
  const instance = item.kind === "service" ? instanceOf(item.unit) : undefined;
  return instance ? [`/var/lib/tayga/${instance}`, `/var/lib/private/tayga/${instance}`] : [];
}

/** Where the journal is, for messages. */
export const journalPath = Path.journal;
