/** sysctl(8): kernel parameters by name, in slash form. */

import { Program } from "../gateway/action.ts";
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

/** Everything under net that a gateway sets or moves by setting it. */
const PATTERN =
  "^net\\.ipv[46]\\.(ip_forward|conf\\..*\\.(forwarding|accept_redirects|accept_ra|proxy_arp|rp_filter|disable_ipv6)|neigh\\..*\\.proxy_delay)$";

export async function readSysctls(runner: Runner): Promise<Record<string, string>> {
  const { stdout } = await runner.run([Program.sysctl, "-a", "-r", PATTERN]);
  const values = parseSysctls(stdout);
  // Some of these are on every machine: without them it was no answer. (The exit code also tells of unreadable ones.)
  if (Object.keys(values).length === 0) throw new Error("sysctl shows no kernel parameters");
  return values;
}
