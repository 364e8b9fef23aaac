/**
 * Space on the disk that is kept free for taking back: of a change that fills the disk, the former files and the notes must
 * still find room.
 */

import { Path } from "../gateway/names.ts";
import { remove, writeAtomically } from "./files.ts";

/** Bytes, beside those of the files themselves. */
const SPACE = 128 * 1024;

/**
 * @param bytes of former files
 * @throws CrxnError 1 when there is no room for it: then nothing has been changed yet
 */
export async function holdReserve(bytes: number): Promise<void> {
  const data = new Uint8Array(SPACE + bytes);
  // What can be compressed would hold less than it says. 64 KiB is the most at a time.
  for (let done = 0; done < data.length; done += 65536) crypto.getRandomValues(data.subarray(done, done + 65536));
  await writeAtomically(Path.reserve, data, { mode: 0o600 });
}

export const freeReserve = (): Promise<void> => remove(Path.reserve);
