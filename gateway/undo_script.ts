/** The way back without crxn: a plain shell script that undoes what the journal has. Pure. */

import script from "../assets/undo.sh" with { type: "text" };
import { shellWord } from "./action.ts";
import { ownBytes, safeKeys } from "./edited.ts";
import { familyFlag } from "./commands.ts";
import { type Before, dataFolders, type Entry, type Journal, kept } from "./journal.ts";
import { Path } from "./names.ts";
import type { ServiceItem } from "./item.ts";
import { NFT_FAMILY } from "./netfilter/nft.ts";
import { unwantedEntries } from "./order.ts";
import { metricOf } from "./see.ts";
import { fill } from "./template.ts";
import { linkCommand, maskWords } from "./undo.ts";

/**
 * @param now for the lines of the journal that stay, as ISO 8601
 * @param sums of all that crxn's files may have in them: text, or base64 of what was there before -> its SHA-256 in hex
 */
export function undoScript(journal: Journal, now: string, sums: Map<string, string> = new Map()): string {
  const entries = unwantedEntries([], journal);
  const leaving = [...entries, ...journal.undone.values()];
  const units = entries.some(({ item }) => item.kind === "file" && item.unit);
  const lines = [
    ...entries.flatMap((entry) => [...keepLines(entry, sums), ...undoLines(entry)]),
    ...(units ? ["try systemctl daemon-reload"] : []),
    ...leaving.flatMap(emptyLines),
    ...leaving.flatMap(formerLines),
  ];
  return fill(script, {
    header: "Made by crxn with each change: the same that `crxn down` does.",
    lock: Path.lock,
    state: Path.state,
    lines: [...new Set(lines)].join("\n"),
    journal: journalLines(kept(journal, now)),
  });
}

/** One item, as undoActions() has it; what is there is only known when the script runs. */
function undoLines({ item, before }: Entry): string[] {
  switch (item.kind) {
    case "file":
      return [...fileLines(item.path, before), ...folderLines(before)];
    case "sysctl":
      return sysctlLines(before);
    case "service":
      if (item.since !== undefined) {
        // Its owner's unit is back in its place by now (order.ts).
        return [
          "try systemctl daemon-reload",
          ...(before.unit?.enabled === "enabled" ? [] : [words("disable", item.unit)]),
          words("unless_same", item.unit, String(item.since), "stop", item.unit),
          ...movedLines(item, before),
          ...folderLines(before),
        ];
      }
      return [
        ...(before.unit?.enabled === "enabled" ? [] : [words("disable", item.unit)]),
        words("stop", item.unit),
        ...(item.starts === undefined ? [] : [words("stop", item.starts)]),
        ...(before.targets ?? []).map((target) => words("stop", target)),
        ...movedLines(item, before),
        ...folderLines(before, dataFolders(item)),
      ];
    case "chain":
      return [words("chain", NFT_FAMILY[item.family], item.table, item.from, item.chain)];
    case "table":
      return [words("own_table", ...item.name.split(" "))];
    case "link":
      return item.since !== undefined && item.holder
        ? [words("unless_same", item.holder, String(item.since), "link", item.name)]
        : [words("link", item.name)];
    case "address":
      return [words("address", familyFlag(item.family), item.address, item.device)];
    case "route":
      return [words("route", familyFlag(item.family), item.to, String(metricOf(item)))];
    case "unwanted":
    case "package":
    case "program":
      return [];
  }
}

/** As keptAtLast() has it. */
function keepLines(entry: Entry, sums: Map<string, string>): string[] {
  const { item } = entry;
  const own = ownBytes(entry).map((text) => sums.get(text));
  if (item.kind !== "file" || item.filledBy !== undefined || own.length === 0 || own.includes(undefined)) return [];
  const keys = safeKeys(entry);
  return [
    words("keep", item.path, ...new Set(own as string[])),
    ...(keys.length > 0 ? [words("keep_key", item.path, ...keys)] : []),
  ];
}

function fileLines(path: string, { file }: Before): string[] {
  if (!file) return [words("remove", path)];
  if (file.link !== undefined) return [words("remove", path), words("try", ...linkCommand(path, file.link))];
  const time = file.modified === undefined ? [] : [(file.modified / 1000).toFixed(3)];
  const base64 = file.base64.replace(/.{1,76}/g, "$&\n").trimEnd();
  return [
    `${
      words("restore", path, file.mode.toString(8), String(file.uid), String(file.gid), ...time)
    } <<'END'\n${base64}\nEND`,
  ];
}

/** As stopActions() has it. */
function movedLines(item: ServiceItem, { folders = [] }: Before): string[] {
  const [plain = "", moved = ""] = dataFolders(item);
  return folders.includes(moved) && !folders.includes(plain) ? [words("move_back", moved, plain)] : [];
}

const folderLines = ({ folders = [] }: Before, trees: string[] = []): string[] =>
  [...folders].reverse().map((folder) => words(trees.includes(folder) ? "tree" : "folder", folder));

function sysctlLines({ sysctls = {} }: Before): string[] {
  // In this order: a master's change moves the others. -e passes over interfaces that are gone by then.
  const values = Object.entries(sysctls).filter(([, value]) => value !== "");
  return values.length > 0 ? [words("try", "sysctl", "-e", "-q", "-w", ...values.map(([k, v]) => `${k}=${v}`))] : [];
}

/** As emptyTables() has it. */
function emptyLines({ item, before }: Entry): string[] {
  if (item.kind !== "chain") return [];
  const family = NFT_FAMILY[item.family];
  return [
    ...(before.base === false ? [words("base", family, item.table, item.from)] : []),
    ...(before.table === false ? [words("table", family, item.table)] : []),
  ];
}

/** As restartFormer() has it. */
function formerLines({ item, before }: Entry): string[] {
  if (item.kind !== "service" && item.kind !== "unwanted") return [];
  const systemctl = (...args: string[]) => words("again", ...args);
  const masked = maskWords(before.unit?.enabled);
  return [
    ...(before.unit?.enabled === "enabled" ? [systemctl("--quiet", "enable", item.unit)] : []),
    ...(masked ? [words("try", "systemctl", "--quiet", "mask", ...masked, item.unit)] : []),
    ...(before.unit?.active === "active" ? [systemctl("start", item.unit)] : []),
  ];
}

/** What `install` brought stays known to `crxn down --purge`. */
function journalLines(text: string): string {
  if (text === "") return `\trm -f -- ${Path.journal}`;
  return `\tcat >${Path.journal} <<'END'\n${text}END`;
}

const words = (...argv: string[]): string => argv.map(shellWord).join(" ");
