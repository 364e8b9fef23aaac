/** tayga's files: its list of addresses given out, and the configs of other instances. */

import { instanceOf } from "../gateway/names.ts";
import type { PoolSeen } from "../gateway/host.ts";
import { clearHostBits, formatNetwork, parseNetwork } from "../gateway/cidr.ts";
import { hasOwnTayga } from "./apt.ts";
import { readSeen } from "./files.ts";
import type { Runner } from "./run.ts";
import { at } from "./place.ts";

/** Milliseconds for which tayga keeps an unused address for its client: two hours and four minutes (its tayga.c). */
export const LEASE = (2 * 60 + 4) * 60_000;

/** dynamic.map: `100.64.12.7 TAB 2001:db8::2 TAB 1764000000`, and comments; the number is the time of the last use. */
export function parsePool(map: string, written: number, now: number): PoolSeen {
  const networks = new Map<string, number>();
  let [given, held] = [0, 0];
  for (const line of map.split("\n")) {
    const [ipv4, ipv6, used] = line.trim().split(/\s+/);
    if (!/^\d/.test(ipv4 ?? "") || ipv6 === undefined) continue;
    given++;
    if (Number(used) * 1000 + LEASE >= now) held++;
    const network = firstHalf(ipv6);
    networks.set(network, (networks.get(network) ?? 0) + 1);
  }
  const largest = [...networks].sort(([, a], [, b]) => b - a).flatMap(([half, count]): PoolSeen["largest"] => {
    const network = parseNetwork(`${half}::/64`);
    return network ? [[formatNetwork(clearHostBits(network)), count]] : [];
  });
  return { written, given, held, largest: largest.slice(0, 5) };
}

/** The first four groups of an address as inet_ntop(3) writes it. Of fifty thousand none is read as a number. */
function firstHalf(ipv6: string): string {
  const [head = "", tail] = ipv6.split("::");
  const groups = head === "" ? [] : head.split(":");
  if (tail !== undefined && groups.length < 4) {
    const behind = tail === "" ? [] : tail.split(":");
    groups.push(...Array(Math.max(0, 8 - groups.length - behind.length)).fill("0"), ...behind);
  }
  return groups.slice(0, 4).join(":");
}

/** The lists of all translators, as one. */
export async function readPools(paths: string[], now: number): Promise<PoolSeen | undefined> {
  const seen = (await Promise.all(paths.map(readSeen))).filter((file) => file?.content !== undefined);
  if (seen.length === 0) return undefined;
  const written = Math.max(...seen.map((file) => file!.modified));
  return parsePool(seen.map((file) => file!.content).join("\n"), written, now);
}

/**
 * All configs of tayga on the machine, each with the unit that runs it. Debian's own place comes last, and not at all while it
 * has the sample that the package brings.
 */
export async function taygaFiles(
  runner: Runner,
): Promise<{ file: string; unit: string; text: string; instance?: string }[]> {
  const named = (await rivalFiles([])).map((f) => ({ ...f, instance: instanceOf(f.unit)! }));
  const own = await hasOwnTayga(runner) ? (await readSeen("/etc/tayga.conf"))?.content : undefined;
  return [...named, ...(own === undefined ? [] : [{ file: "/etc/tayga.conf", unit: "tayga.service", text: own }])];
}

/** Configs for `tayga@NAME.service` besides the gateway's own. Debian's sample belongs to the survey. */
export async function rivalFiles(own: string[]): Promise<{ file: string; unit: string; text: string }[]> {
  const folder = "/etc/tayga";
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(at(folder))) names.push(name);
  } catch {
    return [];
  }
  const files = names.filter((n) => /^[\w.-]+\.conf$/.test(n)).sort().map((name) => `${folder}/${name}`);
  const seen = await Promise.all(
    files.filter((file) => !own.includes(file)).map(async (file) => {
      const text = (await readSeen(file))?.content;
      return text === undefined ? [] : [{ file, unit: `tayga@${file.slice(folder.length + 1, -5)}.service`, text }];
    }),
  );
  return seen.flat();
}
