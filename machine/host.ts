/** Reads the machine around the gateway: sysctl files, processes, disks, logs, and who else has a say. Changes nothing. */

import type { Config } from "../gateway/config/types.ts";
import { daemonPath } from "../gateway/daemon.ts";
import type { HostSeen, Neighbour, ProcessSeen, RivalConfig } from "../gateway/host.ts";
import { Path } from "../gateway/names.ts";
import { readTaygaConfig } from "../gateway/tayga_config.ts";
import { HOST, kindOfConfig, MANAGERS, PROC, unitsLogged } from "./always.ts";
import { readDisks } from "./disks.ts";
import { objects } from "./ip.ts";
import { readLogs } from "./logs.ts";
import { readManagers } from "./managers.ts";
import { at } from "./place.ts";
import { readProc } from "./proc.ts";
import { must, type Runner } from "./run.ts";
import { readSysctlConf, readSysctlLines } from "./sysctl_files.ts";
import { readUnits } from "./systemd.ts";
import { readPools, rivalFiles } from "./tayga.ts";
import { workersOf } from "../gateway/workers.ts";

/** Every question at once; one that gets no answer is left out. */
export async function readHost(runner: Runner, config: Config): Promise<HostSeen> {
  const now = Date.now();
  const answer = <T>(question: Promise<T>): Promise<T | undefined> => question.catch(() => undefined);
  const instances = workersOf(config).map((w) => w.instance);
  // journalctl takes longest to answer.
  const logRead = answer(readLogs(runner, unitsLogged(kindOfConfig(config, instances))));
  const proc = readProc(runner, Object.values(PROC)).catch((): Record<string, string> => ({}));
  const daemon = config.overlay.type === "yggdrasil" ? daemonPath(config.overlay.daemon) : undefined;
  const [sysctlLines, sysctlConf, tracking, processes, neighbours, disks, pool, others, translators, log, latest] =
    await Promise.all([
      answer(readSysctlLines(runner)),
      answer(readSysctlConf()),
      answer(readTracking(proc)),
      answer(readProcesses(runner, daemon)),
      answer(readNeighbours(runner)),
      answer(readDisks(runner, proc)),
      instances.length > 0 ? answer(readPools(instances.map(Path.pool), now)) : undefined,
      answer(readOthers(runner, instances)),
      answer(readTranslators()),
      logRead,
      answer(readLatest()),
    ]);
  return {
    now,
    ...(latest ? { latest } : {}),
    ...(sysctlLines ? { sysctlLines } : {}),
    ...(sysctlConf ? { sysctlConf } : {}),
    ...(tracking ? { tracking } : {}),
    ...(processes ? { processes } : {}),
    ...(neighbours ? { neighbours } : {}),
    ...(disks ? { disks } : {}),
    ...(pool ? { pool } : {}),
    ...(others ?? {}),
    ...(translators ? { translators } : {}),
    ...(log ? { log } : {}),
  };
}

/** Other configs of tayga with the states of their units, which are few if any, and the managers of devices. */
async function readOthers(
  runner: Runner,
  instances: string[],
): Promise<Pick<HostSeen, "rivals" | "managers">> {
  const [managing, files] = await Promise.all([
    readUnits(runner, Object.values(MANAGERS)),
    instances.length > 0 ? rivalFiles(instances.map(Path.taygaConfig)) : [],
  ]);
  const units = { ...managing, ...await readUnits(runner, files.map((f) => f.unit)) };
  const rivals = files.map(({ file, unit, text }): RivalConfig => ({
    file,
    unit,
    active: units[unit]?.active === "active",
    enabled: units[unit]?.enabled === "enabled",
    ...saidBy(text),
  }));
  const runs = (unit: string) => units[unit]?.active === "active";
  const managers = await readManagers(runner, {
    networkd: runs(MANAGERS.networkd),
    networkManager: runs(MANAGERS.networkManager),
  });
  return { rivals, managers };
}

function saidBy(text: string): Pick<RivalConfig, "device" | "prefix" | "pool"> {
  const { device, prefix, pool } = readTaygaConfig(text);
  return { ...(device ? { device } : {}), ...(prefix ? { prefix } : {}), ...(pool ? { pool } : {}) };
}

