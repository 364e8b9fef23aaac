/** What systemd-networkd has taken away: the check network-managers speaks for it. Pure. */

import { devicesUnder } from "../gateway/devices_under.ts";
import type { Item } from "../gateway/item.ts";
import { see } from "../gateway/see.ts";
import type { CheckInput } from "./check.ts";

const onDevice = (item: Item): item is Extract<Item, { kind: "address" | "route" }> =>
  item.kind === "address" || item.kind === "route";

/** Blackhole and unreachable routes go all together; a single one that is missing has another cause. */
const allGone = (input: CheckInput): boolean =>
  input.blueprint.items.filter((i) => i.kind === "route" && devicesUnder(i).length === 0)
    .every((i) => see(i, input.survey).is === "absent");

/** Why an address or a route is missing, if networkd is why. */
export function takenByNetworkd(item: Item, input: CheckInput): string | undefined {
  const networkd = input.host?.managers?.networkd;
  if (!networkd || !onDevice(item) || see(item, input.survey).is !== "absent") return undefined;
  const devices = devicesUnder(item);
  const managed = devices.find((name) => networkd.files[name] !== undefined);
  if (managed) return `systemd-networkd, which manages ${managed} by ${networkd.files[managed]}, took it away`;
  const loose = devices.length === 0 && !networkd.keepsRoutes && Object.keys(networkd.files).length > 0;
  return loose && allGone(input) ? "systemd-networkd takes such routes of others away" : undefined;
}
