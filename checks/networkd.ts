/** What systemd-networkd has taken away: the check network-managers speaks for it. Pure. */

import type { Item } from "../gateway/item.ts";
import { see } from "../gateway/see.ts";
import type { CheckInput } from "./check.ts";

const onDevice = (item: Item): item is Extract<Item, { kind: "address" | "route" }> =>
  item.kind === "address" || item.kind === "route";

/** Blackhole and unreachable routes go all together; a single one that is missing has another cause. */
const allGone = (input: CheckInput): boolean =>
  input.blueprint.items.filter((i) => i.kind === "route" && !i.device)
    .every((i) => see(i, input.survey).is === "absent");

/** Why an address or a route is missing, if networkd is why. */
export function takenByNetworkd(item: Item, input: CheckInput): string | undefined {
  const networkd = input.host?.managers?.networkd;
  if (!networkd || !onDevice(item) || see(item, input.survey).is !== "absent") return undefined;
  const file = item.device === undefined ? undefined : networkd.files[item.device];
  if (file !== undefined) return `systemd-networkd, which manages ${item.device} by ${file}, took it away`;
  const loose = item.device === undefined && !networkd.keepsRoutes && Object.keys(networkd.files).length > 0;
  return loose && allGone(input) ? "systemd-networkd takes such routes of others away" : undefined;
}
