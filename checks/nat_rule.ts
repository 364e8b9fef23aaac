import type { Check } from "./check.ts";
import { excusedByFlush } from "./flushed.ts";
import { overtaken, redirected } from "./foreign_nat.ts";
import { itemsOf } from "./owner.ts";
import { itemProblems, outcomeOf } from "./problem.ts";
import { untrackedProblems } from "./untracked.ts";

/** Source NAT from the pool to the overlay address. */
export const natRule: Check = {
  id: "nat-rule",
  title: "The pool appears in the overlay as one address",
  hop: "forward",
  only: "gateway",
  needs: [],
  looksAt:
    "CRXN-POSTROUTING of the nat table and the jump to it; rules of others, in iptables, iptables-legacy and nftables, that decide before it, send packets elsewhere (DNAT), rewrite clients' addresses, or switch connection tracking off (notrack).",
  why: "The overlay knows the gateway's address only: an answer to an address of the pool would have nowhere to go.",
  cure:
    "`crxn up`, which makes the chain in one transaction. A rule of somebody else's is theirs to change: accept the gateway's packets before it. Flows that began without it keep their old address until they end.",
  run: (input) => {
    const own = itemProblems(itemsOf("nat-rule", input.blueprint), input, excusedByFlush(input));
    return outcomeOf([
      ...own,
      ...(own.length > 0 ? [] : overtaken(input)),
      ...redirected(input),
      ...untrackedProblems("inet", input),
    ], input);
  },
};
