/** What a person has made of a file that is crxn's: it is kept beside it, whatever becomes of the file. Pure. */

import type { FileItem } from "./item.ts";
import type { Entry, FileBefore } from "./journal.ts";
import { GAP, SECRET_NAME } from "./secret_words.ts";
import type { FileSeen, Survey } from "./survey.ts";

export const textOf = ({ base64 }: FileBefore): string =>
  new TextDecoder().decode(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)));

/** By the time at which it was written, so that each version has a name of its own. */
export const editedName = (path: string, { modified }: FileSeen): string =>
  `${path}.edited-${new Date(modified).toISOString().slice(0, 19).replace(/[-:]/g, "")}`;

/** What a file may have in it without being anybody's work: what was there before crxn, and whatever crxn wrote. */
export function ownContents({ item, before, wrote = [] }: Entry): string[] {
  if (item.kind !== "file") return [];
  return [item.content, ...wrote, ...(before.file ? [textOf(before.file)] : [])];
}

/** The same as keys to their sums: what crxn wrote as text, what was there before as base64. */
export function ownBytes({ item, before, wrote = [] }: Entry): string[] {
  return item.kind === "file" ? [item.content, ...wrote, ...(before.file ? [before.file.base64] : [])] : [];
}

const KEY = new RegExp(String.raw`${SECRET_NAME}["']?${GAP}:${GAP}["']*([0-9a-f]{64,128})\b`, "gi");

/** Private keys of yggdrasil's that a config has, in hex and small letters. */
const keysIn = (text: string): string[] => [...text.matchAll(KEY)].map(([, key]) => key!.toLowerCase());

/**
 * Keys of which there is a copy when a file with secrets is taken back: in the file as it was, or, where there was none, the
 * one that crxn made and keeps (machine/identity.ts).
 */
export function safeKeys({ item, before, wrote = [] }: Entry): string[] {
  if (item.kind !== "file" || !item.secret) return [];
  return keysIn(before.file ? textOf(before.file) : wrote[0] ?? item.content);
}

/**
 * Where what is in a file goes before the file is taken back: somebody's work, or the key of another node, which crxn has
 * left in its place when it wrote the rest anew. Undefined when nothing would be lost.
 */
export function keptAtLast(entry: Entry, { files }: Pick<Survey, "files">): string | undefined {
  const item = entry.item as FileItem;
  const there = files[item.path];
  if (!there?.content || item.filledBy !== undefined) return undefined;
  const known = safeKeys(entry);
  const lost = item.secret === true && keysIn(there.content).some((key) => !known.includes(key));
  return lost || !ownContents(entry).includes(there.content) ? editedName(item.path, there) : undefined;
}
