/** A firewall of somebody else, as rules put into a survey, and what doctor has to say of it. */

import type { NftChain } from "../../../gateway/netfilter/nft.ts";
import type { Survey } from "../../../gateway/survey.ts";
import { parseSave } from "../../../machine/iptables.ts";
import type { Options, Setup } from "./builder.ts";

export interface FirewallCase {
  name: string;
  setup?: Setup;
  options?: Options;
  make: (survey: Survey) => void;
  /** Verdict and id of the only finding, and what it says; missing where nothing is to be found. */
  want?: [string, ...string[]];
  /** One of the commands that it shows. */
  fix?: string;
}

export const expr = (text: string): NftChain["rules"][number]["expr"] =>
  text.split(" ").map((word) => {
    const [left = "", right] = word.split("=");
    if (right === undefined) return { [word]: null };
    if (left === "snat" || left === "dnat") return { [left]: { addr: right } };
    const [protocol, field] = left.split(".");
    const key = field ? { payload: { protocol, field } } : { meta: { key: left } };
    const [addr, len] = right.split("/");
    return { match: { op: "==", left: key, right: len ? { prefix: { addr, len: Number(len) } } : right } };
  });

export const nft = (place: string, rules: string[] = [], more: Partial<NftChain> = {}) => (s: Survey) => {
  const [family, table, hook, priority] = place.split(" ");
  (s.native ??= []).push({
    family: family as NftChain["family"],
    table: table!,
    name: `my_${hook}`,
    type: "filter",
    hook: hook!,
    priority: Number(priority),
    policy: "accept",
    rules: rules.map((r) => ({ expr: expr(r) })),
    ...more,
  });
};

export const add =
  (family: "inet" | "inet6", table: string, chain: string, rule: string, first = false) => (s: Survey) => {
    const seen = ((s.rules[family]![table] ??= {})[chain] ??= { name: chain, policy: "ACCEPT", rules: [] });
    seen.rules[first ? "unshift" : "push"](rule.split(" "));
  };

export const legacy = (family: "inet" | "inet6", text: string) => (s: Survey) =>
  void (s.legacy = { inet: {}, inet6: {}, [family]: parseSave(text) });
