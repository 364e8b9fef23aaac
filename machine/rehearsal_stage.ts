/** The stage of a rehearsal: its namespaces, its folder and its daemons, and that all of it goes again. */

import type { Service } from "../gateway/rehearsal_items.ts";
import type { Place } from "../gateway/rehearsal.ts";
import { CrxnError, Exit } from "../gateway/errors.ts";
import { addNamespace, listNamespaces, namespaceRunner, removeNamespace } from "./namespace.ts";
import { Daemon } from "./rehearsal_daemon.ts";
import type { Runner } from "./run.ts";

const PREFIX = "crxn-rehearse-";
const FOLDERS = "/run";

/** As in its unit, milliseconds. */
const RESTART_AFTER = 200;
/** A unit tries for ever; a rehearsal wants to say that something is wrong. */
const RESTARTS = 2;

export class Stage {
  readonly daemons: Daemon[] = [];
  private readonly folder = `${FOLDERS}/${PREFIX}${Deno.pid}`;
  private lock: Deno.FsFile | undefined;

  /** @param signal aborted when the user wants to stop: whatever waits ends */
  constructor(private readonly runner: Runner, readonly places: Place[], readonly signal: AbortSignal) {}

  namespaceOf = (place: Place): string => `${PREFIX}${Deno.pid}-${place}`;
  runnerIn = (place: Place): Runner => namespaceRunner(this.namespaceOf(place));
  /** Configs, sockets and data of one machine's daemons; gone with the stage. */
  folderOf = (place: Place): string => `${this.folder}/${place}`;

  /** @throws CrxnError 69 when this machine allows no namespaces */
  async open(): Promise<void> {
    this.lock = await lockedFolder(this.folder);
    for (const place of this.places) {
      this.signal.throwIfAborted();
      await Deno.mkdir(this.folderOf(place));
      await addNamespace(this.runner, this.namespaceOf(place)).catch((error) => {
        throw new CrxnError(
          Exit.unavailable,
          "This machine does not let crxn make a network namespace.",
          "In a container, the host has to grant CAP_SYS_ADMIN and CAP_NET_ADMIN; a virtual machine always works.",
          error instanceof CrxnError ? error.detail : { text: String(error) },
        );
      });
    }
  }

  start(place: Place, { name, argv, before = [] }: Service): void {
    this.signal.throwIfAborted();
    const clear = async () => {
      for (const words of before) await this.runnerIn(place).run(words);
    };
    this.daemons.push(new Daemon(`${name} (${place})`, this.namespaceOf(place), argv, clear));
  }

  /**
   * Starts what has ended once more, as its unit would: a daemon that crashes once in a hundred starts is no fault of the config.
   * @throws CrxnError 1 when it did not help
   */
  private async revive(): Promise<void> {
    for (const daemon of this.daemons.filter((d) => d.ended)) {
      const { name, ended, deaths } = daemon;
      if (deaths.length === RESTARTS) {
        throw new CrxnError(Exit.failed, `${name} ${ended}. It was started ${RESTARTS + 1} times.`);
      }
      await new Promise((resolve) => setTimeout(resolve, RESTART_AFTER));
      this.signal.throwIfAborted();
      await daemon.again();
    }
  }

  /**
   * Asks again and again, every 40 ms, until there is an answer.
   * @throws CrxnError 1 when time is up, or when one of the daemons ends time and again
   */
  async until<T>(what: string, seconds: number, probe: () => Promise<T | undefined>): Promise<T> {
    const deadline = Date.now() + seconds * 1000;
    while (true) {
      this.signal.throwIfAborted();
      const answer = await probe();
      if (answer !== undefined) return answer;
      await this.revive();
      if (Date.now() > deadline) throw new CrxnError(Exit.failed, `${what} within ${seconds} seconds.`);
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
  }

  /** Ends everything inside, so that whatever waits for an answer goes on. Never throws. */
  async clear(): Promise<void> {
    await removeAll(this.runner, Deno.pid).catch(() => {});
  }

  /** Takes everything down. Never throws. @returns what could not be removed */
  async close(): Promise<string[]> {
    const left = await removeAll(this.runner, Deno.pid).catch((error) => [String(error)]);
    await Promise.all(this.daemons.map((d) => d.stop()));
    this.lock?.close();
    await Deno.remove(this.folder, { recursive: true }).catch(() => {});
    return left;
  }
}

/** A folder that is locked from the moment it has its name, so that nobody takes it for a leftover. */
async function lockedFolder(folder: string): Promise<Deno.FsFile> {
  await Deno.mkdir(unnamed(folder), { mode: 0o700 });
  const file = await Deno.open(`${unnamed(folder)}/lock`, { write: true, createNew: true });
  await file.lock(true);
  await Deno.rename(unnamed(folder), folder);
  return file;
}

const unnamed = (folder: string) => folder.replace(PREFIX, `.${PREFIX}`);

/** Its folder has no name yet, and the process that makes it lives. */
async function isStarting(pid: string): Promise<boolean> {
  const there = (path: string) => Deno.stat(path).then(() => true, () => false);
  // This process has not started anything yet: what carries its number is of an earlier one.
  return pid !== String(Deno.pid) && await there(unnamed(`${FOLDERS}/${PREFIX}${pid}`)) && await there(`/proc/${pid}`);
}

/** Removes what killed rehearsals left behind. @returns how many there were */
export async function sweepLeftovers(runner: Runner): Promise<number> {
  const names = await listNamespaces(runner);
  const folders = (await Array.fromAsync(Deno.readDir(FOLDERS))).map((e) => e.name);
  const pids = new Set([...names, ...folders].flatMap((n) => new RegExp(`^\\.?${PREFIX}(\\d+)`).exec(n)?.[1] ?? []));
  let swept = 0;
  for (const pid of pids) {
    const folder = `${FOLDERS}/${PREFIX}${pid}`;
    if (await isHeld(`${folder}/lock`) || await isStarting(pid)) continue;
    await removeAll(runner, Number(pid));
    for (const path of [folder, unnamed(folder)]) await Deno.remove(path, { recursive: true }).catch(() => {});
    swept++;
  }
  return swept;
}

/** The kernel frees a lock when its holder dies, however it dies, and a process id may come again (flock(2)). */
async function isHeld(path: string): Promise<boolean> {
  try {
    using file = await Deno.open(path, { write: true });
    return !(await file.tryLock(true));
  } catch {
    return false;
  }
}

async function removeAll(runner: Runner, pid: number): Promise<string[]> {
  const names = (await listNamespaces(runner)).filter((n) => n.startsWith(`${PREFIX}${pid}-`));
  const gone = await Promise.all(names.map((n) => removeNamespace(runner, n)));
  return names.filter((_, i) => !gone[i]);
}
