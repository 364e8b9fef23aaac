/** What `nft monitor trace` tells of a packet's way. Pure. nft(8). */

import type { Dropped } from "./probe_result.ts";

/**
 * Lines are `trace id a95ea7ef ip filter FORWARD rule ip daddr 10.1.0.3 drop (verdict drop)`, or `... policy drop` where a base
 * chain's policy decides; a table's family and name stand before the chain.
 * @returns who dropped the last of the packets that were dropped
 */
export function parseTrace(output: string): Dropped | undefined {
  let dropped: Dropped | undefined;
  for (const line of output.split("\n")) {
    const [, family, table, chain, rest = ""] = /^trace id \S+ (\S+) (\S+) (\S+) (.*)$/.exec(line.trim()) ?? [];
    if (!family || !chain) continue;
    const place = { table: `${family} ${table}`, chain };
    const rule = /^rule (.*) \(verdict drop\)$/.exec(rest)?.[1];
    if (rule !== undefined) dropped = { ...place, rule: rule.replace(/ ?counter packets \d+ bytes \d+/, "") };
    else if (/^policy drop\b/.test(rest)) dropped = place;
  }
  return dropped;
}
