/** The journal on disk: one line for each change, synced before the change is made. */

import { CrxnError, Exit } from "../gateway/errors.ts";
import {
  type Before,
  beforeOf,
  dataFolders,
  type Entry,
  type Fetched,
  isNoted,
  type Journal,
  kept,
  type Line,
  replay,
  withComing,
} from "../gateway/journal.ts";
import { ownBytes } from "../gateway/edited.ts";
import type { Item } from "../gateway/item.ts";
import { isWhole } from "../gateway/journal_line.ts";
import { Path } from "../gateway/names.ts";
import type { Survey } from "../gateway/survey.ts";
import { undoScript } from "../gateway/undo_script.ts";
import { fromBase64 } from "./base64.ts";
import {
  explaining,
  missingFolders,
  parent,
  readBefore,
  remove,
  removeIfEmpty,
  syncFolder,
  writeAtomically,
} from "./files.ts";
import { sha256Of } from "./download.ts";
import { at } from "./place.ts";
import { changeableByOthers } from "./trust.ts";

/** @throws CrxnError 1 when it is of another version of crxn, or damaged before its last line. */
export async function readJournal(): Promise<Journal> {
  let text: string;
  try {
    text = await Deno.readTextFile(at(Path.journal));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return replay(unwritten);
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new CrxnError(Exit.noPermission, `${Path.journal} may be read by root only.`, "Run crxn as root.");
    }
    throw error;
  }
  const changeable = await changeableByOthers(Path.journal);
  if (changeable) {
    throw new CrxnError(
      Exit.failed,
      `The journal is not to be trusted: ${changeable}.`,
      `It says what is done as root. Look whether it is as crxn left it, then \`chown root:root\` and \`chmod go-w\` what is named.`,
    );
  }
  return replay([...parseJournal(text), ...unwritten]);
}

/** A last line without its end was never finished: the change it announces was not made. */
export function parseJournal(text: string): Line[] {
  const lines = text.split("\n");
  lines.pop();
  return lines.map((line, i) => {
    const value = objectOf(line);
    if (value?.["v"] === undefined) throw damaged(i);
    // A newer crxn may have kinds of lines that this one does not know.
    if (value["v"] !== 1 || !KEYS.some((key) => key in value)) {
      throw new CrxnError(
        Exit.failed,
        `${Path.journal}:${i + 1}: written by another version of crxn (${
          value["v"] === 1 ? "a kind of line that this one does not know" : `format ${value["v"]}`
        }).`,
        `Use that version for \`crxn down\`, then this one for \`crxn up\`. ${WITHOUT}`,
      );
    }
    if (!isWhole(value)) throw damaged(i);
    return value as unknown as Line;
  });
}

const damaged = (index: number): CrxnError =>
  new CrxnError(
    Exit.failed,
    `${Path.journal}:${index + 1}: this line is damaged.`,
    `Mend or remove the line; each is a JSON object that says how one change is taken back. ${WITHOUT}`,
  );

/** For whoever cannot use crxn to take things back. */
export const WITHOUT = `\`sh ${Path.undo}\` undoes everything without crxn.`;

const KEYS = ["did", "undid", "settled", "brought", "fetched", "removed"];

