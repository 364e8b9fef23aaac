/** The routes of a machine as they would be with crxn's own back in place. Pure. */

import type { Item } from "../gateway/item.ts";
import { OWN_PROTOCOL } from "../gateway/names.ts";
import { canonicalNetwork } from "../gateway/networks.ts";
import { see } from "../gateway/see.ts";
import type { RouteSeen, Survey } from "../gateway/survey.ts";
import type { CheckInput } from "./check.ts";

/** What is crxn's comes first: of equal routes it is the one that counts. */
export function restored({ blueprint, survey }: Pick<CheckInput, "blueprint" | "survey">): Survey {
  const lacking = blueprint.items.flatMap((item) => {
    const route = routeOf(item);
    return route && see(item, survey).is !== "present" ? [route] : [];
  });
  return lacking.length === 0 ? survey : { ...survey, routes: [...lacking, ...survey.routes] };
}

/** An address brings a route of the table local with it. */
function routeOf(item: Item): RouteSeen | undefined {
  if (item.kind === "address") {
    const { family, device } = item;
    const to = canonicalNetwork(item.address.split("/")[0]!);
    return { family, to, type: "local", device, table: "local", protocol: "kernel", metric: 0 };
  }
  if (item.kind !== "route") return undefined;
  const { family, type, device, via, hops, metric } = item;
  return {
    family,
    to: canonicalNetwork(item.to),
    type,
    ...(device ? { device } : {}),
    ...(via ? { via } : {}),
    ...(hops ? { hops } : {}),
    table: "main",
    protocol: OWN_PROTOCOL,
    metric: metric ?? (family === "inet6" ? 1024 : 0),
  };
}
