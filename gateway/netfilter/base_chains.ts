/**
 * The chains that the kernel itself calls, of iptables-nft, iptables-legacy and native nftables alike, in the order in which
 * a packet meets them. Pure. nft(8) "Standard priority names", enum nf_ip_hook_priorities.
 */

import type { Family } from "../item.ts";
import { LIMITS_TABLE } from "../names.ts";
import type { Ruleset, Survey } from "../survey.ts";
import { decide } from "./iptables_walk.ts";
import type { NftChain, NftFamily } from "./nft.ts";
import { decideNft } from "./nft_walk.ts";
import type { Decision, Packet } from "./packet.ts";

export const HOOKS = ["ingress", "prerouting", "input", "forward", "output", "postrouting", "egress"] as const;
export type Hook = typeof HOOKS[number];

/** What a packet meets that passes through, that is for the machine itself, that comes from it. */
export const PATHS = {
  forward: ["ingress", "prerouting", "forward", "postrouting", "egress"],
  input: ["ingress", "prerouting", "input"],
  output: ["output", "postrouting", "egress"],
} as const satisfies Record<string, readonly Hook[]>;

export interface BaseChain {
  backend: "iptables" | "iptables-legacy" | "nft";
  family: NftFamily;
  table: string;
  chain: string;
  type: string;
  hook: Hook;
  priority: number;
  /** The ruleset or the tables that it belongs to, to tell whose it is. */
  chains: string[];
  /** ingress: for which device; undefined where nft did not say. */
  devices?: string[];
  decide(packet: Packet): Decision | undefined;
}

/** Of the tables of iptables; the nat table does source NAT where packets leave. */
const PRIORITIES: Record<string, number> = { raw: -300, mangle: -150, nat: -100, filter: 0, security: 50 };

/** All that a packet of this family can meet; within a hook in order. The same for whoever asks about the same rules. */
export function baseChains({ rules, legacy, native = NONE }: Survey, family: Family): BaseChain[] {
  const parts = [rules[family], legacy?.[family], native] as const;
  const before = known[family].get(native);
  if (before && before.parts.every((part, i) => part === parts[i])) return before.chains;
  const chains = chainsOf(parts, family);
  known[family].set(native, { parts, chains });
  return chains;
}

type Parts = readonly [rules?: Ruleset, legacy?: Ruleset, native?: NftChain[]];
const NONE: NftChain[] = [];
const known = { inet: new WeakMap<NftChain[], Known>(), inet6: new WeakMap<NftChain[], Known>() };
interface Known {
  parts: Parts;
  chains: BaseChain[];
}

function chainsOf([rules, legacy, native = NONE]: Parts, family: Family): BaseChain[] {
  const all = [
    ...ofIptables("iptables", family, rules),
    ...ofIptables("iptables-legacy", family, legacy),
    ...ofNft(native, family),
  ];
  return all.sort((a, b) => HOOKS.indexOf(a.hook) - HOOKS.indexOf(b.hook) || a.priority - b.priority);
}

function ofIptables(backend: BaseChain["backend"], family: Family, ruleset: Ruleset = {}): BaseChain[] {
  return Object.entries(ruleset).flatMap(([table, chains]) =>
    Object.values(chains).filter((c) => c.policy !== undefined).map((c): BaseChain => {
      const hook = c.name.toLowerCase() as Hook;
      const source = table === "nat" && (hook === "postrouting" || hook === "input");
      return {
        backend,
        family: family === "inet" ? "ip" : "ip6",
        table,
        chain: c.name,
        type: table === "nat" ? "nat" : "filter",
        hook,
        priority: source ? 100 : PRIORITIES[table] ?? 0,
        chains: Object.keys(chains),
        decide: (packet) => decide(chains, c.name, packet),
      };
    })
  );
}

function ofNft(native: NftChain[], family: Family): BaseChain[] {
  const meets: string[] = family === "inet" ? ["ip", "inet", "netdev"] : ["ip6", "inet", "netdev"];
  // Ours counts sources, which no packet tells: a probe that it drops is traced to its rule.
  const others = native.filter((c) => `${c.family} ${c.table}` !== LIMITS_TABLE);
  return others.filter((c) => meets.includes(c.family) && c.hook !== undefined && !c.dormant).map((base): BaseChain => {
    const table = native.filter((c) => c.family === base.family && c.table === base.table);
    const chains = Object.fromEntries(table.map((c) => [c.name, c]));
    return {
      backend: "nft",
      family: base.family,
      table: base.table,
      chain: base.name,
      type: base.type ?? "filter",
      hook: base.hook as Hook,
      priority: base.priority ?? 0,
      chains: Object.keys(chains),
      ...(base.devices ? { devices: base.devices } : {}),
      decide: (packet) => decideNft(chains, base, packet),
    };
  });
}
