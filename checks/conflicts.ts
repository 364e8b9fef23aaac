import type { Check, CheckInput } from "./check.ts";
import { routeLine } from "./evidence.ts";
import { itemsOf } from "./owner.ts";
import { itemProblems, outcomeOf, type Problem } from "./problem.ts";
import { kernelTranslators, otherTaygas, ownAddresses, rivalRoutes, strayTaygas } from "./rivals.ts";
import { deletion } from "./route_problems.ts";

/** Others that want the same. */
export const conflicts: Check = {
  id: "conflicts",
  title: "No other translator is in the way",
  hop: "translator",
  only: "gateway",
  early: true,
  needs: [],
  looksAt:
    "Debian's own tayga.service, tayga with any other config in /etc/tayga or started by hand, Jool (its module, and rules that hand packets to it); routes of the prefix or the pool into other TUN devices, and addresses of either on this machine's own devices.",
  why:
    "Debian 13 starts tayga with a sample config when it is installed. Two translators for one prefix take each other's packets.",
  cure:
    "`systemctl disable --now tayga.service`; stop the other translator, or give one of them another prefix and pool.",
  run: (input) => {
    return outcomeOf([
      // The sample config has a prefix and a pool of its own.
      ...itemProblems(itemsOf("conflicts", input.blueprint), input).map((p) => ({ ...p, carries: true as const })),
      ...otherTaygas(input),
      ...strayTaygas(input),
      ...kernelTranslators(input),
      ...ownAddresses(input),
      ...rivals(input),
    ], input);
  },
};

const rivals = (input: CheckInput): Problem[] =>
  rivalRoutes(input).map((r) => ({
    found: `another translator has the route "${routeLine(r)}"`,
    want: "one translator for the prefix and the pool",
    fix: [deletion(r)],
  }));
