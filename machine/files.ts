/** Files on the machine: read with all that is needed to put them back, written so that no reader sees half of one. */

import type { FileSeen } from "../gateway/survey.ts";
import type { FileBefore } from "../gateway/journal.ts";
import { CrxnError, Exit, type ExitCode, isNoPath, systemWords } from "../gateway/errors.ts";
import { WRITABLE } from "../gateway/permissions.ts";
import { fromBase64, toBase64 } from "./base64.ts";
import { at } from "./place.ts";

/**
 * @returns null when there is no such file; without `content` when it may not be read, or is no file (of a pipe reading would
 *   not end), or when the system follows no such path
 */
export async function readSeen(path: string): Promise<FileSeen | null> {
  try {
    const info = await Deno.stat(at(path));
    const content = info.isFile
      ? await Deno.readTextFile(at(path)).catch((error) => {
        if (isDenied(error)) return undefined;
        throw error;
      })
      : undefined;
    return {
      ...(content === undefined ? {} : { content }),
      mode: (info.mode ?? 0) & 0o7777,
      uid: info.uid ?? 0,
      gid: info.gid ?? 0,
      modified: info.mtime?.getTime() ?? 0,
    };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
    if (isDenied(error) || isNoPath(error)) return { mode: 0, uid: 0, gid: 0, modified: 0 };
    throw error;
  }
}

const isDenied = (error: unknown) =>
  error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable;

/** Why a file can never be written by this name, in the system's words; undefined when it is nothing about the name. */
export async function nameFault(path: string): Promise<string | undefined> {
  for (const name of [path, beginningsOf(path)]) {
    const error = await Deno.stat(at(name)).then(() => undefined, (error) => error);
    if (isNoPath(error)) return systemWords(error)!.words;
  }
  return undefined;
}

/** A small file, without waiting; undefined when it cannot be read. */
export function readNow(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(at(path));
  } catch {
    return undefined;
  }
}

