/** Where the config of `crxn init` goes. */

import { CrxnError, Exit } from "../gateway/errors.ts";
import {
  explaining,
  keepBeside,
  missingFolders,
  notWritable,
  parent,
  readSeen,
  writeAtomically,
} from "../machine/files.ts";
import { at } from "../machine/place.ts";
import { changeableByOthers } from "../machine/trust.ts";

export interface Target {
  /** Absolute, and no symbolic link: what a link names is written. */
  path: string;
  /** What is there. */
  before?: { content: string; mode: number };
}

/**
 * Looks where a config would go, and changes nothing.
 * @throws CrxnError 78 for a place from which crxn would not read a config, 64 for one that can hold none
 */
export async function targetOf(file: string): Promise<Target> {
  const given = file.startsWith("/") ? file : `${Deno.cwd()}/${file}`;
  const path = await Deno.realPath(at(given)).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return given;
    if (error instanceof Deno.errors.NotCapable) throw notWritable(Exit.usage, file);
    if (error instanceof Deno.errors.NotADirectory || /\(os error /.test(String(error))) {
      throw new CrxnError(
        Exit.usage,
        `${file} cannot be a config: a part of its path is no folder.`,
        "Name another file.",
      );
    }
    throw error;
  });
  if (/^\/(proc|dev|sys)\//.test(path)) throw notWritable(Exit.usage, file);
  const info = await Deno.stat(path).catch(() => undefined);
  if (info && !info.isFile) {
    const what = info.isDirectory ? "a folder" : "no ordinary file";
    throw new CrxnError(Exit.usage, `${file} is ${what}, not a config.`, "Name the file itself with --config.");
  }
  if (/\/$/.test(path)) throw new CrxnError(Exit.usage, `${file} is a folder, not a config.`, "Name the file itself.");
  const seen = await readSeen(path);
  const changeable = await changeableByOthers(seen ? path : await nearest(path));
  if (changeable) {
    throw new CrxnError(
      Exit.config,
      `${file} is no place for a config: ${changeable}, and as root crxn would not read one from there.`,
      "Name a file in a folder of root's with --config, or leave it out.",
    );
  }
  return { path, ...(seen ? { before: { content: seen.content ?? "", mode: seen.mode } } : {}) };
}

/** The folder that is there already. */
async function nearest(path: string): Promise<string> {
  const [outermost] = await missingFolders(path);
  return parent(outermost ?? path);
}

/** Owner only where there are secrets in it; never more open than what was there. */
export const modeOf = (secret: boolean, { before }: Pick<Target, "before">): number =>
  (secret ? 0o600 : 0o644) & (before ? before.mode | 0o600 : 0o644);

/**
 * Writes the config, whole or not at all. What was there is kept beside it, as `NAME~` or, where that is taken, `NAME.~1~` and so on.
 * @returns the path of what was there
 * @throws CrxnError 1 when the place changed since {@linkcode targetOf}
 */
export async function place(target: Target, text: string, mode: number): Promise<string | undefined> {
  const { path, before } = target;
  const now = await readSeen(path);
  if ((now?.content ?? "") !== (before?.content ?? "") || (now === null) !== (before === undefined)) {
    throw new CrxnError(Exit.failed, `${path} has changed in the meantime. Nothing was written.`, "Run it again.");
  }
  const backup = before ? await freeName(path) : undefined;
  if (backup) await explaining(backup, () => keepBeside(path, backup));
  for (const folder of await missingFolders(path)) {
    await explaining(folder, async () => {
      await Deno.mkdir(at(folder));
      // Whatever the umask.
      await Deno.chmod(at(folder), 0o755);
    });
  }
  await writeAtomically(path, text, { mode });
  return backup;
}

/** As cp(1) names numbered backups. */
async function freeName(path: string): Promise<string> {
  for (let n = 0;; n++) {
    const name = n === 0 ? `${path}~` : `${path}.~${n}~`;
    if (await Deno.lstat(at(name)).catch(() => undefined) === undefined) return name;
  }
}
