/** Every rule on the machine: iptables, the other iptables, native nftables. Each program is started once. */

import type { Family } from "../gateway/item.ts";
import { nativeChains, NFT_FAMILY } from "../gateway/netfilter/nft.ts";
import type { Ruleset, Survey } from "../gateway/survey.ts";
import { readLegacy, readRules, type Saved } from "./iptables.ts";
import { readNativeNft, readNft } from "./nft.ts";
import type { Runner } from "./run.ts";

type Firewall = Pick<Survey, "rules" | "legacy" | "unreadable" | "nftables" | "baseChains" | "native">;
type Answer = <T>(what: string, question: Promise<T>, otherwise: T) => Promise<T>;

/**
 * @param answer waits for a question, and notes that it failed
 * @param large whether there may be thousands of rules
 */
export async function readFirewall(runner: Runner, answer: Answer, large = false): Promise<Firewall> {
  const both = Promise.all([
    answer("rules", readRules(runner, "inet"), undefined),
    answer("rules", readRules(runner, "inet6"), undefined),
  ]);
  const isShown = both.then(([saved4, saved6]) => (table: string, chain?: string) =>
    isIn(table, chain, saved4, saved6)
  );
  const [[saved4, saved6], legacy4, legacy6, nft] = await Promise.all([
    both,
    answer("legacy rules", readLegacy(runner, "inet"), undefined),
    answer("legacy rules", readLegacy(runner, "inet6"), undefined),
    answer("nftables", large ? readNativeNft(runner, isShown) : readNft(runner), undefined),
  ]);
  const saved: [Family, Saved | undefined, Ruleset | undefined][] = [
    ["inet", saved4, legacy4],
    ["inet6", saved6, legacy6],
  ];
  const unreadable = saved.flatMap(([family, s]) => s?.unreadable.map((t) => `${NFT_FAMILY[family]} ${t}`) ?? []);
  const rules = collect(saved.map(([family, s]) => [family, s?.rules]));
  // Where `iptables` is iptables-legacy, what nft shows has nothing to do with it.
  const shown = collect(saved.map(([family, s]) => [family, s?.legacy ? undefined : s?.rules]));
  return {
    rules,
    // Without any the survey is as on a machine that has no iptables-legacy.
    ...legacyOf(saved),
    ...(unreadable.length > 0 ? { unreadable } : {}),
    ...(nft
      ? {
        nftables: nft.tables,
        baseChains: nft.chains.filter((c) => c.hook).map((c) => `${c.family} ${c.table} ${c.name}`),
        native: nativeChains(nft.chains, shown, unreadable),
      }
      : {}),
  };
}

/** Whether iptables-save, being that of nftables, shows a table, and a chain of it. */
function isIn(
  table: string,
  chain: string | undefined,
  saved4: Saved | undefined,
  saved6: Saved | undefined,
): boolean {
  const [family, name = ""] = table.split(" ");
  const saved = family === "ip" ? saved4 : family === "ip6" ? saved6 : undefined;
  if (!saved || saved.legacy || saved.unreadable.includes(name)) return false;
  return (chain === undefined ? saved.rules[name] : saved.rules[name]?.[chain]) !== undefined;
}

function legacyOf(saved: [Family, Saved | undefined, Ruleset | undefined][]): Pick<Survey, "legacy"> {
  if (saved.some(([, , legacy]) => legacy === undefined)) return {};
  return { legacy: collect(saved.map(([family, s, legacy]) => [family, s?.legacy ? {} : legacy])) };
}

const collect = (pairs: [Family, Ruleset | undefined][]): Partial<Record<Family, Ruleset>> =>
  Object.fromEntries(pairs.filter(([, ruleset]) => ruleset !== undefined));
