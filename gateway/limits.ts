/** Limits: no IPv6 network takes the pool or connection tracking from the others. A table of nftables. Pure. */

import template from "../assets/limits.nft" with { type: "text" };
import { parseNetwork } from "./cidr.ts";
import type { Config, Limits } from "./config/types.ts";
import { type FileItem, fileItem, type TableItem, tableItem } from "./item.ts";
import { HEADER, LIMITS_TABLE, Path } from "./names.ts";
import { fill } from "./template.ts";
import { workersOf } from "./workers.ts";

/** Elements of a set whose keys strangers choose: above it those are told from each other no more. */
const MOST = 65536;

/**
 * What holds where the config says nothing: by the pool's size, so that no /48 gets more than a quarter of a small pool, or
 * a sixteenth of the default one, and a /64 has enough for a large campus (docs/security.md).
 */
export function limitsOf(nat64: NonNullable<Config["nat64"]>): Limits | undefined {
  if (nat64.limits === "off") return undefined;
  const pool = sizeOf(nat64.pool);
  const within = (value: number, least: number, most: number) => Math.max(least, Math.min(most, Math.floor(value)));
  return {
    per64: within(pool / 16, 8, 256),
    per48: within(pool / 4, 16, 4096),
    flows: 8192,
    ...nat64.limits,
  };
}

const sizeOf = (pool: string): number => 2 ** (32 - (parseNetwork(pool)?.length ?? 16));

/** The table, and the file from which a boot loads it. */
export function limitItems(config: Config): { file: FileItem; table: TableItem } | undefined {
  const { prefix, nat64 } = config;
  const limits = nat64 && limitsOf(nat64);
  if (!nat64 || !limits || !prefix) return undefined;
  const devices = workersOf(config).map((w) => w.device);
  const device = devices.length === 1 ? `"${devices[0]}"` : `{ ${devices.map((d) => `"${d}"`).join(", ")} }`;
  const { per64, per48, flows } = limits;
  const known = Math.min(sizeOf(nat64.pool), 2 ** 20);
  // It says all that the table depends on, so that it tells whether the one in the kernel is this one.
  const mark = `crxn:limits 3 ${devices[0]}${
    devices.length > 1 ? ` to ${devices.length}` : ""
  } ${per64} ${per48} ${flows} ${known} ${prefix}`;
  const values = { device, mark, prefix, per64, per48, flows, known, most: MOST };
  const text = fill(
    template,
    { header: HEADER, ...Object.fromEntries(Object.entries(values).map(([k, v]) => [k, String(v)])) },
  );
  return { file: fileItem(Path.limits, text), table: tableItem(LIMITS_TABLE, { text, mark, file: Path.limits }) };
}
