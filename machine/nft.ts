/** nft(8): all of nftables in one call, as libnftables-json(5) has it. */

import type { NftChain, NftFamily, NftRule } from "../gateway/netfilter/nft.ts";
import { isObject } from "../gateway/netfilter/nft_value.ts";
import { NFT_NAMES, SURVEY, tableQuestion } from "./always.ts";
import type { Runner } from "./run.ts";

export interface Nftables {
  /** "ip nat", the oldest first. */
  tables: string[];
  chains: NftChain[];
}

interface Entry {
  family: string;
  table: string;
  name: string;
  chain: string;
  type?: string;
  hook?: string;
  prio?: number;
  policy?: string;
  dev?: string | string[];
  handle?: number;
  comment?: string;
  expr?: unknown;
  flags?: unknown;
}

const FAMILIES = new Set(["ip", "ip6", "inet", "netdev"]);

/** @throws SyntaxError when it is no JSON, TypeError when it is no ruleset */
export function parseNft(output: string): Nftables {
  const { nftables } = JSON.parse(output) as { nftables: (Record<string, Entry> | null)[] };
  const tables: string[] = [];
  const chains = new Map<string, NftChain>();
  const dormant = new Set<string>();
  for (const { table, chain, rule } of nftables.map((entry) => entry ?? {})) {
    if (table) {
      const name = `${table.family} ${table.name}`;
      tables.push(name);
      if (isDormant(table)) dormant.add(name);
    }
    if (chain && FAMILIES.has(chain.family) && isText(chain.table) && isText(chain.name)) {
      const asleep = dormant.has(`${chain.family} ${chain.table}`) ? { dormant: true as const } : {};
      chains.set(keyOf(chain, chain.name), { ...chainOf(chain), ...asleep });
    }
    if (rule) {
      const { handle, comment, expr } = rule;
      chains.get(keyOf(rule, rule.chain))?.rules.push({
        ...(handle === undefined ? {} : { handle }),
        ...(comment === undefined ? {} : { comment }),
        expr: Array.isArray(expr) ? expr.map(statementOf) : [],
      });
    }
  }
  return { tables, chains: [...chains.values()] };
}

/**
 * nft 1.1 says so, alone or in a list; 1.0.6 prints for any flag whatever text
 * is left in its memory, and no program of its time has tables with the other one, `owner`.
 */
const isDormant = ({ flags }: Entry): boolean =>
  [flags ?? []].flat().some((flag) => flag !== "owner" && flag !== "persist");

const isText = (value: unknown): value is string => typeof value === "string";

/** For a statement that nft cannot put as JSON it prints a mere string, in its own language. */
const statementOf = (statement: unknown): NftRule["expr"][number] =>
  isObject(statement) && Object.keys(statement).length > 0 ? statement : { unread: String(statement) };

const keyOf = ({ family, table }: Entry, chain: string) => `${family} ${table} ${chain}`;

const chainOf = ({ family, table, name, type, hook, prio, policy, dev }: Entry): NftChain => ({
  family: family as NftFamily,
  table,
  name,
  ...(isText(type) ? { type } : {}),
  ...(isText(hook) ? { hook } : {}),
  ...(prio === undefined ? {} : { priority: prio }),
  ...(isText(policy) ? { policy } : {}),
  ...(dev === undefined ? {} : { devices: [dev].flat() }),
  rules: [],
});

/** @returns undefined when nft does not answer */
export async function readNft(runner: Runner): Promise<Nftables | undefined> {
  const { code, stdout } = await runner.run(SURVEY.nft);
  return code === 0 ? parseNft(stdout) : undefined;
}

/** Of a table's name all that nft(8), which reads its words as a script, takes for just that. */
const PLAIN = /^[\w.-]+$/;

/**
 * The same where iptables-nft has thousands of rules, which nft takes long to put as JSON: their tables without them.
 * @param isShown whether iptables-save shows a table ("ip nat"), and a chain of it
 */
export async function readNativeNft(
  runner: Runner,
  isShown: Promise<(table: string, chain?: string) => boolean>,
): Promise<Nftables | undefined> {
  const [tables, chains] = await Promise.all([runner.run(NFT_NAMES.tables), runner.run(NFT_NAMES.chains)]);
  if (tables.code !== 0 || chains.code !== 0) return undefined;
  const names = parseNft(tables.stdout).tables;
  const shown = await isShown;
  const rest = names.filter((name) => !shown(name)).map((name) => name.split(" "));
  if (!rest.every((words) => words.length === 2 && words.every((w) => PLAIN.test(w)))) return await readNft(runner);
  const listed = await Promise.all(
    rest.map((words) => runner.run(tableQuestion(words))),
  );
  // One that went meanwhile is not there; one that cannot be listed in time is.
  const failed = listed.filter(({ code, stderr }) => code !== 0 && !stderr.includes("No such file"));
  if (failed.length > 0) return await readNft(runner);
  const whole = listed.flatMap(({ code, stdout }) => code === 0 ? parseNft(stdout).chains : []);
  const read = new Set(rest.map((words) => words.join(" ")));
  const bare = parseNft(chains.stdout).chains.filter((c) => !read.has(`${c.family} ${c.table}`));
  // A chain in one of iptables' tables that only nft can show.
  if (bare.some((c) => !shown(`${c.family} ${c.table}`, c.name))) return await readNft(runner);
  return { tables: names, chains: [...bare, ...whole] };
}
