/** A file with metrics that others read: never half of it, and in the place of nobody else's. */

import { CrxnError, Exit } from "../gateway/errors.ts";
import { isMetrics } from "../gateway/upkeep.ts";
import { absolute, nameFault, parent, readSeen, writeAtomically } from "./files.ts";
import { at } from "./place.ts";

/** Mode 0644. @throws CrxnError 64 where there is no such folder, or a file of somebody else */
export async function writeMetrics(file: string, text: string): Promise<void> {
  const path = absolute(file);
  const fault = await placeFault(path);
  if (fault) throw new CrxnError(Exit.usage, fault, "Make the folder, or name another file.");
  await writeAtomically(path, text, { mode: 0o644 });
}

/** Why metrics cannot be written there; undefined when they can. */
export async function placeFault(path: string): Promise<string | undefined> {
  const fault = await nameFault(path);
  if (fault) return `${path} cannot be written: ${fault}.`;
  const folder = parent(path);
  const is = await Deno.stat(at(folder)).then((info) => info.isDirectory, () => false);
  if (!is) return `${folder} is no folder, and metrics are to be written into it.`;
  const there = await readSeen(path);
  const link = await Deno.lstat(at(path)).then((info) => !info.isFile, () => false);
  return link || (there && !isMetrics(there.content ?? "x"))
    ? `${path} is there, and is no file of metrics of crxn's.`
    : undefined;
}
