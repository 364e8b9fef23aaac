/** Facts as `up` found them, where the journal still knows: a machine with a fault may no longer show them. Pure. */

import type { Facts, Identity } from "../gateway/facts.ts";
import type { LinkItem } from "../gateway/item.ts";
import type { Journal } from "../gateway/journal.ts";
import { linkOf, type Survey } from "../gateway/survey.ts";

/**
 * Without this a lost tunnel could change its kind, and an accept_ra that somebody switched off would no longer be wanted:
 * one fault would look like many, or like none.
 */
export function settledFacts(
  facts: Facts,
  journal: Journal | undefined,
  survey: Survey,
  tunnel: string | undefined,
): Facts {
  const items = [...journal?.entries.values() ?? []].map((e) => e.item);
  const announced = items.flatMap((i) => {
    const device = i.kind === "sysctl" ? /^net\/ipv6\/conf\/([^/]+)\/accept_ra$/.exec(i.key)?.[1] : undefined;
    return device !== undefined && linkOf(survey, device) ? [device] : [];
  });
  const made = tunnelOf(items.filter((i): i is LinkItem => i.kind === "link"));
  const kept = made && tunnel === "auto" && facts.tunnel?.kind !== made.type;
  return {
    ...facts,
    advertised: [...new Set([...facts.advertised, ...announced])].sort(),
    ...(kept ? { tunnel: { kind: made.type, why: "auto: it is what `crxn up` took" } } : {}),
    ...(made && facts.identity ? { identity: { ...facts.identity, address: made.local } } : {}),
  };
}

function tunnelOf(links: LinkItem[]): { type: "vxlan" | "ip6gre"; local: string } | undefined {
  const found = links.map((l) => l.spec).find((s) => s.type === "vxlan" || s.type === "ip6gre");
  return found?.type === "vxlan" || found?.type === "ip6gre" ? { type: found.type, local: found.local } : undefined;
}

/** Whom the node is taken for while its own config cannot be read: who it says it is, or whom its tunnel was made for. */
export function standIn(survey: Survey, journal: Journal | undefined): Identity {
  const made = tunnelOf([...journal?.entries.values() ?? []].flatMap(({ item }) => item.kind === "link" ? [item] : []));
  const tunnel = survey.links.find((l) => /^crxn-[0-9a-f]{8}$/.test(l.name))?.data ?? {};
  const local = tunnel["local6"] ?? tunnel["local"];
  const address = made?.local ?? (typeof local === "string" ? local : survey.overlay?.address ?? "::");
  return { publicKey: survey.overlay?.publicKey ?? "", address, from: "kept" };
}
