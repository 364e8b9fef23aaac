/** The translator's side: tayga's config and device, and the routes that lead into it. Pure. */

import taygaTemplate from "../assets/tayga.conf" with { type: "text" };
import { embed, slice } from "./address.ts";
import type { Config } from "./config/types.ts";
import { type FileItem, fileItem, type Item, linkItem, routeItem } from "./item.ts";
import { HEADER, Path, translatorDevice, Unit } from "./names.ts";
import { hostAt } from "./networks.ts";
import { fill } from "./template.ts";

export function translatorItems(config: Config): Item[] {
  if (!config.nat64 || !config.prefix || !config.routed) return [];
  const { instance, pool, maps } = config.nat64;
  const device = translatorDevice(instance);
  return [
    // All of `routed` that is not the overlay: answered by nobody, looped to nobody.
    routeItem(config.routed, { type: "blackhole" }),
    linkItem(device, { type: "translator", config: Path.taygaConfig(instance) }, Unit.translator(instance)),
    routeItem(pool, { device }),
    ...maps.map((m) => routeItem(`${m.ipv4}/32`, { device })),
    // Only the overlay's slices: with the whole prefix the Internet would reach the machine's other networks.
    ...config.overlay.routes.map((r) => routeItem(slice(config.prefix!, r.to), { device })),
  ];
}

export function taygaConfigFile(config: Config): FileItem {
  const { instance, pool, maps } = config.nat64!;
  const text = fill(taygaTemplate, {
    header: HEADER,
    device: translatorDevice(instance),
    ipv4: translatorAddress(pool),
    prefix: config.prefix!,
    pool,
    instance,
    maps: maps.map((m) => `map ${m.ipv4} ${m.ipv6}`).join("\n"),
  });
  return fileItem(Path.taygaConfig(instance), text);
}

/** tayga's own IPv4 address, the source of its ICMP errors: the first of the pool, which tayga then hands to nobody. */
export const translatorAddress = (pool: string): string => hostAt(pool, 1);

/** tayga's own IPv6 address: its IPv4 one in the prefix. */
export const translatorAddress6 = (config: Config): string =>
  embed(config.prefix!, translatorAddress(config.nat64!.pool));
