import { cgroupOf, removeCgroup } from "./cgroup.ts";
import { runDirectory, RUNS } from "./paths.ts";
import { must, run } from "./process.ts";

const NSPAWN = "/run/systemd/nspawn";

/** A process that can be told from a later one with the same pid. `started` is field 22 of /proc/PID/stat. */
export interface ProcessMark {
  pid: number;
  started: string;
}

/** Who answers for a run; kept in its directory as state.json. */
export interface RunState {
  owner: ProcessMark;
  reaper: ProcessMark;
}

/** The mark of a running process. @throws {Deno.errors.NotFound} when there is none */
export async function markOf(pid: number): Promise<ProcessMark> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  // The command name, in parentheses, may hold spaces.
  return { pid, started: stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "" };
}

/** Removes everything that belongs to a run: processes, mounts, namespaces, cgroups, files. Fine when half is gone. */
export async function removeRun(id: string): Promise<void> {
  const directory = runDirectory(id);
  await removeCgroup(cgroupOf(id));
  const namespaces = await namespacesOf(id);
  for (const namespace of namespaces) {
    const pids = (await run(["ip", "netns", "pids", namespace])).stdout.split("\n").filter((pid) => pid !== "");
    if (pids.length > 0) await run(["kill", "-KILL", ...pids]);
  }
  const mounts = await mountsBelow(directory);
  // systemd-nspawn leaves a lock file for each root directory it has run, named after device and inode.
  for (const root of mounts.filter((at) => at.endsWith("/root"))) {
    const { dev, ino } = await Deno.stat(root);
    await Deno.remove(`${NSPAWN}/locks/inode-${dev}:${ino}`).catch(() => {});
  }
  for (const at of mounts) await must(["umount", at]).catch(() => must(["umount", "-l", at]));
  for (const namespace of namespaces) await run(["ip", "netns", "del", namespace]);
  for (const left of ["propagate", "unix-export"].map((name) => `${NSPAWN}/${name}`)) {
    for (const name of await entries(left)) {
      if (!name.includes(`crxn-${id}-`)) continue;
      await run(["umount", "-l", `${left}/${name}`]);
      await Deno.remove(`${left}/${name}`, { recursive: true });
    }
  }
  await Deno.remove(directory, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

/** Removes the runs of test processes that died together with their reaper, and returns their ids. */
export async function sweep(): Promise<string[]> {
  // Two test processes that start together would remove the same things under each other's hands.
  await Deno.mkdir(RUNS, { recursive: true });
  using lock = await Deno.open(`${RUNS}.lock`, { create: true, write: true });
  await lock.lock(true);
  const removed: string[] = [];
  for (const id of await entries(RUNS)) {
    const state = await Deno.readTextFile(`${runDirectory(id)}/state.json`).then(JSON.parse, () => undefined);
    // Without a state the run is being made right now, or its process died in its first milliseconds.
    const alive = state === undefined ? await isFresh(runDirectory(id)) : await anyAlive(state);
    if (alive) continue;
    await removeRun(id);
    removed.push(id);
  }
  return removed;
}

/** What is still there of a run, one line each; empty when it is gone. */
export async function remains(id: string): Promise<string[]> {
  const { stdout } = await run(["ps", "-eo", "pid,args"]);
  return [
    ...(await namespacesOf(id)).map((name) => `namespace ${name}`),
    ...(await mountsBelow(runDirectory(id))).map((at) => `mount ${at}`),
    ...(await entries(RUNS)).filter((name) => name === id).map((name) => `directory ${runDirectory(name)}`),
    ...await Deno.stat(cgroupOf(id)).then(() => [`cgroup ${cgroupOf(id)}`], () => []),
    ...stdout.split("\n").filter((line) => line.includes(`crxn-${id}-`)).map((line) => `process ${line.trim()}`),
  ];
}

async function namespacesOf(id: string): Promise<string[]> {
  return (await entries("/run/netns")).filter((name) => name.startsWith(`crxn-${id}-`));
}

async function mountsBelow(directory: string): Promise<string[]> {
  const table = await Deno.readTextFile("/proc/self/mountinfo");
  const points = table.split("\n").map((line) => line.split(" ")[4] ?? "");
  return points.filter((point) => point.startsWith(`${directory}/`)).reverse();
}

async function anyAlive(state: RunState): Promise<boolean> {
  for (const mark of [state.owner, state.reaper]) {
    const now = await markOf(mark.pid).catch(() => undefined);
    if (now?.started === mark.started) return true;
  }
  return false;
}

async function isFresh(directory: string): Promise<boolean> {
  const made = (await Deno.stat(directory)).mtime?.getTime() ?? 0;
  return Date.now() - made < 60_000;
}

async function entries(directory: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(directory))).map((entry) => entry.name).sort();
  } catch {
    return [];
  }
}
