/** Order: in which order items can be made, and in which they can go. Pure. */

import { network } from "./cidr.ts";
import type { Item } from "./item.ts";
import type { Entry, Journal } from "./journal.ts";
import { instanceDropInPath, Path, Unit, unitPath } from "./names.ts";
import { Prefixes } from "./prefixes.ts";

/**
 * Entries of the journal that nothing wants any more, in the order in which they can go: who uses something goes before
 * what it uses, and forwarding before accept_ra (the other way round the kernel would drop the default route).
 */
export function unwantedEntries(items: Item[], journal: Pick<Journal, "entries">): Entry[] {
  const wanted = new Set(items.map((i) => i.id));
  const entries = [...journal.entries.values()].filter((e) => !wanted.has(e.item.id)).reverse();
  const first = filesOfTakenOver(entries);
  const rank = ({ item }: Entry) => item.kind === "file" && first.has(item.path) ? -1 : removalRank(item);
  return entries.sort((a, b) => rank(a) - rank(b));
}

/**
 * The unit of a service that was taken over is its owner's again before anything is stopped: nothing of crxn's that it
 * requires stops it, and should it be stopped, its owner's own commands take back what they made.
 */
function filesOfTakenOver(entries: Entry[]): Set<string> {
  return new Set(
    entries.flatMap(({ item }) =>
      item.kind === "service" && item.since !== undefined ? [unitPath(item.unit), instanceDropInPath(item.unit)] : []
    ),
  );
}

/**
 * Of those the routes that would go on taking packets of wider ones: of those that are made before the first service. The pool of a
 * translator that is no more, say, is then another's.
 */
export function inTheWay(unwanted: Entry[], items: Item[]): Set<Entry> {
  const services = items.findIndex(({ kind }) => kind === "service");
  const made = new Prefixes<true>();
  for (const item of items.slice(0, services)) {
    if (item.kind === "route" && item.type === "unicast") made.add(network(item.to), true);
  }
  return new Set(
    unwanted.filter(({ item }) =>
      item.kind === "route" && item.type === "unicast" && made.holding(network(item.to)).length > 0
    ),
  );
}

function removalRank(item: Item): number {
  if (item.kind === "link") return "underlay" in item.spec ? 4 : 5;
  // A device's own parameters go with it.
  if (item.kind === "sysctl") return item.device ? 6 : item.key.endsWith("/accept_ra") ? 8 : 7;
  // Before what it sets: after a reboot in between nobody would know that it was crxn who did.
  if (item.kind === "file" && item.path === Path.sysctl) return 6.5;
  return {
    service: 0,
    route: 1,
    address: 2,
    chain: 6,
    table: 6,
    file: 9,
    unwanted: 10,
    package: 11,
    program: 11,
  }[item.kind];
}

/** The journal's items in an order in which they can be made: a changed config has added to them at the end. */
export function inMakingOrder(items: Item[]): Item[] {
  const first = [Unit.overlay, Unit.firewall] as string[];
  const late = (item: Item) => item.kind === "service" ? -first.indexOf(item.unit) : 0;
  const rank = (item: Item) => "device" in item && item.kind === "sysctl" ? 3 : removalRank(item);
  return [...items].sort((a, b) => rank(b) - rank(a) || late(a) - late(b));
}
