import type { Check } from "./check.ts";
import { excusedByDevice } from "./device.ts";
import { itemsOf } from "./owner.ts";
import { itemProblems, outcomeOf } from "./problem.ts";
import { routeProblems } from "./route_problems.ts";

/** What is not the overlay's of the routed network. */
export const blackholeRoute: Check = {
  id: "blackhole-route",
  title: "The rest of the routed network ends here",
  hop: "uplink",
  only: "gateway",
  needs: [],
  looksAt:
    "The blackhole route for `routed`, normally the /64 around the prefix, and whether packets for its unused part do end here.",
  why:
    "Packets for the unused part of the network would follow the default route back to the provider, which sends them here again, until their hop limit ends.",
  cure: "`ip -6 route replace blackhole ROUTED proto 64` (`add` fails when it is there already).",
  run: (input) => {
    const problems = [
      ...itemProblems(itemsOf("blackhole-route", input.blueprint), input, excusedByDevice(input)),
      ...routeProblems("blackhole-route", input),
    ];
    return outcomeOf(problems.map((p) => ({ ...p, carries: true as const })), input);
  },
};
