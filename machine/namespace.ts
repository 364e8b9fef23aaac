/** Network namespaces, ip-netns(8): made, used and removed without a trace on the host's own network. */

import { Program } from "../gateway/action.ts";
import { must, type Runner, SystemRunner } from "./run.ts";

/** argv that runs what follows inside a namespace. */
export const inside = (name: string): string[] => [Program.ip, "netns", "exec", name];

export const namespaceRunner = (name: string): Runner => new SystemRunner(inside(name));

/** A new namespace; its loopback is up. @throws CrxnError 1 when the kernel or the user has no right to it */
export async function addNamespace(runner: Runner, name: string): Promise<void> {
  await must(runner, [Program.ip, "netns", "add", name]);
  await must(runner, [Program.ip, "-n", name, "link", "set", "dev", "lo", "up"]);
}

/** Names of all namespaces that ip(8) knows. */
export async function listNamespaces(runner: Runner): Promise<string[]> {
  const { stdout } = await must(runner, [Program.ip, "netns", "list"]);
  // "NAME (id: 3)"
  return stdout.split("\n").map((l) => l.split(" ")[0]!).filter((n) => n !== "");
}

/** Many ip(8) commands in one call. A failure names the line. @throws CrxnError 1 */
export async function ipBatch(runner: Runner, name: string, lines: string[]): Promise<void> {
  await must(runner, [Program.ip, "-n", name, "-batch", "-"], { stdin: lines.join("\n") + "\n" });
}

/**
 * Ends every process inside and removes the namespace with all its devices. Several tries: a Ctrl-C on the terminal also
 * hits the `ip` that is doing this.
 * @returns whether it is gone
 */
export async function removeNamespace(runner: Runner, name: string): Promise<boolean> {
  for (let tries = 0; tries < 5; tries++) {
    if (!(await listNamespaces(runner).catch(() => [name])).includes(name)) return true;
    await endProcesses(runner, name);
    await runner.run([Program.ip, "netns", "delete", name]);
  }
  return !(await listNamespaces(runner)).includes(name);
}

/** By process id, as `ip netns pids` lists them; waits until they are gone, at most a second. */
async function endProcesses(runner: Runner, name: string): Promise<void> {
  const deadline = Date.now() + 1000;
  while (Date.now() < deadline) {
    const { code, stdout } = await runner.run([Program.ip, "netns", "pids", name]);
    const pids = stdout.split("\n").map(Number).filter((p) => p > 1 && p !== Deno.pid);
    if (code !== 0 || pids.length === 0) return;
    // Its code tells of those that went by themselves.
    await runner.run([Program.kill, "-KILL", ...pids.map(String)]);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
