/** One crxn at a time: a lock of the kernel's (flock(2)) that goes with its holder, however that ends. */

import { CrxnError, Exit } from "../gateway/errors.ts";
import { Path } from "../gateway/names.ts";
import { at } from "./place.ts";

/**
 * Takes the lock for as long as the returned object lives.
 * @param command what the holder is doing, for whoever finds the lock taken
 * @throws CrxnError 75 when another crxn has it
 */
export async function lock(command: string): Promise<Disposable> {
  const file = await Deno.open(at(Path.lock), { read: true, write: true, create: true, mode: 0o600 });
  if (!(await file.tryLock(true))) {
    const holder = (await Deno.readTextFile(at(Path.lock)).catch(() => "")).trim();
    file.close();
    throw new CrxnError(
      Exit.busy,
      `Another crxn is at work${holder ? `: ${holder}` : ""}.`,
      "Wait until it is done, then try again.",
    );
  }
  await file.truncate(0);
  await file.write(new TextEncoder().encode(`crxn ${command}, process ${Deno.pid}\n`));
  return {
    [Symbol.dispose]() {
      file.close();
    },
  };
}
