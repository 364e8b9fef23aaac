/** nft(8): all of nftables in one call, as libnftables-json(5) has it. */

import type { NftChain, NftFamily, NftRule } from "../gateway/netfilter/nft.ts";
import { isObject } from "../gateway/netfilter/nft_value.ts";
import { SURVEY } from "./always.ts";
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
}

const FAMILIES = new Set(["ip", "ip6", "inet", "netdev"]);

/** @throws SyntaxError when it is no JSON, TypeError when it is no ruleset */
export function parseNft(output: string): Nftables {
  const { nftables } = JSON.parse(output) as { nftables: (Record<string, Entry> | null)[] };
  const tables: string[] = [];
  const chains = new Map<string, NftChain>();
  for (const { table, chain, rule } of nftables.map((entry) => entry ?? {})) {
    if (table) tables.push(`${table.family} ${table.name}`);
    if (chain && FAMILIES.has(chain.family) && isText(chain.table) && isText(chain.name)) {
      chains.set(keyOf(chain, chain.name), chainOf(chain));
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
