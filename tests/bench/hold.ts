/** Holds processes of a machine to a share of one CPU, by a cgroup of the host's: a container has no cpu controller of its own. */

import type { Machine } from "../rig/mod.ts";

/** Microseconds: cgroups(7), cpu.max. */
const PERIOD = 50_000;

/** Cgroups of the controller `cpu`, version 1 or 2; undefined where there are none. */
function controller(): { root: string; version: 1 | 2 } | undefined {
  const mounts = Deno.readTextFileSync("/proc/mounts").split("\n").map((line) => line.split(" "));
  const v1 = mounts.find(([, , type, options]) => type === "cgroup" && options?.split(",").includes("cpu"));
  if (v1) return { root: v1[1]!, version: 1 };
  const v2 = mounts.find(([, , type]) => type === "cgroup2");
  const enabled = v2 && Deno.readTextFileSync(`${v2[1]}/cgroup.subtree_control`).split(/\s+/).includes("cpu");
  return enabled ? { root: v2[1]!, version: 2 } : undefined;
}

/**
 * The main process of each unit, each in a cgroup of its own.
 * @returns what takes the cgroups away again, once the units have been stopped
 */
export async function hold(gw: Machine, units: string[], percent: number): Promise<() => Promise<void>> {
  const cpu = controller();
  if (!cpu) throw new Error("this host has no cgroups with the controller cpu: translators cannot be held");
  await sweepEmpty(cpu.root);
  const folders: string[] = [];
  for (const unit of units) {
    const inside = (await gw.must(["systemctl", "show", "-P", "MainPID", unit])).trim();
    const pid = await hostPid(gw, inside);
    const folder = `${cpu.root}/crxn-bench-${pid}`;
    await Deno.mkdir(folder);
    folders.push(folder);
    const quota = percent * PERIOD / 100;
    if (cpu.version === 1) {
      await Deno.writeTextFile(`${folder}/cpu.cfs_period_us`, String(PERIOD));
      await Deno.writeTextFile(`${folder}/cpu.cfs_quota_us`, String(quota));
    } else await Deno.writeTextFile(`${folder}/cpu.max`, `${quota} ${PERIOD}`);
    await Deno.writeTextFile(`${folder}/cgroup.procs`, String(pid));
  }
  return async () => {
    for (const folder of folders) await Deno.remove(folder);
  };
}

/** What benchmarks left that died: a cgroup with processes in it stays. */
async function sweepEmpty(root: string): Promise<void> {
  for (const { name } of Deno.readDirSync(root)) {
    if (name.startsWith("crxn-bench-")) await Deno.remove(`${root}/${name}`).catch(() => {});
  }
}

/** The host's number of a process of a machine. */
async function hostPid({ leader }: Machine, inside: string): Promise<number> {
  const namespace = await Deno.readLink(`/proc/${leader}/ns/pid`);
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const numbers = /^NSpid:\s+(.*)$/m.exec(await Deno.readTextFile(`/proc/${name}/status`))?.[1]?.split(/\s+/) ?? [];
      if (
        numbers.length > 1 && numbers.at(-1) === inside && await Deno.readLink(`/proc/${name}/ns/pid`) === namespace
      ) {
        return Number(name);
      }
    } catch {
      // It has ended.
    }
  }
  throw new Error(`no process ${inside} in the machine`);
}
