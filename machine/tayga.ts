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

/**
 * A line of dynamic.map: `100.64.12.7 TAB 2001:db8::2 TAB 1764000000`. Of the address, as inet_ntop(3) writes it, up to four
 * groups and the rest; the number is the time of the last use. Other lines are comments.
 */
const ENTRY = /^[ \t]*\d\S*[ \t]+([^\s:]*(?::[^\s:]+){0,3})(:\S*)(?:[ \t]+(\S+))?/gm;

/** How many addresses dynamic.map has: lines that begin with a digit. */
export function countPool(map: string): number {
  let [count, at] = [0, 0];
  do {
    const first = map.charCodeAt(at);
    if (first >= 0x30 && first <= 0x39) count++;
    at = map.indexOf("\n", at) + 1;
  } while (at > 0);
  return count;
}

/** Up to 65,534 lines, of which none is looked at closer than it need be. */
export function parsePool(map: string, written: number, now: number): PoolSeen {
  const begun = (now - LEASE) / 1000;
  const heads = new Map<string, number>();
  let [given, held] = [0, 0];
  // exec() takes half as long as matchAll().
  ENTRY.lastIndex = 0;
  for (let line; (line = ENTRY.exec(map)) !== null;) {
    given++;
    if (Number(line[3]) >= begun) held++;
    const [head, rest] = [line[1]!, line[2]!];
    // Without `::` the head is whole, and behind it there is a part of the first half only where more than four groups follow.
    const isShort = !rest.startsWith("::") || rest.length < "::1:2:3:4:5".length;
    const whole = isShort ? head : firstHalf(head + rest);
    heads.set(whole, (heads.get(whole) ?? 0) + 1);
  }
  const networks = new Map<string, number>();
  for (const [head, count] of heads) {
    const half = firstHalf(`${head}::`);
    networks.set(half, (networks.get(half) ?? 0) + count);
  }
  const largest = [...networks].sort(([, a], [, b]) => b - a).flatMap(([half, count]): PoolSeen["largest"] => {
    const network = parseNetwork(`${half}::/64`);
    return network ? [[formatNetwork(clearHostBits(network)), count]] : [];
  });
  return { written, given, held, largest: largest.slice(0, 5) };
}

/** Four groups, with the zeros that `::` stands for. */
function firstHalf(ipv6: string): string {
  const [head = "", tail = ""] = ipv6.split("::");
  const [before, behind] = [head, tail].map((text) => text === "" ? [] : text.split(":")) as [string[], string[]];
  const zeros = Array(Math.max(0, 8 - before.length - behind.length)).fill("0");
  return [...before, ...zeros, ...behind].slice(0, 4).join(":");
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
