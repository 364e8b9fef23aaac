/** Which check speaks for an item of the blueprint. Each has exactly one, so that one fault is one finding. */

import type { Blueprint } from "../gateway/blueprint.ts";
import { devicesUnder } from "../gateway/devices_under.ts";
import type { ChainItem, FileItem, Item, RouteItem, ServiceItem } from "../gateway/item.ts";
import { Path, Unit } from "../gateway/names.ts";
import { isUpkeep } from "../gateway/upkeep_units.ts";

/** @returns the id of the check */
export function ownerOf(item: Item, blueprint: Blueprint): string {
  switch (item.kind) {
    case "package":
    case "program":
      return "packages";
    case "unwanted":
      return "conflicts";
    case "file":
      return fileOwner(item, blueprint);
    case "sysctl":
      if (item.device) return "tunnel-routing";
      if (item.key.includes("/fib_multipath_")) return "prefix-route";
      return item.key.endsWith("/accept_ra") ? "accept-ra" : "forwarding-sysctl";
    case "link":
      return item.spec.type === "translator" ? "translator-device" : "tunnel-routing";
    case "address":
      return "overlay-address";
    case "route":
      return routeOwner(item, blueprint);
    case "chain":
      return chainOwner(item, blueprint);
    case "table":
      return "pool";
    case "service":
      return serviceOwner(item, blueprint);
  }
}

/** The sysctl file is judged line by line by the checks of its parameters; what else is wrong with it is drift. */
function fileOwner({ path, filledBy }: FileItem, { workers }: Blueprint): string {
  if (isUpkeep(filledBy ?? path.slice(Path.units.length + 1))) return "upkeep";
  return workers.some((w) => path === Path.taygaConfig(w.instance)) ? "translator-config" : "drift";
}

function routeOwner(item: RouteItem, { workers }: Blueprint): string {
  if (item.type === "blackhole") return "blackhole-route";
  const devices = item.type === "unreachable" ? [] : devicesUnder(item);
  if (!workers.some((w) => devices.includes(w.device))) return "overlay-route";
  return item.family === "inet6" ? "prefix-route" : "pool-route";
}

function chainOwner({ family, table, from }: ChainItem, { config }: Blueprint): string {
  // Out of a tunnel, only what its node may send; on a link that was there before, and in IPv6, only what is not forged.
  if (table === "raw" && (family === "inet6" || config.overlay.type === "interface")) return "drift";
  if (table === "nat") return family === "inet" ? "nat-rule" : "tunnel-routing";
  if (table === "mangle" && from === "FORWARD") return "mss-clamp";
  if (table === "mangle" || table === "raw") return "tunnel-routing";
  // Of CRXN-INPUT the check tunnel-routing takes the tunnel's rules, drift the guard of the machine itself.
  return from === "FORWARD" ? "forward-policy" : "drift";
}

/** tayga requires the firewall's unit, so it is the translator's on a gateway. */
function serviceOwner({ unit }: ServiceItem, { config }: Blueprint): string {
  if (unit.startsWith("tayga@")) return "translator-service";
  if (isUpkeep(unit)) return "upkeep";
  return unit === Unit.firewall && config.nat64 ? "translator-service" : "overlay-service";
}

/** The items that a check speaks for, in the blueprint's order. */
export function itemsOf(id: string, blueprint: Blueprint): Item[] {
  let owned = byOwner.get(blueprint);
  if (!owned) byOwner.set(blueprint, owned = Map.groupBy(blueprint.items, (item) => ownerOf(item, blueprint)));
  return owned.get(id) ?? [];
}

/** Every check asks for its own. */
const byOwner = new WeakMap<Blueprint, Map<string, Item[]>>();