const NAMES = /(^|\/)(tayga|clatd|yggdrasil[\w.-]*|dhcpcd)$/;

/** `ps -eo pid=,stat=,args=`: only what the gateway is about is kept, for arguments may hold secrets. */
export function parseProcesses(output: string, daemon: string | undefined): ProcessSeen[] {
  return output.split("\n").flatMap((line): ProcessSeen[] => {
    const [, pid, state, args] = /^\s*(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    const words = args?.split(" ") ?? [];
    // A script is named behind its interpreter.
    const mine = words.slice(0, 2).some((w, i) => NAMES.test(w) && (i === 0 || /perl|sh$/.test(words[0]!)));
    return mine || (daemon !== undefined && words[0] === daemon)
      ? [{ pid: Number(pid), state: state!, args: words }]
      : [];
  });
}

async function readProcesses(runner: Runner, daemon: string | undefined): Promise<ProcessSeen[]> {
  const { stdout } = await must(runner, HOST.processes);
  return await ofThisMachine(parseProcesses(stdout, daemon));
}

/** Without those of containers, which ps shows as well: theirs is another network (network_namespaces(7)). */
export async function ofThisMachine(processes: ProcessSeen[]): Promise<ProcessSeen[]> {
  const network = (pid: number | "self") => Deno.readLink(at(`/proc/${pid}/ns/net`)).catch(() => undefined);
  const own = await network("self");
  const others = await Promise.all(processes.map(({ pid }) => network(pid)));
  // Whose cannot be read stays: without root that is everybody else's.
  return processes.filter((_, i) => own === undefined || others[i] === undefined || others[i] === own);
}

/** `ip -j -6 neigh show`. */
export function parseNeighbours(output: string): Neighbour[] {
  return objects(output).flatMap((o) => {
    const [address, device, states] = [o["dst"], o["dev"], o["state"]];
    if (typeof address !== "string" || typeof device !== "string") return [];
    return [{ address, device, states: Array.isArray(states) ? states.map(String) : [] }];
  });
}

/** IPv6 hosts that the kernel knows of. */
export const readNeighbours = async (runner: Runner): Promise<Neighbour[]> =>
  parseNeighbours((await must(runner, HOST.neighbours)).stdout);

/** /proc/net/stat/nf_conntrack: a line of hexadecimal numbers for each processor below their names. Not on every kernel. */
export function parseTracking(text: string): { dropped: number; evicted: number } {
  const [head, ...rows] = text.trim().split("\n").map((line) => line.trim().split(/\s+/));
  const sum = (name: string) => {
    const at = head?.indexOf(name) ?? -1;
    return at < 0 ? 0 : rows.reduce((all, row) => all + (parseInt(row[at] ?? "0", 16) || 0), 0);
  };
  return { dropped: sum("drop"), evicted: sum("early_drop") };
}

async function readTracking(proc: Promise<Record<string, string>>): Promise<HostSeen["tracking"]> {
  const text = await proc;
  const [entries, limit] = [text[PROC.connections], text[PROC.most]];
  if (entries === undefined || limit === undefined) throw new Error("the kernel does not track connections");
  return { entries: Number(entries), limit: Number(limit), ...parseTracking(text[PROC.tracking] ?? "") };
}

/** Modules that translate in the kernel, loaded or built in. */
const TRANSLATORS = ["jool", "jool_siit", "nat46"];

/** sysfs(5), /sys/module. */
export async function readTranslators(): Promise<string[]> {
  const there = await Promise.all(
    TRANSLATORS.map((name) => Deno.stat(at(`/sys/module/${name}`)).then(() => true, () => false)),
  );
  return TRANSLATORS.filter((_, i) => there[i]);
}

/** What has been written last on this disk: packages, the clock's own file (systemd-timesyncd), the crxn journal. */
async function readLatest(): Promise<HostSeen["latest"]> {
  const paths = ["/var/lib/dpkg/status", "/var/lib/systemd/timesync/clock", Path.journal, "/etc/passwd", "/usr/bin"];
  const times = await Promise.all(paths.map(async (what) => {
    const info = await Deno.stat(at(what)).catch(() => undefined);
    return { at: info?.mtime?.getTime() ?? 0, what };
  }));
  return times.sort((a, b) => b.at - a.at)[0];
}
