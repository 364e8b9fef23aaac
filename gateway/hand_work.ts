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

/** Programs of the notes; tayga only where it makes or removes its device. */
const OURS = /(^|[\s/'";=+!@:-])(ip|ip6?tables(-(nft|legacy|restore))?|sysctl)\s|\/?tayga\b.*\s--(mk|rm)tun\b/;

/** @returns undefined where no drop-in does any of crxn's work */
export function handWorkOf(unit: string, { units, files }: Pick<Survey, "units" | "files">): HandWork | undefined {
  const foreign = (units[unit]?.dropIns ?? []).filter((path) => !isOwnDropIn(path));
  const found = foreign.flatMap((path) => execLines(files[path]?.content ?? "").map((line) => ({ path, line })));
  const taken = found.filter(({ line }) => OURS.test(line));
  if (taken.length === 0) return undefined;
  return {
    paths: [...new Set(taken.map(({ path }) => path))],
    taken: taken.map(({ line }) => line),
    kept: found.filter(({ line }) => !OURS.test(line)).map(({ line }) => line),
  };
}

/** Each as one line; a backslash at its end goes on with the next. */
function execLines(text: string): string[] {
  let section = "";
  return text.replace(/\\\n/g, " ").split("\n").map((line) => line.trim()).filter((line) => {
    section = /^\[(.*)\]$/.exec(line)?.[1] ?? section;
    const key = line.slice(0, line.indexOf("=")).trim();
    // An empty one begins a list anew, and crxn's does that anyhow.
    return section === "Service" && (LISTS as readonly string[]).includes(key) && !/=\s*$/.test(line);
  });
}
