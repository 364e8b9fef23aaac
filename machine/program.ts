/** Programs that are no package's: looked at by their sum, fetched by URL, put into place. */

import { elfFault, isArchive, programFault } from "../gateway/elf.ts";
import { CrxnError, Exit } from "../gateway/errors.ts";
import type { Fetched } from "../gateway/journal.ts";
import type { ProgramSeen } from "../gateway/survey.ts";
import { daemonOf } from "./archive.ts";
import { download, sha256Of } from "./download.ts";
import { missingFolders, writeAtomically } from "./files.ts";
import { noteFetched } from "./journal.ts";
import { at } from "./place.ts";
import type { Runner } from "./run.ts";
import { absent } from "./way.ts";

/** A program in memory: whatever happens to the file it came from, what was verified is what is installed. */
export interface Program {
  fetched: Fetched;
  bytes: Uint8Array;
}

/** @returns null when there is nothing of that name */
export async function readProgram(path: string, recorded?: Fetched): Promise<ProgramSeen | null> {
  const info = await Deno.lstat(at(path)).catch(absent);
  if (!info) return null;
  const type = info.isFile ? "file" : info.isDirectory ? "folder" : "other";
  const bytes = info.isFile ? await Deno.readFile(at(path)).catch(() => undefined) : undefined;
  return {
    type,
    ...(bytes ? { sha256: await sha256Of(bytes) } : {}),
    mode: (info.mode ?? 0) & 0o7777,
    uid: info.uid ?? 0,
    gid: info.gid ?? 0,
    modified: info.mtime?.getTime() ?? 0,
    ...(recorded ? { recorded } : {}),
  };
}

/**
 * Downloads a program and looks at it; changes nothing that stays.
 * @throws CrxnError 69 when it cannot be fetched, has another sum, or is no program for this machine
 */
export async function fetchProgram(
  runner: Runner,
  from: { path: string; url: string; sha256: string },
): Promise<Program> {
  const { path, url, sha256 } = from;
  const received = await download(runner, from);
  const { bytes, name } = isArchive(received) ? await daemonOf(runner, received, url) : { bytes: received, name: url };
  const fault = elfFault(bytes, Deno.build.arch);
  if (fault) {
    throw new CrxnError(
      Exit.unavailable,
      `overlay.daemon: ${name} ${fault}.`,
      `Name a daemon for Linux on ${Deno.build.arch}: the binary itself or a .deb, no other archive. Nothing was changed.`,
    );
  }
  return { fetched: { path, url, sha256, program: await sha256Of(bytes) }, bytes };
}

/** Installs it; the journal knows before there is a file of that name. */
export async function placeProgram({ fetched, bytes }: Program): Promise<void> {
  await noteFetched(fetched);
  for (const folder of await missingFolders(fetched.path)) {
    await Deno.mkdir(at(folder));
    // Whatever the umask, and whatever group a folder above hands on: user yggdrasil has to get in.
    await Deno.chown(at(folder), 0, 0);
    await Deno.chmod(at(folder), 0o755);
  }
  await writeAtomically(fetched.path, bytes, { mode: 0o755 });
}

/** Why the kernel would not start the file; undefined when it would. */
export async function startFault(path: string): Promise<string | undefined> {
  using file = await Deno.open(at(path));
  const head = new Uint8Array(64);
  return programFault(head.subarray(0, await file.read(head) ?? 0), Deno.build.arch);
}
