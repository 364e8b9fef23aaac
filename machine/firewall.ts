/** Every rule on the machine: iptables, the other iptables, native nftables. Each program is started once. */

import type { Family } from "../gateway/item.ts";
import { nativeChains, NFT_FAMILY } from "../gateway/netfilter/nft.ts";
import type { Ruleset, Survey } from "../gateway/survey.ts";
import { readLegacy, readRules, type Saved } from "./iptables.ts";
import { readNft } from "./nft.ts";
import type { Runner } from "./run.ts";

type Firewall = Pick<Survey, "rules" | "legacy" | "unreadable" | "nftables" | "baseChains" | "native">;
type Answer = <T>(what: string, question: Promise<T>, otherwise: T) => Promise<T>;

/** @param answer waits for a question, and notes that it failed */
export async function readFirewall(runner: Runner, answer: Answer): Promise<Firewall> {
  const [saved4, saved6, legacy4, legacy6, nft] = await Promise.all([
    answer("rules", readRules(runner, "inet"), undefined),
    answer("rules", readRules(runner, "inet6"), undefined),
    answer("legacy rules", readLegacy(runner, "inet"), undefined),
    answer("legacy rules", readLegacy(runner, "inet6"), undefined),
    answer("nftables", readNft(runner), undefined),
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

function legacyOf(saved: [Family, Saved | undefined, Ruleset | undefined][]): Pick<Survey, "legacy"> {
  if (saved.some(([, , legacy]) => legacy === undefined)) return {};
  return { legacy: collect(saved.map(([family, s, legacy]) => [family, s?.legacy ? {} : legacy])) };
}

const collect = (pairs: [Family, Ruleset | undefined][]): Partial<Record<Family, Ruleset>> =>
  Object.fromEntries(pairs.filter(([, ruleset]) => ruleset !== undefined));
