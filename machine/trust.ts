/** Which files root may believe. */

import { absolute } from "./files.ts";
import { type Way, wayTo } from "./way.ts";

/** Write permission of group and others. */
const OTHERS = 0o022;
/** Only a file's owner removes or renames it there: /tmp. */
const STICKY = 0o1000;

/**
 * Whether somebody else than root can change what a file says: by writing into it, or by putting another in its place, or in
 * that of a folder above it.
 * @returns why, or undefined; also when this is not root, who then has no more rights than whoever wrote it
 */
export async function changeableByOthers(path: string): Promise<string | undefined> {
  if (Deno.uid() !== 0) return undefined;
  const way = await wayTo(absolute(path));
  return way.trail.at(-1)!.type === "missing" ? undefined : changeableOn(way);
}

/** The same of a way that may end before its file: then of what is there of it. */
export function changeableOn({ trail, links }: Way): string | undefined {
  if (Deno.uid() !== 0) return undefined;
  const there = trail.filter(({ type }) => type !== "missing");
  // A link's mode says nothing, but its owner may replace it wherever it is.
  const theirs = [...there, ...links].find(({ uid }) => uid !== 0);
  if (theirs) return `${theirs.path} belongs to user ${theirs.uid}`;
  const open = there.find(({ type, mode }) => (mode & OTHERS) !== 0 && !(type === "folder" && (mode & STICKY) !== 0));
  return open && `${open.path} can be written by others than root (mode ${(open.mode & 0o777).toString(8)})`;
}
