/** The translators' side: tayga's configs and devices, and the routes that lead into them. Pure. */

import taygaTemplate from "../assets/tayga.conf" with { type: "text" };
import { embed, slice } from "./address.ts";
import type { Config } from "./config/types.ts";
import type { Facts } from "./facts.ts";
import {
  type Family,
  type FileItem,
  fileItem,
  type Item,
  linkItem,
  type RouteItem,
  routeItem,
  type SysctlItem,
  sysctlItem,
} from "./item.ts";
import { HEADER, Path, Unit } from "./names.ts";
import { aggregated } from "./networks.ts";
import { fill } from "./template.ts";
import { type Translator, workersOf } from "./workers.ts";

/** What leads into the translators, and what each of them has for itself. */
export interface TranslatorItems {
  sysctls: SysctlItem[];
  /** The translators' devices, and the ways back into them; first of all, what answers to nobody. */
  own: Item[];
  /** The slices of the prefix. */
  slices: RouteItem[];
  /** What the unit of a translator makes before its tayga starts. */
  madeBy: (translator: Translator) => Item[];
  /** What is made for all of them before any starts: a route with several next hops none of them may touch later on. */
  together: Item[];
}

export function translatorItems(config: Config, { routedMetric }: Pick<Facts, "routedMetric">): TranslatorItems {
  const workers = workersOf(config);
  if (workers.length === 0 || !config.prefix || !config.routed) {
    return { sysctls: [], own: [], slices: [], madeBy: () => [], together: [] };
  }
  const link = ({ device, instance }: Translator) =>
    linkItem(device, { type: "translator", config: Path.taygaConfig(instance) }, Unit.translator(instance));
  const back = ({ pool, device }: Translator) => routeItem(pool, { device });
  const own = [
    // All of `routed` that is not the overlay: answered by nobody, looped to nobody.
    routeItem(config.routed, { type: "blackhole", ...(routedMetric ? { metric: routedMetric } : {}) }),
    ...workers.map(link),
    ...workers.map(back),
    // Every translator knows all pairs: their hosts' answers come by any of them, and from there they are believed.
    ...mappedNetworks(config).map((to) => routeItem(to, into(workers, "inet"))),
  ];
  // Only the overlay's slices: with the whole prefix the Internet would reach the machine's other networks.
  const slices = slicesOf(config).map((to) => routeItem(to, into(workers, "inet6")));
  const all = [...own, ...slices];
  return workers.length === 1
    ? { sysctls: [], own, slices, madeBy: () => all, together: [] }
    : { sysctls: bySource, own, slices, madeBy: (w) => [link(w), back(w)], together: all };
}

/** What of a gateway's prefix stands for the overlay's networks. */
export const slicesOf = ({ prefix, overlay }: Config): string[] =>
  aggregated(overlay.routes.map((r) => r.to)).map((to) => slice(prefix!, to));

/** The overlay addresses that stand for IPv6 hosts. */
export const mappedNetworks = ({ nat64 }: Config): string[] => aggregated(nat64!.maps.map((m) => `${m.ipv4}/32`));

/**
 * By which device. With several the next hops are those of one route and no nexthop objects: when its tayga dies a device
 * loses its carrier, and the kernel then takes an object out of its group, so that the clients of all the others move, too;
 * a next hop of a route keeps its share, as long as nobody sets ignore_routes_with_linkdown.
 */
function into(workers: Translator[], family: Family): Partial<RouteItem> {
  if (workers.length === 1) return { device: workers[0]!.device };
  return { hops: workers.map(({ via, device }) => family === "inet6" ? { via, device } : { device }) };
}

/** A client stays with its translator, whatever its destinations and flow labels: by the source address alone. */
const bySource = [
  sysctlItem(["net/ipv6/fib_multipath_hash_policy"], "3"),
  sysctlItem(["net/ipv6/fib_multipath_hash_fields"], "1"),
];

export function taygaConfigFile({ device, instance, pool, address }: Translator, { prefix, nat64 }: Config): FileItem {
  const text = fill(taygaTemplate, {
    header: HEADER,
    device,
    ipv4: address,
    prefix: prefix!,
    pool,
    instance,
    maps: nat64!.maps.map((m) => `map ${m.ipv4} ${m.ipv6}`).join("\n"),
  });
  return fileItem(Path.taygaConfig(instance), text);
}

/** The translators' own IPv6 addresses: their IPv4 ones in the prefix. */
export const translatorAddresses6 = (config: Config): string[] =>
  workersOf(config).map(({ address }) => embed(config.prefix!, address));
