/** Which files root may believe. */

import { parent } from "./files.ts";
import { at } from "./place.ts";

/** Write permission of group and others. */
const OTHERS = 0o022;
/** Only a file's owner removes or renames it there: /tmp. */
const STICKY = 0o1000;

/**
 * Whether somebody else than root can change what a file says: by writing into it, or by putting another in its place.
 * @returns why, or undefined; also when this is not root, who then has no more rights than whoever wrote it
 */
export async function changeableByOthers(path: string): Promise<string | undefined> {
  if (Deno.uid() !== 0) return undefined;
  for (const place of [path, path.includes("/") ? parent(path) : "."]) {
    // A link leads to what counts.
    const info = await Deno.stat(at(place)).catch(() => undefined);
    if (!info) return undefined;
    const mode = info.mode ?? 0;
    if (info.uid !== 0 && (place === path || (mode & STICKY) === 0)) return `${place} belongs to user ${info.uid}`;
    if ((mode & OTHERS) !== 0 && !(place !== path && (mode & STICKY) !== 0)) {
      return `${place} can be written by others than root (mode ${(mode & 0o777).toString(8)})`;
    }
  }
  return undefined;
}
