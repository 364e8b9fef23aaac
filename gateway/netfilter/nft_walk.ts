/** What a base chain of nftables does with a packet, as far as its rules can be read. Pure. nft(8), "VERDICT STATEMENT". */

import type { NftChain } from "./nft.ts";
import { mapMatch, matchOf } from "./nft_match.ts";
import { ruleText } from "./nft_text.ts";
import { isObject } from "./nft_value.ts";
import { both, type Call, type Decision, expires, FINAL, type Match, type Packet, untrackedAt } from "./packet.ts";

type Found = { target: string; chain: string; rule: string[]; top: number } | "return" | undefined;
type Statement = Record<string, unknown>;
/** What a statement does: decides, goes elsewhere, or nothing that matters here. */
type Effect = { final: string } | { call: string; returns: boolean } | "return" | "notrack" | undefined;

/** @param chains those of the base chain's own table, by name */
export function decideNft(chains: Record<string, NftChain>, base: NftChain, packet: Packet): Decision {
  const walk = new Walk(chains, packet);
  const found = walk.chain(base, { sure: true, mayReturn: false }, 0);
  const { doubts, untracked } = walk;
  const more = { doubts, ...(untracked ? { untracked } : {}) };
  if (found && found !== "return") return { ...found, ...more };
  return { target: (base.policy ?? "accept").toUpperCase(), chain: base.name, top: base.rules.length, ...more };
}

class Walk {
  readonly doubts: string[] = [];
  untracked?: Decision;

  constructor(readonly chains: Record<string, NftChain>, readonly packet: Packet) {}

  chain(chain: NftChain | undefined, call: Call, depth: number): Found {
    let mayReturn = false;
    for (const [at, rule] of (chain?.rules ?? []).entries()) {
      let match: Match = "yes";
      for (const statement of rule.expr) {
        match = both(match, matchOf(statement, this.packet));
        if (match === "no") break;
        for (const [sure, effect] of effectsOf(statement, match, this.packet)) {
          if (effect === undefined) continue;
          if (effect === "return") {
            if (sure === "yes") return "return";
            mayReturn = true;
            continue;
          }
          const here = {
            sure: call.sure && sure === "yes",
            mayReturn: call.mayReturn || mayReturn,
            top: call.top ?? at,
          };
          if (effect === "notrack") {
            if (here.sure) this.untracked ??= untrackedAt(chain!.name, [ruleText(rule)], here, this.doubts);
            continue;
          }
          const found: Found = "final" in effect
            ? { target: effect.final, chain: chain!.name, rule: [ruleText(rule)], top: at }
            : depth > 20
            ? undefined
            : this.chain(this.chains[effect.call], here, depth + 1);
          const decided = found !== undefined && found !== "return";
          // What `goto` leads to comes back to whoever called this chain.
          const returns = "call" in effect && !effect.returns && !decided;
          if (sure === "yes") {
            if (decided) {
              if (mayReturn) this.doubts.push("RETURN");
              return { ...found, top: at };
            }
            if (returns) return "return";
          } else if (decided) this.doubts.push(found.target);
          else if (returns) mayReturn = true;
        }
      }
    }
    return undefined;
  }
}

const VERDICTS: Record<string, string> = {
  accept: "ACCEPT",
  drop: "DROP",
  reject: "REJECT",
  queue: "NFQUEUE",
  snat: "SNAT",
  dnat: "DNAT",
  masquerade: "MASQUERADE",
  redirect: "REDIRECT",
};

function effectsOf(statement: Statement, match: Match, packet: Packet): [Match, Effect][] {
  const map = statement["vmap"];
  if (!isObject(map)) return [[match, effectOf(statement, packet)]];
  const set = isObject(map["data"]) ? map["data"]["set"] : undefined;
  // The elements of a named map are not in the ruleset as it is read.
  if (!Array.isArray(set) || !set.every(Array.isArray)) return [["maybe", { final: "ACCEPT" }]];
  return set.map(([value, verdict]) =>
    [both(match, mapMatch(map["key"], value, packet)), effectOf(verdict, packet)] as const
  )
    .filter((pair): pair is [Match, Effect] => pair[0] !== "no");
}

function effectOf(statement: unknown, packet: Packet): Effect {
  const [name = "", value] = isObject(statement) ? Object.entries(statement)[0] ?? [] : [];
  if (name === "jump" || name === "goto") {
    return isObject(value) ? { call: String(value["target"]), returns: name === "jump" } : undefined;
  }
  if (name === "return" || name === "notrack") return name;
  if (name === "xt") return xtTarget(value);
  if (name === "mangle") return isObject(value) && expires(hopLimitOf(value), packet) ? { final: "DROP" } : undefined;
  return VERDICTS[name] ? { final: VERDICTS[name] } : undefined;
}

/** `ip ttl set 1`, `ip6 hoplimit set 1`: the number. */
function hopLimitOf({ key, value }: Statement): unknown {
  const payload = isObject(key) ? key["payload"] : undefined;
  const field = isObject(payload) ? `${payload["protocol"]} ${payload["field"]}` : "";
  return field === "ip ttl" || field === "ip6 hoplimit" ? value : undefined;
}

/** A target of iptables, of which nft knows the name only. */
function xtTarget(value: unknown): Effect {
  const { type, name } = (value ?? {}) as { type?: string; name?: string };
  return type === "target" && name && FINAL.has(name) ? { final: name } : undefined;
}
