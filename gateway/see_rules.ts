/** Are the rules there, of iptables and of nftables? Pure. */

import { jumpRule } from "./commands.ts";
import type { ChainItem, TableItem } from "./item.ts";
import { NFT_FAMILY, type NftChain } from "./netfilter/nft.ts";
import { absent, differs, present, type State } from "./state.ts";
import { sameRules } from "./rule.ts";
import type { ChainSeen, Survey } from "./survey.ts";

export function seeChain(item: ChainItem, survey: Survey): State {
  const ruleset = survey.rules[item.family];
  if (!ruleset) return { is: "unknown", how: "the rules could not be read" };
  const table = ruleset[item.table] ?? {};
  const chain = table[item.chain];
  if (!chain) return seeUnreadable(item, survey);
  const how = sameRules(item.rules, chain.rules) ? undefined : difference(item, chain);
  if (how) return differs(how);
  return hasJump(item, survey) ? present : differs(`no jump from ${item.from}`);
}

/** Undefined for rules that are the same in other words: a space may stand in one, or between two. */
function difference(item: ChainItem, chain: ChainSeen): string | undefined {
  const want = item.rules.map((r) => r.join(" "));
  const have = chain.rules.map((r) => r.join(" "));
  const [wanted, there] = [new Set(want), new Set(have)];
  const missing = want.filter((r) => !there.has(r));
  const extra = have.filter((r) => !wanted.has(r));
  if (missing.length > 0) return `${missing.length} rules missing: ${missing.join("; ")}`;
  if (extra.length > 0) return `${extra.length} rules too many: ${extra.join("; ")}`;
  return want.join("\n") === have.join("\n") ? undefined : "rules in another order";
}

/** Whether the chain is there, be it in a table that iptables cannot read. */
export const hasChain = (item: ChainItem, survey: Survey): boolean =>
  survey.rules[item.family]?.[item.table]?.[item.chain] !== undefined ||
  nativeChain(item, item.chain, survey) !== undefined;

export const hasJump = (item: ChainItem, survey: Survey): boolean => jumpsTo(item, survey) > 0;

/**
 * In a table that iptables cannot read, the chain as nft shows it: of matches and targets of iptables it knows the name at
 * most, so only the number of rules can be compared. iptables still changes such a table as usual.
 */
function seeUnreadable(item: ChainItem, survey: Survey): State {
  const chain = nativeChain(item, item.chain, survey);
  if (!chain) return absent;
  if (chain.rules.length !== item.rules.length) {
    return differs(`${chain.rules.length} rules, not ${item.rules.length}`);
  }
  return hasJump(item, survey) ? present : differs(`no jump from ${item.from}`);
}

function nativeChain({ family, table }: ChainItem, name: string, { unreadable, native }: Survey): NftChain | undefined {
  const ip = NFT_FAMILY[family];
  if (!unreadable?.includes(`${ip} ${table}`)) return undefined;
  return native?.find((c) => c.family === ip && c.table === table && c.name === name);
}

/** How many jumps there are from the built-in chain to this one. */
export function jumpsTo(item: ChainItem, survey: Survey): number {
  const unread = nativeChain(item, item.from, survey);
  if (unread) {
    const isJump = (statement: Record<string, unknown>) =>
      (statement["jump"] as { target?: string } | undefined)?.target === item.chain;
    return unread.rules.filter(({ expr }) => expr.some(isJump)).length;
  }
  const want = jumpRule(item).join(" ");
  const rules = survey.rules[item.family]?.[item.table]?.[item.from]?.rules ?? [];
  return rules.filter((r) => r.join(" ") === want).length;
}

/** By the names of its chains, the number of their rules, and its mark: nft prints no rule as it was written. */
export function seeTable({ name, mark, text }: TableItem, { nftables, native = [] }: Survey): State {
  if (!nftables) return { is: "unknown", how: "the tables could not be read" };
  if (!nftables.includes(name)) return absent;
  const chains = native.filter((c) => `${c.family} ${c.table}` === name);
  const has = chains.flatMap((c) => c.rules).flatMap((r) => r.comment ?? [])[0];
  if (has === undefined || !has.startsWith("crxn:")) {
    return chains.length > 0 ? { is: "foreign", how: "a table of that name is there" } : differs("it is empty");
  }
  if (has !== mark) return differs(`it is ${has}, not ${mark}`);
  const want = rulesIn(text);
  const odd = Object.entries(want).find(([chain, n]) => chains.find((c) => c.name === chain)?.rules.length !== n);
  return odd ? differs(`chain ${odd[0]} has not its ${odd[1]} rules`) : present;
}

/** Rules of each chain of a table as we write it. */
function rulesIn(text: string): Record<string, number> {
  const counts: Record<string, number> = {};
  let chain: string | undefined;
  for (const line of text.split("\n").map((l) => l.trim())) {
    chain = /^chain (\w+) \{$/.exec(line)?.[1] ?? (line === "}" ? undefined : chain);
    if (!chain) continue;
    counts[chain] ??= 0;
    if (line !== "" && !/^(#|type |chain )/.test(line)) counts[chain]! += 1;
  }
  return counts;
}
