/** Where the config of `crxn init` goes, and its writing. */

import { CrxnError, Exit, systemWords } from "../gateway/errors.ts";
import {
  absolute,
  explaining,
  keepBeside,
  missingFolders,
  nameFault,
  notWritable,
  readSeen,
  writeAtomically,
} from "./files.ts";
import { at } from "./place.ts";
import { changeableOn } from "./trust.ts";
import { wayTo } from "./way.ts";

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
  const given = absolute(file);
  const unfit = (why: string, remedy: string) => new CrxnError(Exit.usage, `${file} ${why}`, remedy);
  const noFolder = () => unfit("cannot be a config: a part of its path is no folder.", "Name another file.");
  const noName = (words: string) => unfit(`cannot be a config: ${words}.`, "Name another file with --config.");
  const way = await wayTo(given).catch((error) => {
    if (error instanceof Deno.errors.NotCapable) throw notWritable(Exit.usage, file);
    const said = systemWords(error);
    throw said ? noName(said.words) : error;
  });
  const end = way.trail.at(-1)!;
  // Where it leads, or where a link that leads nowhere yet wants it.
  const path = [end.path, ...way.beyond].join("/");
  if (/^\/(proc|dev|sys)\//.test(path)) throw notWritable(Exit.usage, file);
  if (way.trail.slice(0, -1).some(({ type }) => type !== "folder")) throw noFolder();
  if (end.type === "folder" || /(^|\/)\.{0,2}$/.test(given)) {
    throw unfit("is a folder, not a config.", "Name the file itself with --config.");
  }
  if (end.type === "other") throw unfit("is no ordinary file, not a config.", "Name the file itself with --config.");
  const fault = await nameFault(path);
  if (fault) throw noName(fault);
  // By the name that crxn is going to read it by: a link on the way is somebody's as well.
  const changeable = changeableOn(way);
  if (changeable) {
    throw new CrxnError(
      Exit.config,
      `${file} is no place for a config: ${changeable}, and as root crxn would not read one from there.`,
      "Name a file in a folder of root's with --config, or leave it out.",
    );
  }
  const seen = await readSeen(path);
  return { path, ...(seen ? { before: { content: seen.content ?? "", mode: seen.mode } } : {}) };
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
