/** iptables-save(8) and nft(8): the rules as they stand. */

import { Program } from "../gateway/action.ts";
import type { Family } from "../gateway/item.ts";
import type { Ruleset } from "../gateway/survey.ts";
import type { Runner } from "./run.ts";

/** Splits a rule as a shell would: iptables-save puts comments with unusual characters into double quotes. */
export function ruleWords(line: string): string[] {
  const words = line.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? [];
  return words.map((w) => w.startsWith('"') ? w.slice(1, -1).replace(/\\(.)/g, "$1") : w);
}

/** iptables-save's output as tables and chains. Lines it does not know are passed over. */
export function parseSave(output: string): Ruleset {
  const ruleset: Ruleset = {};
  let table: Ruleset[string] = {};
  for (const line of output.split("\n")) {
    if (line.startsWith("*")) {
      table = ruleset[line.slice(1)] ??= {};
    } else if (line.startsWith(":")) {
      const [name, policy] = line.slice(1).split(" ");
      if (name) table[name] = { name, ...(policy && policy !== "-" ? { policy } : {}), rules: [] };
    } else if (line.startsWith("-A ")) {
      const [, chain, ...rule] = ruleWords(line);
      if (chain) (table[chain] ??= { name: chain, rules: [] }).rules.push(rule);
    }
  }
  return ruleset;
}

/** @returns undefined when the rules cannot be read. */
export async function readRules(runner: Runner, family: Family): Promise<Ruleset | undefined> {
  const program = family === "inet" ? Program.iptablesSave : Program.ip6tablesSave;
  const { code, stdout } = await runner.run([program]);
  return code === 0 ? parseSave(stdout) : undefined;
}

/** Names of the kernel's nftables tables, "ip nat" for one; undefined when nft does not answer. */
export async function readTables(runner: Runner): Promise<string[] | undefined> {
  const { code, stdout } = await runner.run([Program.nft, "list", "tables"]);
  if (code !== 0) return undefined;
  return stdout.split("\n").flatMap((l) => /^table (\S+ \S+)$/.exec(l.trim())?.[1] ?? []);
}
