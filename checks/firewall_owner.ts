/** Whose a chain is: by the names that well-known firewalls give to their chains and tables, or by nftables' own config. Pure. */

import { Path } from "../gateway/names.ts";
import type { BaseChain } from "../gateway/netfilter/base_chains.ts";
import type { Table } from "../gateway/netfilter/iptables_walk.ts";
import type { Decision } from "../gateway/netfilter/packet.ts";
import type { Survey } from "../gateway/survey.ts";

const CHAINS: [RegExp, string][] = [
  [/^ufw6?-/, "ufw"],
  [/^(FWD|FWDI|FWDO|IN|OUT|PRE|POST)_|_ZONES$|_direct$/, "firewalld"],
  [/^DOCKER/, "Docker"],
  [/^LIBVIRT_/, "libvirt"],
  [/^(KUBE-|cali-|CILIUM_|FLANNEL-)/, "Kubernetes"],
  [/^shorewall|^sw_|^(net|loc|dmz|fw)[-_2]/i, "Shorewall"],
  [/^(f2b|fail2ban)-/, "fail2ban"],
  [/^(ts-|tailscale)/, "Tailscale"],
  [/^crowdsec/i, "CrowdSec"],
];

const TABLES: [RegExp, string][] = [
  [/^firewalld$/, "firewalld"],
  [/^libvirt/, "libvirt"],
  [/^(docker|moby)/, "Docker"],
  [/^(kube|calico|cilium)/, "Kubernetes"],
  [/^f2b-/, "fail2ban"],
  [/^crowdsec/, "CrowdSec"],
  [/^wg-quick-/, "wg-quick"],
  [/^io\.systemd\./, "systemd"],
];

const nameIn = (known: [RegExp, string][], name: string) => known.find(([pattern]) => pattern.test(name))?.[1];

/** By the names of a table's chains; several firewalls can share a table. */
export function firewallOwner(table: Table): string | undefined {
  return ownersOf(Object.keys(table));
}

function ownersOf(chains: string[]): string | undefined {
  const owners = CHAINS.filter(([pattern]) => chains.some((c) => pattern.test(c))).map(([, owner]) => owner);
  return owners.length > 0 ? owners.join(" or ") : undefined;
}

/** @returns undefined when nothing tells: then somebody made it by hand, or with a script */
export function ownerOfChain(
  base: BaseChain,
  decision: Decision,
  { files }: Pick<Survey, "files">,
): string | undefined {
  if (base.backend === "nft") {
    const conf = files[Path.nftables]?.content ?? "";
    return nameIn(TABLES, base.table) ?? (isLoaded(base, conf) ? `nftables.service (${Path.nftables})` : undefined);
  }
  // A rule in a chain of its own is that one's; a rule in a built-in chain could be anybody's, a policy is the firewall's.
  if (decision.chain !== base.chain) return nameIn(CHAINS, decision.chain);
  return decision.rule ? undefined : ownersOf(base.chains);
}

function isLoaded({ family, table }: BaseChain, conf: string): boolean {
  const tables = [...conf.matchAll(/^\s*(?:add\s+)?table\s+(?:(ip6?|inet|netdev)\s+)?([\w.-]+)/gm)];
  return tables.some(([, of = "ip", name]) => of === family && name === table);
}
