/** Native nftables as `nft -j list ruleset` prints it (libnftables-json(5)), and which of it iptables-save shows as well. Pure. */

import type { Family } from "../item.ts";
import type { Ruleset } from "../survey.ts";

export type NftFamily = "ip" | "ip6" | "inet" | "netdev";

export interface NftRule {
  handle?: number;
  comment?: string;
  /** Statements, each an object with one key; `unread` is the text of one that nft has no JSON for. */
  expr: Record<string, unknown>[];
}

export interface NftChain {
  family: NftFamily;
  table: string;
  name: string;
  /** A base chain has all of these; a chain that is only jumped to has none. */
  type?: string;
  hook?: string;
  priority?: number;
  policy?: string;
  /** netdev and ingress: the devices. nft 1.0.6 does not print them. */
  devices?: string[];
  /** The table is switched off: the kernel calls no chain of it. */
  dormant?: true;
  rules: NftRule[];
}

export const NFT_FAMILY: Record<Family, NftFamily> = { inet: "ip", inet6: "ip6" };

/** Tables that iptables-nft uses, if they are there. */
const SHARED = new Set(["raw", "mangle", "nat", "filter", "security"]);

/**
 * Chains that iptables-save does not show. Of a table that it could not read at all everything is kept.
 * @param rules undefined where iptables-save did not answer
 */
export function nativeChains(
  chains: NftChain[],
  rules: Partial<Record<Family, Ruleset>>,
  unreadable: string[],
): NftChain[] {
  const shown = (chain: NftChain): boolean => {
    const ruleset = chain.family === "ip" ? rules.inet : chain.family === "ip6" ? rules.inet6 : undefined;
    if (!SHARED.has(chain.table) || unreadable.includes(`${chain.family} ${chain.table}`)) return false;
    return ruleset?.[chain.table]?.[chain.name] !== undefined;
  };
  return chains.filter((chain) => !shown(chain));
}
