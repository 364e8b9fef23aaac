/** What `nft monitor trace` tells of a packet's way. Pure. nft(8). */

import type { Dropped } from "./probe_result.ts";

/**
 * Lines are `trace id a95ea7ef ip filter FORWARD rule ip daddr 10.1.0.3 drop (verdict drop)`, or `... policy drop` where a base
 * chain's policy decides; a table's family and name stand before the chain.
 * @param own the table that has marked the packets: somebody else may be tracing as well
 * @returns who dropped the last of the packets that were dropped
 */
export function parseTrace(output: string, own: string): Dropped | undefined {
  let dropped: Dropped | undefined;
  const ours = new Set<string>();
  for (const line of output.split("\n")) {
    const [, id = "", family, table, chain, rest = ""] = /^trace id (\S+) (\S+) (\S+) (\S+) (.*)$/.exec(line.trim()) ??
      [];
    if (table === own) ours.add(id);
    if (!family || !chain || !ours.has(id)) continue;
    const place = { table: `${family} ${table}`, chain };
    const rule = /^rule (.*) \(verdict drop\)$/.exec(rest)?.[1];
    if (rule !== undefined) dropped = { ...place, rule: rule.replace(/ *counter packets \d+ bytes \d+/, "") };
    else if (/^policy drop\b/.test(rest)) dropped = place;
    // A rule that came after the monitor had begun.
    const handle = /^unknown rule (handle \d+) \(verdict drop\)$/.exec(rest)?.[1];
    if (handle) dropped ??= { ...place, rule: handle };
  }
  return dropped;
}
