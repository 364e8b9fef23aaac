import { run, until } from "./process.ts";

// Two systemd-nspawn started from one cgroup with --keep-unit both use its child "payload", and the second takes the
// first one down. So each machine gets a cgroup of its own; and as nothing leaves a cgroup by itself, killing the
// cgroup of a run is killing everything that the run started.

/** Where the cgroup2 hierarchy is mounted: /sys/fs/cgroup, or below it beside version 1. Undefined without one. */
export function cgroupRoot(): string | undefined {
  for (const line of Deno.readTextFileSync("/proc/mounts").split("\n")) {
    const [, at, type, options] = line.split(" ");
    if (type === "cgroup2" && options?.split(",").includes("rw")) return at;
  }
}

/** The cgroup directory of a run, or of one part of it (a machine, or the rig's helpers). */
export function cgroupOf(run: string, part?: string): string {
  const root = cgroupRoot();
  if (root === undefined) throw new Error("No cgroup2 file system is mounted");
  return [root, `crxn-${run}`, ...(part === undefined ? [] : [part])].join("/");
}

/** `argv` so that it starts inside cgroup `directory`, which is made if need be. Its pid is that of the shell. */
export function inCgroup(directory: string, argv: readonly string[]): string[] {
  return ["sh", "-c", 'mkdir -p "$0" && echo $$ > "$0/cgroup.procs" && exec "$@"', directory, ...argv];
}

/** Kills everything in the cgroup and below it, and removes it. Fine when there is none. */
export async function removeCgroup(directory: string): Promise<void> {
  if (!(await isDirectory(directory))) return;
  try {
    await Deno.writeTextFile(`${directory}/cgroup.kill`, "1");
  } catch {
    // Kernels before 5.14 have no cgroup.kill; the loop below does it by pid.
  }
  await until(`${directory} to be empty`, 15, async () => {
    const pids = await processes(directory);
    if (pids.length === 0) return true;
    await run(["kill", "-KILL", ...pids]);
  });
  // Every directory but the deepest is refused until its children are gone.
  await until(`${directory} to be removed`, 5, async () => {
    await run(["find", directory, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"]);
    return (await isDirectory(directory)) ? undefined : true;
  });
}

async function processes(directory: string): Promise<string[]> {
  const { stdout } = await run(["find", directory, "-name", "cgroup.procs", "-exec", "cat", "{}", "+"]);
  // 0 is a process of a pid namespace we cannot see.
  return stdout.split("\n").filter((pid) => pid !== "" && pid !== "0");
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch {
    return false;
  }
}
