import type { Item } from "./item.ts";

/** The devices that an address, a route or a kernel parameter goes with. */
export function devicesUnder(item: Item): string[] {
  if (item.kind !== "address" && item.kind !== "route" && item.kind !== "sysctl") return [];
  return [
    ...(item.device === undefined ? [] : [item.device]),
    ...(item.kind === "route" ? item.hops ?? [] : []).map((h) => h.device),
  ];
}
