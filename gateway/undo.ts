/** Undo: how an item of the journal is taken back, on the machine as it is now. Pure. */

import { type Action, Program, run } from "./action.ts";
import { removeCommands, removeRoute } from "./commands.ts";
import { keptAtLast } from "./edited.ts";
import type { ChainItem, ServiceItem } from "./item.ts";
import { type Before, dataFolders, type Entry } from "./journal.ts";
import { OWN_PROTOCOL } from "./names.ts";
import { NFT_FAMILY } from "./netfilter/nft.ts";
import { routesAt, see } from "./see.ts";
import { hasChain, jumpsTo } from "./see_rules.ts";
import { goesOn } from "./takeover.ts";
import { linkOf, type RouteSeen, type Survey, type UnitSeen } from "./survey.ts";

/** Kinds of devices that we make. */
const LINK_KINDS = ["tun", "vxlan", "ip6gre"];

/**
 * Actions that take an item back, on the machine as it is now. What is gone already needs nothing.
 * @param lost devices that are made anew before: what the survey saw on them is gone
 */
export function undoActions(entry: Entry, survey: Survey, lost: Set<string> = new Set()): Action[] {
  const { item, before } = entry;
  switch (item.kind) {
    case "file": {
      const kept = keptAtLast(entry, survey);
      return [...(kept ? [{ do: "keep" as const, path: item.path, as: kept }] : []), ...undoFile(item.path, before)];
    }
    case "sysctl":
      return undoSysctl(before, survey);
    case "service":
      return goesOn(item, survey.units)
        ? disableActions(item, before, survey.units[item.unit])
        : stopActions(item, before, survey);
    case "unwanted":
      return [];
    case "package":
    case "program":
      return [];
    case "chain":
      // Where neither program is there, trying says so.
      if (!survey.rules[item.family]) return survey.nftables ? removeByNft(item, survey) : removeCommands(item);
      return hasChain(item, survey) ? removeCommands(item, jumpsTo(item, survey)) : [];
    case "table":
      return !survey.nftables || survey.nftables.includes(item.name) ? removeCommands(item) : [];
    case "link": {
      // Of whatever kind: a kill may have come between the note and the change.
      const stays = lost.has(item.name) || goesOn(item, survey.units);
      const kind = stays ? undefined : linkOf(survey, item.name)?.kind;
      return kind && LINK_KINDS.includes(kind) ? removeCommands(item) : [];
    }
    case "address":
      return see(item, survey).is === "present" && !lost.has(item.device) ? removeCommands(item) : [];
    case "route":
      // As it is there, not as it should be; one that somebody else put in our place stays.
      return routesAt(item, survey)
        .filter((r) => r.protocol === OWN_PROTOCOL && !(r.type === "unicast" && isLost(r, lost)))
        .map(removeRoute);
  }
}

/** A chain of iptables-nft on a machine from which somebody has removed iptables. */
function removeByNft({ family, table, from, chain }: ChainItem, { native = [] }: Survey): Action[] {
  const ip = NFT_FAMILY[family];
  const find = (name: string) => native.find((c) => c.family === ip && c.table === table && c.name === name);
  if (!find(chain)) return [];
  const handles = (find(from)?.rules ?? []).flatMap(({ expr, handle }) =>
    handle !== undefined && expr.some((s) => (s["jump"] as { target?: string } | undefined)?.target === chain)
      ? [handle]
      : []
  );
  const nft = (...words: string[]) => run([Program.nft, ...words]);
  return [
    ...handles.map((handle) => nft("delete", "rule", ip, table, from, "handle", String(handle))),
    nft("flush", "chain", ip, table, chain),
    nft("delete", "chain", ip, table, chain),
  ];
}

/** Whether it went with its device, or with the last of them. */
const isLost = ({ device = "", hops }: RouteSeen, lost: Set<string>): boolean =>
  hops ? hops.every((h) => lost.has(h.device ?? "")) : lost.has(device);

function undoFile(path: string, before: Before): Action[] {
  if (before.file) {
    const { link, ...file } = before.file;
    // A kill may have left the beginnings of our file.
    if (link !== undefined) return [{ do: "remove", path }, run(linkCommand(path, link))];
    return [{ do: "restore", path, ...file }];
  }
  return [
    // Also one that is not there: a kill may have left its beginnings.
    { do: "remove", path },
    ...[...(before.folders ?? [])].reverse().map((folder): Action => ({ do: "rmdir", path: folder })),
  ];
}

/** Puts a symbolic link in the place of whatever file is there. */
export const linkCommand = (path: string, to: string): string[] => [Program.ln, "-sfT", "--", to, path];

function undoSysctl(before: Before, survey: Survey): Action[] {
  const [main, ...others] = Object.entries(before.sysctls ?? {});
  // The others after their master, for setting that one moves them. -e passes over interfaces that are gone by then.
  const gone = ([key]: [string, string]) => survey.sysctls[key] === undefined;
  if (!main || gone(main)) return [];
  const words = [main, ...others.filter((o) => !gone(o))].map(([key, value]) => `${key}=${value}`);
  return [run([Program.sysctl, "-e", "-q", "-w", ...words])];
}

