import type { Item } from "../gateway/item.ts";
import type { State } from "../gateway/state.ts";
import type { Check } from "./check.ts";
import { excusedByDevice, followerTrouble } from "./device.ts";
import { itemsOf } from "./owner.ts";
import { itemProblems, outcomeOf } from "./problem.ts";
import { routeProblems } from "./route_problems.ts";

/** The gateway's own address in the overlay. */
export const overlayAddress: Check = {
  id: "overlay-address",
  title: "The machine has its overlay address",
  hop: "overlay",
  needs: [],
  looksAt: "The addresses of the overlay link, and that the kernel takes packets for them in.",
  why: "All clients appear in the overlay under this one address; answers to it have to find this machine.",
  cure: "`ip address replace ADDRESS dev DEVICE`, and its routes, which the kernel removes with the last address.",
  run: (input) => {
    const { blueprint } = input;
    // With its last IPv4 address a device loses its IPv4 routes: both are mended together.
    const routesOn = (device: string | undefined) =>
      blueprint.items.filter((i) => i.kind === "route" && i.family === "inet" && i.device === device);
    const device = excusedByDevice(input);
    const excuse = (item: Item, { is }: State) =>
      device(item) ?? (is === "absent" ? followerTrouble(input) : undefined);
    const problems = itemsOf("overlay-address", blueprint).flatMap((item) =>
      itemProblems([item], input, excuse).map((p) =>
        p.items && item.kind === "address" ? { ...p, items: [...p.items, ...routesOn(item.device)] } : p
      )
    );
    return outcomeOf([...problems, ...routeProblems("overlay-address", input)], input);
  },
};
