/** A file that a user names for a result: new, and its owner's alone. */

import { CrxnError, Exit } from "../gateway/errors.ts";
import { notWritable } from "./files.ts";

/** Mode 0600. @throws CrxnError 64 for one that is there already, or cannot be made */
export async function newFile(path: string): Promise<Deno.FsFile> {
  try {
    // O_EXCL: never through a symbolic link that somebody has put there.
    return await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) {
      throw new CrxnError(Exit.usage, `${path} exists already.`, "Name a file that does not exist yet.");
    }
    if (error instanceof Deno.errors.NotCapable) throw notWritable(Exit.usage, path);
    throw new CrxnError(Exit.usage, `${path} cannot be made: ${error instanceof Error ? error.message : error}`);
  }
}

/**
 * Such a file with a text that takes its time: it is there before, so that its place is known to be good, and gone again when
 * there is no text, so that its name is free for another try.
 */
export async function fillNew(path: string, text: () => Promise<string>): Promise<void> {
  using file = await newFile(path);
  try {
    const bytes = new TextEncoder().encode(await text());
    for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
  } catch (error) {
    await Deno.remove(path).catch(() => {});
    throw error;
  }
}