function objectOf(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? value as Record<string, unknown> : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What was taken back and could not be noted, on a full disk: taking back goes on, and frees the space to note it with the
 * next line. What is going to be done is never in here.
 */
let unwritten: Line[] = [];

/** Adds lines; they are on the disk when this returns. @throws CrxnError 1 when they cannot be written */
async function append(...lines: Line[]): Promise<void> {
  await explaining(Path.journal, () => write([...unwritten, ...lines]));
  unwritten = [];
}

/** Adds lines about what is done already, now or with later ones. */
async function noteLater(...lines: Line[]): Promise<void> {
  try {
    await append(...lines);
  } catch (error) {
    if (!(error instanceof CrxnError)) throw error;
    unwritten.push(...lines);
  }
}

/** @throws CrxnError 1 when something that was taken back is still not noted */
export async function noteRest(): Promise<void> {
  if (unwritten.length > 0) await append();
}

async function write(lines: Line[]): Promise<void> {
  const folder = parent(Path.journal);
  await Deno.mkdir(at(folder), { recursive: true, mode: 0o700 });
  const isNew = !(await Deno.stat(at(Path.journal)).then(() => true, () => false));
  const file = await Deno.open(at(Path.journal), { read: true, write: true, create: true, mode: 0o600 });
  try {
    await cutUnfinishedLine(file);
    await file.seek(0, Deno.SeekMode.End);
    const bytes = new TextEncoder().encode(lines.map((line) => JSON.stringify(line) + "\n").join(""));
    for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
    await file.sync();
  } finally {
    file.close();
  }
  if (isNew) await syncFolder(folder);
}

/** A line that a kill or a full disk cut short is taken away, or the next one would be glued to it. */
async function cutUnfinishedLine(file: Deno.FsFile): Promise<void> {
  const { size } = await file.stat();
  if (size === 0) return;
  await file.seek(-1, Deno.SeekMode.End);
  const last = new Uint8Array(1);
  await file.read(last);
  if (last[0] === 10) return;
  await file.seek(0, Deno.SeekMode.Start);
  const bytes = new Uint8Array(size);
  for (let done = 0; done < size;) done += (await file.read(bytes.subarray(done))) ?? size;
  await file.truncate(bytes.lastIndexOf(10) + 1);
}

async function fullBefore(item: Item, survey: Survey): Promise<Before> {
  const data = dataFolders(item);
  if (data.length > 0) {
    const missing = await Promise.all(data.map((folder) => missingFolders(`${folder}/dynamic.map`)));
    return { ...beforeOf(item, survey), folders: missing.flat() };
  }
  if (item.kind !== "file") return beforeOf(item, survey);
  if (item.filledBy !== undefined) return { file: null, folders: await missingFolders(item.path) };
  return { file: await readBefore(item.path), folders: await missingFolders(item.path) };
}

/** Notes an item that is made already as it is to be from now on: how its place was before stays as it was noted first. */
export const noteItem = (item: Item): Promise<void> =>
  noteLater({ v: 1, did: { item, before: {} }, at: new Date().toISOString() });

/**
 * Notes how items' places are, before they are changed.
 * @param known what the journal has, kept up to date: what is in it already is not written once more, or a timer that mends
 *   the same each minute would make it grow without end
 */
export async function noteTogether(items: Item[], survey: Survey, known?: Journal): Promise<void> {
  const fresh = known ? items.filter((item) => !isNoted(known, item)) : items;
  if (fresh.length === 0) return;
  const at = new Date().toISOString();
  const entries = await Promise.all(fresh.map(async (item) => ({ item, before: await fullBefore(item, survey) })));
  await append(...entries.map((did) => ({ v: 1 as const, did, at })));
  for (const entry of entries) known?.entries.set(entry.item.id, entry);
}

export async function noteUndone(...ids: string[]): Promise<void> {
  const at = new Date().toISOString();
  if (ids.length > 0) await noteLater(...ids.map((undid) => ({ v: 1 as const, undid, at })));
}

export const noteSettled = (): Promise<void> => noteLater({ v: 1, settled: true, at: new Date().toISOString() });

export const noteBrought = (packages: string[]): Promise<void> =>
  append({ v: 1, brought: packages, at: new Date().toISOString() });

export const noteFetched = (fetched: Fetched): Promise<void> => append({ v: 1, fetched, at: new Date().toISOString() });

/** A fetched program is removed. */
export const noteRemoved = (path: string): Promise<void> =>
  append({ v: 1, removed: path, at: new Date().toISOString() });

/** Nothing is left to take back. What `install` brought stays known, whenever a kill comes. */
export async function clearJournal(journal: Journal): Promise<void> {
  unwritten = [];
  const text = kept(journal, new Date().toISOString());
  if (text === "") await remove(Path.journal);
  else await writeAtomically(Path.journal, text, { mode: 0o600 });
  for (const path of [Path.undo, Path.reserve]) await remove(path);
  await removeIfEmpty(Path.state);
}

/** Of everything that is no edit of anybody's, by {@linkcode ownBytes}. */
async function sumsOf(entries: Entry[]): Promise<Map<string, string>> {
  const sums = new Map<string, string>();
  for (const entry of entries) {
    const before = entry.before.file?.base64;
    for (const text of ownBytes(entry)) {
      if (sums.has(text)) continue;
      sums.set(text, await sha256Of(text === before ? fromBase64(text) : new TextEncoder().encode(text)));
    }
  }
  return sums;
}

/**
 * Writes the shell script that undoes what the journal has.
 * @param coming what is going to be made, so that the script is right whenever a kill comes
 * @returns the journal, without that
 */
export async function writeUndoScript(coming: { item: Item; survey: Survey }[] = []): Promise<Journal> {
  const entries = await Promise.all(
    coming.map(async ({ item, survey }) => ({ item, before: await fullBefore(item, survey) })),
  );
  const journal = await readJournal();
  const whole = withComing(journal, entries);
  const sums = await sumsOf([...whole.entries.values()]);
  await writeAtomically(Path.undo, undoScript(whole, new Date().toISOString(), sums), { mode: 0o700 });
  return journal;
}
