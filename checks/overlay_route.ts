import type { Item } from "../gateway/item.ts";
import { see } from "../gateway/see.ts";
import type { State } from "../gateway/state.ts";
import type { Check, CheckInput } from "./check.ts";
import { deviceTrouble, followerTrouble } from "./device.ts";
import { takenByNetworkd } from "./networkd.ts";
import { itemsOf } from "./owner.ts";
import { itemProblems, outcomeOf, type Problem } from "./problem.ts";
import { routeProblems } from "./route_problems.ts";

/** Routes to the overlay's networks. */
export const overlayRoute: Check = {
  id: "overlay-route",
  title: "The overlay's networks are routed to its link only",
  hop: "overlay",
  needs: [],
  looksAt:
    "The main table's routes to each network of overlay.routes: the one to the overlay link, and the unreachable one behind it; what the kernel answers for a packet to each, and which rule, narrower route or other table leads it elsewhere.",
  why:
    "Without the first nothing reaches the overlay. Without the second its packets leave by the uplink, not translated, when the overlay is down.",
  cure:
    "`ip route replace NETWORK dev DEVICE proto 64`, and `ip route replace unreachable NETWORK metric 2147483647 proto 64`.",
  run: (input) => {
    const excuse = (item: Item, { is }: State) =>
      takenByNetworkd(item, input) ??
        (item.kind === "route" && item.type === "unicast"
          ? reason(item.device!, input) ??
            (is === "absent" ? followerTrouble(input) : undefined)
          : undefined);
    const problems = itemsOf("overlay-route", input.blueprint).flatMap((item) =>
      itemProblems([item], input, excuse).map((p): Problem =>
        item.kind === "route" && item.type === "unreachable" ? { ...p, carries: true } : p
      )
    );
    return outcomeOf([...problems, ...routeProblems("overlay-route", input)], input);
  },
};

function reason(device: string, input: CheckInput): string | undefined {
  const trouble = deviceTrouble(device, input);
  if (trouble) return `the routes went with their device: ${trouble}`;
  const lost = input.blueprint.items.some((i) =>
    i.kind === "address" && i.device === device && see(i, input.survey).is !== "present"
  );
  return lost ? "the kernel removed the routes with the device's address" : undefined;
}
