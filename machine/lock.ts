/** One crxn at a time: a lock of the kernel's (flock(2)) that goes with its holder, however that ends. */

import { Program } from "../gateway/action.ts";
import { CrxnError, Exit } from "../gateway/errors.ts";
import { Path } from "../gateway/names.ts";
import { explaining, readNow } from "./files.ts";
import { at } from "./place.ts";
import { readProc } from "./proc.ts";
import type { Runner } from "./run.ts";

export interface LockOptions {
  /** How long to wait for another crxn, in seconds; default 0. */
  waitSeconds?: number;
  /** Called once, when there is somebody to wait for. */
  onWait?: (holder: string) => void;
}

/** The lock, held. */
export interface Turn extends Disposable {
  /** As {@linkcode lastTurn} had it until this one began. */
  last: string | undefined;
}

/**
 * When the last crxn that had the lock was done with its work: two looks that give the same had nobody at work in between.
 * Undefined while one is at work, where one was killed, and before the first since the boot.
 */
export function lastTurn(): string | undefined {
  try {
    return turnOf(Deno.statSync(at(Path.lock)));
  } catch {
    return undefined;
  }
}

/** Who is done leaves the file empty. */
const turnOf = ({ size, mtime }: Deno.FileInfo) => size === 0 ? mtime?.toISOString() : undefined;

/** Milliseconds between two tries. */
const INTERVAL = 200;

/**
 * Takes the lock for as long as the returned object lives.
 * @param command what the holder is doing, for whoever finds the lock taken
 * @throws CrxnError 75 when another crxn has it, and still has when the time is over
 */
export async function lock(
  runner: Runner,
  command: string,
  { waitSeconds = 0, onWait }: LockOptions = {},
): Promise<Turn> {
  const file = await explaining(
    Path.lock,
    () => Deno.open(at(Path.lock), { read: true, write: true, create: true, mode: 0o600 }),
  );
  const until = performance.now() + waitSeconds * 1000;
  for (let first = true; !(await file.tryLock(true)); first = false) {
    const over = performance.now() >= until;
    // Asking takes two programs: not at every try.
    const holder = first || over ? await holderOf(runner, file.statSync()) : "";
    if (over) {
      file.close();
      throw new CrxnError(
        Exit.busy,
        `Another crxn is at work${waitSeconds > 0 ? ` still, after ${waitSeconds} s` : ""}: ${holder}.`,
        waitSeconds > 0
          ? "Try again when it is done."
          : "Try again when it is done, or let this one wait for it: --wait.",
        { json: { holder } },
      );
    }
    if (first) onWait?.(holder);
    await new Promise((resolve) => setTimeout(resolve, INTERVAL));
  }
  const last = turnOf(file.statSync());
  await noteHolder(file, command);
  return {
    last,
    [Symbol.dispose]() {
      try {
        file.truncateSync(0);
      } catch {
        // The lock counts, not what is noted.
      }
      // Not by closing alone: a program that is being started holds the file too, until its execve(2).
      file.unlockSync();
      file.close();
    },
  };
}

/** For whoever finds the lock taken. Where /run is full it is held all the same, and the kernel knows by whom. */
async function noteHolder(file: Deno.FsFile, command: string): Promise<void> {
  const now = new Date().toISOString().slice(0, 19);
  try {
    await file.truncate(0);
    await file.write(new TextEncoder().encode(`crxn ${command}, process ${Deno.pid}, since ${now} UTC\n`));
  } catch {
    // One byte that takes no space: an empty file would say that nobody is at work.
    await file.truncate(1).catch(() => {});
  }
}

const LOCKS = "/proc/locks";

/** Who has the lock: by the kernel's word, and by the file's only where both are of the same process. */
async function holderOf(runner: Runner, { dev, ino }: Deno.FileInfo): Promise<string> {
  const said = (readNow(Path.lock) ?? "").replaceAll("\0", "").trim();
  const pid = lockers((await readProc(runner, [LOCKS]))[LOCKS] ?? "", dev, ino ?? 0)[0];
  // One in another PID namespace has no number here.
  if (pid === undefined) return said || "it does not say who it is";
  if (new RegExp(`\\bprocess ${pid}\\b`).test(said)) return said;
  const argv = (await runner.run([Program.ps, "-o", "args=", "-p", String(pid)])).stdout.trim();
  return `process ${pid}${argv === "" ? "" : ` (${argv})`}`;
}

/**
 * proc_locks(5), `1: FLOCK  ADVISORY  WRITE 1234 00:1a:5678 0 EOF`: processes with a flock(2) on that file.
 * @param dev as stat(2) gives it
 */
export function lockers(text: string, dev: number, ino: number): number[] {
  const [major, minor] = [(dev >>> 8) & 0xfff, (dev & 0xff) | ((dev >>> 12) & 0xfff00)];
  return text.split("\n").flatMap((line) => {
    const found = /^\d+: FLOCK\s+\S+\s+\S+\s+(\d+) ([0-9a-f]+):([0-9a-f]+):(\d+) /.exec(line);
    if (!found) return [];
    const [, pid, high, low, node] = found as unknown as [string, string, string, string, string];
    const same = parseInt(high, 16) === major && parseInt(low, 16) === minor && Number(node) === ino;
    return same && pid !== "0" ? [Number(pid)] : [];
  });
}
