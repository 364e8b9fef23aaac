/** sysctl(8): kernel parameters by name, in slash form. */

import { Program } from "../gateway/action.ts";
import { at } from "./place.ts";
import type { Runner } from "./run.ts";

/** sysctl prints dots for slashes and slashes for dots: `net.ipv6.conf.eth0/100.accept_ra`. */
const slashForm = (key: string) => key.replace(/[./]/g, (c) => c === "." ? "/" : ".");

export function parseSysctls(output: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const line of output.split("\n")) {
    const at = line.indexOf(" = ");
    const key = at > 0 ? line.slice(0, at) : line.endsWith(" =") ? line.slice(0, -2) : undefined;
    if (key) values[slashForm(key)] = line.slice(at > 0 ? at + 3 : line.length);
  }
  return values;
}

/** Of the machine. The last two: how one of several next hops is chosen (nat64.workers). */
const OF_ALL = ["net/ipv4/ip_forward", "net/ipv6/fib_multipath_hash_policy", "net/ipv6/fib_multipath_hash_fields"];

/** Of each interface, all that a gateway sets or moves by setting it; `*` is the interface, `all` or `default`. */
const OF_INTERFACES = {
  ipv4: ["conf/*/forwarding", "conf/*/accept_redirects", "conf/*/proxy_arp", "conf/*/rp_filter", "neigh/*/proxy_delay"],
  ipv6: ["conf/*/forwarding", "conf/*/accept_redirects", "conf/*/accept_ra", "conf/*/disable_ipv6"],
};

/** The same for `-a`, which walks through all of /proc/sys and takes ten times as long. */
const PATTERN =
  "^net\\.ipv[46]\\.(ip_forward|fib_multipath_hash_(policy|fields)|conf\\..*\\.(forwarding|accept_redirects|accept_ra|proxy_arp|rp_filter|disable_ipv6)|neigh\\..*\\.proxy_delay)$";

/** More names than this would make too long a command line. */
const MOST = 500;

/** @param links names of the machine's interfaces; without any, all parameters are searched for them */
export function sysctlsQuestion(links: string[]): string[] {
  const names = ["all", "default", ...links];
  const keys = Object.entries(OF_INTERFACES).flatMap(([family, list]) =>
    list.flatMap((key) => names.map((name) => `net/${family}/${key.replace("*", name)}`))
  );
  // -e: not every interface has all of them.
  const words = links.length === 0 || links.length > MOST ? ["-a", "-r", PATTERN] : ["-e", ...OF_ALL, ...keys];
  return [Program.sysctl, ...words];
}

/** @param links as for {@linkcode sysctlsQuestion} */
export async function readSysctls(runner: Runner, links: string[]): Promise<Record<string, string>> {
  const { stdout } = await runner.run(sysctlsQuestion(links));
  const values = parseSysctls(stdout);
  // Some of these are on every machine: without them it was no answer. (The exit code also tells of unreadable ones.)
  if (Object.keys(values).length === 0) throw new Error("sysctl shows no kernel parameters");
  return values;
}

/**
 * Those of the interfaces that the kernel names, without waiting for ip(8); asked again where it names others.
 * @param links what ip(8) answers
 */
export async function readSysctlsOf(runner: Runner, links: Promise<string[]>): Promise<Record<string, string>> {
  const early = interfaceNames();
  const answer = early.length === 0 ? undefined : readSysctls(runner, early);
  // Whoever awaits it hears of its fault.
  answer?.catch(() => {});
  const names = await links;
  const same = names.length === early.length && names.every((name) => early.includes(name));
  return await (answer && same ? answer : readSysctls(runner, names));
}

/** Those that have parameters of IPv4, of the process's own network namespace. A folder: its files would be out of reach (proc.ts). */
export function interfaceNames(): string[] {
  try {
    const names = [...Deno.readDirSync(at("/proc/sys/net/ipv4/conf"))].map(({ name }) => name);
    return names.filter((name) => name !== "all" && name !== "default").sort();
  } catch {
    return [];
  }
}