/** What makes it start at boot, unless it did before crxn. */
function disableActions({ unit }: ServiceItem, before: Before, now: UnitSeen | undefined): Action[] {
  if (!now || before.unit?.enabled === "enabled") return [];
  // Somebody has removed its file: what made it start at boot is still there, and it may still run.
  const lost = now.load === "not-found";
  if (now.enabled !== "enabled" && !lost) return [];
  return [run([Program.systemctl, "--quiet", "disable", unit], lost ? { also: [1] } : {})];
}

function stopActions(item: ServiceItem, before: Before, survey: Survey): Action[] {
  const { unit } = item;
  const now = survey.units[unit];
  if (!now) return [];
  const actions = disableActions(item, before, now);
  if (now.active !== "inactive") actions.push(run([Program.systemctl, "stop", unit]));
  // A unit that failed on its last stop would stay listed as failed.
  actions.push(run([Program.systemctl, "reset-failed", unit], { also: [1] }));
  if (item.starts !== undefined) {
    // One that runs is ended, which is a failure to a oneshot unit: it is waited for before that is forgotten.
    actions.push(run([Program.systemctl, "stop", item.starts], { also: [5] }));
    actions.push(run([Program.systemctl, "reset-failed", item.starts], { also: [1] }));
  }
  for (const target of before.targets ?? []) actions.push(run([Program.systemctl, "stop", target]));
  const data = dataFolders(item);
  // One that was there before was moved.
  const [plain = "", moved = ""] = data;
  const made = before.folders ?? [];
  if (made.includes(moved) && !made.includes(plain)) actions.push({ do: "moveBack", from: moved, to: plain });
  for (const folder of [...before.folders ?? []].reverse()) {
    actions.push({ do: data.includes(folder) ? "removeTree" : "rmdir", path: folder });
  }
  return actions;
}

/** Options with which `systemctl mask` and `unmask` lead to and from this state; undefined where the unit is not masked. */
export const maskWords = (enabled = ""): string[] | undefined =>
  ({ masked: [], "masked-runtime": ["--runtime"] } as Record<string, string[]>)[enabled];

/** What comes last when all is taken back: services that ran before us run again, with their old files. */
export function restartFormer(entries: Entry[], survey: Pick<Survey, "units">): Action[] {
  return entries.flatMap(({ item, before }) => {
    if (item.kind !== "service" && item.kind !== "unwanted") return [];
    const actions: Action[] = [];
    // Its package has gone since: there is nothing that could run again. A mask needs none.
    const gone = survey.units[item.unit]?.load === "not-found";
    if (!gone && before.unit?.enabled === "enabled") {
      actions.push(run([Program.systemctl, "--quiet", "enable", item.unit]));
    }
    const masked = maskWords(before.unit?.enabled);
    if (masked) actions.push(run([Program.systemctl, "--quiet", "mask", ...masked, item.unit]));
    if (!gone && before.unit?.active === "active") actions.push(run([Program.systemctl, "start", item.unit]));
    return actions;
  });
}

/** What of a machine settles what comes after items are gone. */
export type Left = Pick<Survey, "rules" | "unreadable" | "native" | "nftables" | "units">;

/** A chain, as iptables-save shows it or nft. */
type Bare = { rules: unknown[]; policy?: string };

/**
 * The chains of an item's table; undefined where what is in it is not known, or is not for iptables alone. What iptables does
 * not show is not empty: it may be that it cannot read rules of nftables that somebody has put there.
 */
function tableOf({ family, table }: ChainItem, survey: Left): Record<string, Bare> | undefined {
  const { rules, unreadable = [], native = [], nftables } = survey;
  const ip = NFT_FAMILY[family];
  const shown = native.filter((c) => c.family === ip && c.table === table);
  if (rules[family]) {
    return unreadable.includes(`${ip} ${table}`) || shown.length > 0 ? undefined : rules[family][table] ?? {};
  }
  // Somebody has removed iptables.
  return nftables && Object.fromEntries(
    shown.map((c) => [c.name, { rules: c.rules, ...(c.policy ? { policy: c.policy.toUpperCase() } : {}) }]),
  );
}

/** nftables tables and built-in chains that iptables made for our chains, with nothing of anybody left in them. */
export function emptyTables(entries: Entry[], survey: Left): Action[] {
  const left = new Set<string>();
  for (const { item, before } of entries) {
    const table = item.kind === "chain" ? tableOf(item, survey) : undefined;
    if (item.kind !== "chain" || !table) continue;
    const isEmpty = (c: Bare) => c.rules.length === 0 && (c.policy ?? "") === "ACCEPT";
    const name = `${NFT_FAMILY[item.family]} ${item.table}`;
    if (before.table === false && Object.values(table).every(isEmpty)) left.add(`table ${name}`);
    const base = table[item.from];
    if (before.base === false && base && isEmpty(base)) left.add(`chain ${name} ${item.from}`);
  }
  return [...left].map((what) => run([Program.nft, "delete", ...what.split(" ")], { also: [1] }));
}