/** The file's bytes and owner, for the journal; of a symbolic link also where it leads. */
export async function readBefore(path: string): Promise<FileBefore | null> {
  try {
    const link = await Deno.readLink(at(path)).catch(() => undefined);
    // A masked unit is a link to /dev/null; another that leads nowhere (yet) is kept as well.
    const leads = await Deno.stat(at(path)).catch((error) => {
      if (link !== undefined && (error instanceof Deno.errors.NotFound || isNoPath(error))) return undefined;
      throw error;
    });
    if (link !== undefined && !leads?.isFile) return { base64: "", mode: 0o644, uid: 0, gid: 0, link };
    const [bytes, info] = [await Deno.readFile(at(path)), leads!];
    return {
      ...(link === undefined ? {} : { link }),
      base64: toBase64(bytes),
      mode: (info.mode ?? 0o644) & 0o7777,
      uid: info.uid ?? 0,
      gid: info.gid ?? 0,
      ...(info.mtime ? { modified: info.mtime.getTime() } : {}),
    };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** A copy, with owner and mode. The same copy once more is none; where the name is taken by another it gets a number. */
export async function keepBeside(path: string, as: string): Promise<void> {
  const before = await readBefore(path);
  if (!before) return;
  for (let n = 1, name = as;; name = `${as}-${++n}`) {
    const taken = await readBefore(name);
    if (taken?.base64 === before.base64) return;
    if (!taken) return await writeAtomically(name, fromBase64(before.base64), before);
  }
}

/** Folders on the way to `path` that do not exist, outermost first. */
export async function missingFolders(path: string): Promise<string[]> {
  const folders: string[] = [];
  for (let dir = parent(path); dir !== "/"; dir = parent(dir)) {
    const there = await Deno.stat(at(dir)).then(() => true, () => false);
    if (there) break;
    folders.unshift(dir);
  }
  return folders;
}

/**
 * Writes a new file beside `path` and renames it into place. It has its mode and owner before it has its content, so
 * a secret is never readable by others, and it is on the disk before it has its name.
 */
export async function writeAtomically(
  path: string,
  data: Uint8Array | string,
  options: { mode: number; uid?: number; gid?: number },
): Promise<void> {
  await explaining(path, () => writeAndRename(path, data, options));
}

/** What the system refuses is no bug. @throws CrxnError 1 with the path and the system's own words */
export async function explaining<T>(path: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw notWritable(Exit.failed, path);
    const said = systemWords(error);
    if (!said) throw error;
    // ENOSPC and EDQUOT, EROFS: errno(3).
    const remedy = [28, 122].includes(said.number)
      ? "Free some space on that disk (`df -h`), then try again."
      : said.number === 30
      ? "Its file system is mounted read-only: see `findmnt` and the kernel's log, `journalctl -k`."
      : undefined;
    throw new CrxnError(Exit.failed, `${path} cannot be written: ${said.words}.`, remedy);
  }
}

/** Where the compiled crxn may not write at all. */
export const notWritable = (exit: ExitCode, path: string): CrxnError =>
  new CrxnError(
    exit,
    `${path} cannot be written: crxn is built to write in some folders only.`,
    `Name a file below ${Object.keys(WRITABLE).join(", ")}; nothing of crxn's belongs elsewhere.`,
  );

async function writeAndRename(
  path: string,
  data: Uint8Array | string,
  options: { mode: number; uid?: number; gid?: number },
): Promise<void> {
  await Deno.mkdir(at(parent(path)), { recursive: true, mode: 0o755 });
  const temporary = at(beginningsOf(path));
  await removeIfThere(temporary);
  const file = await Deno.open(temporary, { write: true, createNew: true, mode: 0o600 });
  try {
    await Deno.chown(temporary, options.uid ?? 0, options.gid ?? 0);
    await Deno.chmod(temporary, options.mode);
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
    await file.sync();
  } catch (error) {
    await removeIfThere(temporary);
    throw error;
  } finally {
    file.close();
  }
  await Deno.rename(temporary, at(path));
  await syncFolder(parent(path));
}

/** What a file is called until it is whole: a kill may leave it. */
const beginningsOf = (path: string) => `${path}.crxn-new`;

/** A rename is on the disk only when its folder is. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await Deno.open(at(path), { read: true });
  try {
    await folder.sync();
  } catch {
    // Some file systems cannot sync a folder; they order renames by themselves.
  } finally {
    folder.close();
  }
}

/** @param modified milliseconds since the epoch */
export const setAge = (path: string, modified: number): Promise<void> =>
  Deno.utime(at(path), modified / 1000, modified / 1000);

/** Removes a file, and what a killed {@linkcode writeAtomically} left of it. */
export async function remove(path: string): Promise<void> {
  await removeIfThere(at(beginningsOf(path)));
  await removeIfThere(at(path));
}

async function removeIfThere(path: string, options: Deno.RemoveOptions = {}): Promise<void> {
  await Deno.remove(path, options).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

/** Removes a folder with all that is in it. */
export const removeTree = (path: string): Promise<void> => removeIfThere(at(path), { recursive: true });

/** Removes a folder if it is empty; whoever else uses it keeps it. */
export async function removeIfEmpty(path: string): Promise<void> {
  const entries = await Array.fromAsync(Deno.readDir(at(path))).catch(() => undefined);
  if (entries?.length !== 0) return;
  await removeIfThere(at(path)).catch((error) => {
    // A mount point (EBUSY), or filled meanwhile: somebody's.
    if (!/\(os error /.test(String(error))) throw error;
  });
}

/**
 * A folder back into its place, from where a link in that place leads, root's with all in it. A kill may have come between the
 * link's end and the folder's coming: the link alone tells nothing. What is there and is no link stays.
 */
export async function moveBack(from: string, to: string): Promise<void> {
  const there = await Deno.lstat(at(to)).catch(() => undefined);
  const moved = await Deno.lstat(at(from)).catch(() => undefined);
  if (!moved?.isDirectory || (there && !there.isSymlink)) return;
  await explaining(to, async () => {
    if (there) await Deno.remove(at(to));
    await Deno.rename(at(from), at(to));
    await chownTree(at(to));
  });
}

async function chownTree(path: string): Promise<void> {
  await Deno.chown(path, 0, 0);
  for await (const { name, isDirectory, isFile } of Deno.readDir(path)) {
    if (isDirectory) await chownTree(`${path}/${name}`);
    // Of a link Deno would change what it leads to.
    else if (isFile) await Deno.chown(`${path}/${name}`, 0, 0);
  }
}

/** As seen from the folder in which crxn was called. */
export const absolute = (path: string): string => path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;

export const parent = (path: string): string => path.slice(0, path.lastIndexOf("/")) || "/";

/** Id of a group by its name. @throws Error when there is none. */
export async function groupId(name: string): Promise<number> {
  const line = (await Deno.readTextFile(at("/etc/group"))).split("\n").find((l) => l.startsWith(`${name}:`));
  const id = Number(line?.split(":")[2]);
  if (!line || !Number.isInteger(id)) throw new Error(`There is no group "${name}"`);
  return id;
}
