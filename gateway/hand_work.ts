/** What drop-ins of a unit of crxn's do that crxn does itself: notes typed into `systemctl edit`. Pure. */

import { isOwnDropIn } from "./names.ts";
import type { Survey } from "./survey.ts";

/** Lines of systemd.service(5) from drop-ins that are not crxn's. */
export interface HandWork {
  /** The drop-ins with such lines, in the order in which systemd reads them. */
  paths: string[];
  /** Lines that make and remove devices, addresses, routes, rules and kernel parameters: crxn's own take their place. */
  taken: string[];
  /** Lines that do something else, and go on doing it. */
  kept: string[];
}

/** Of these none is left when crxn's own drop-in begins its lists anew. */
export const LISTS = ["ExecStartPre", "ExecStartPost", "ExecStop", "ExecStopPost"] as const;

/** Programs of the notes. */
const PROGRAMS = /^(?:\/\S*\/)?(?:ip|ip6?tables(?:-(?:nft|legacy))?(?:-restore)?|sysctl)$/;
/** The same as a command of a script: at its beginning, and behind what ends a command or begins one. */
const COMMANDS =
  /(?:^|[;&|({]|\b(?:then|do|else|exec))\s*(?:\/\S*\/)?(?:ip|ip6?tables(?:-(?:nft|legacy))?(?:-restore)?|sysctl)\s/;

/** @returns undefined where no drop-in does any of crxn's work */
export function handWorkOf(unit: string, { units, files }: Pick<Survey, "units" | "files">): HandWork | undefined {
  const foreign = (units[unit]?.dropIns ?? []).filter((path) => !isOwnDropIn(path));
  let found: { path: string; key: string; value: string }[] = [];
  for (const path of foreign) {
    for (const { key, value } of assignments(files[path]?.content ?? "")) {
      // An empty one begins the list anew: what came before it its owner has switched off.
      found = value === "" ? found.filter((f) => f.key !== key) : [...found, { path, key, value }];
    }
  }
  const taken = found.filter(({ value }) => isOurs(value));
  if (taken.length === 0) return undefined;
  const line = ({ key, value }: { key: string; value: string }) => `${key}=${value}`;
  return {
    paths: [...new Set(taken.map(({ path }) => path))],
    taken: taken.map(line),
    kept: found.filter(({ value }) => !isOurs(value)).map(line),
  };
}

/** By the program, and in a shell's script by the commands in it; tayga only where it makes or removes its device. */
function isOurs(value: string): boolean {
  const [program = "", ...args] = value.replace(/^[-+!@:|]+/, "").split(/\s+/);
  const name = program.slice(program.lastIndexOf("/") + 1);
  if (name === "tayga") return args.some((word) => /^--(mk|rm)tun$/.test(word));
  if (/^(ba|da)?sh$/.test(name)) return COMMANDS.test(value.replace(/^.*?\s-\w*c\s+["']?/, ""));
  return PROGRAMS.test(program);
}

/** Assignments to the lists, in the order of the file: systemd.syntax(7). */
function assignments(text: string): { key: string; value: string }[] {
  const [found, lists]: [{ key: string; value: string }[], readonly string[]] = [[], LISTS];
  let [section, begun] = ["", ""];
  for (const raw of text.split("\n")) {
    // A comment may stand between the parts of a line.
    if (/^\s*[#;]/.test(raw)) continue;
    const line = begun + raw.trim();
    begun = line.endsWith("\\") ? `${line.slice(0, -1).trimEnd()} ` : "";
    if (begun !== "") continue;
    section = /^\[(.*)\]$/.exec(line)?.[1] ?? section;
    const [, key = "", value = ""] = /^(\w+)\s*=\s*(.*)$/.exec(line) ?? [];
    if (section === "Service" && lists.includes(key)) found.push({ key, value });
  }
  return found;
}
