import { assertEquals } from "@std/assert";
import type { Machine, Output } from "../rig/mod.ts";
import { installProgram } from "../rig/product.ts";
import { dice } from "../unit/dice.ts";

// Killing crxn on a machine: at every change that it makes there, by its number.

const ROOT = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
const MORTAL = "/usr/local/bin/crxn-mortal";
const CHANGES = "/run/crxn-changes";

export const installMortal = (machine: Machine): Promise<void> =>
  installProgram(machine, new URL("mortal.ts", import.meta.url).pathname, MORTAL, ROOT);

/** Runs crxn to its end. @returns its changes, in order */
export async function changesOf(machine: Machine, args: string, exit = 0): Promise<string[]> {
  await machine.must(["rm", "-f", CHANGES]);
  const output = await machine.run(["env", `CRXN_CHANGES=${CHANGES}`, MORTAL, ...args.split(" ")]);
  assertEquals(output.code, exit, output.stderr);
  const text = await machine.read(CHANGES);
  await machine.must(["rm", "-f", CHANGES]);
  return text.trimEnd().split("\n");
}

/**
 * Runs crxn, which kills itself.
 * @param death the number of a change, before which it dies; with a + it dies while that change's program runs
 * @returns whether it came that far
 */
export async function killed(machine: Machine, args: string, death: string): Promise<boolean> {
  const output = await struck(machine, args, death, "SIGKILL");
  if (output.code === 0) return false;
  assertEquals(output.code, 137, `crxn was to be killed, and ended with ${output.code}: ${output.stderr}`);
  return true;
}

/** Runs crxn, to which something else happens at a change: a signal, or its failure. */
export const struck = (machine: Machine, args: string, at: string, by: string): Promise<Output> =>
  machine.run(["env", `CRXN_AT=${at}`, `CRXN_BY=${by}`, MORTAL, ...args.split(" ")]);

/** All deaths there are between, after and in the midst of these changes. */
export const deathsIn = (changes: string[]): string[] => [
  ...changes.flatMap((what, i) => what.startsWith("/") ? [`${i}`, `${i}+`] : [`${i}`]),
  `${changes.length}`,
];

/** Those that are tried: all of them with CRXN_FAULTS=all, or else a few, by CRXN_SEED or at random. */
export function chosen(deaths: string[], count: number, story: string): string[] {
  if (Deno.env.get("CRXN_FAULTS") === "all") return deaths;
  const seed = Number(Deno.env.get("CRXN_SEED") ?? crypto.getRandomValues(new Uint32Array(1))[0]);
  console.log(
    `${story}: ${count} of ${deaths.length} deaths; CRXN_SEED=${seed} tries the same, CRXN_FAULTS=all tries all`,
  );
  const roll = dice(seed);
  const left = [...deaths];
  return Array.from({ length: Math.min(count, deaths.length) }, () => left.splice(roll(left.length), 1)[0]!);
}
