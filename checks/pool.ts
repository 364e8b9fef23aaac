import { parseNetwork } from "../gateway/cidr.ts";
import type { Check } from "./check.ts";
import { outcomeOf } from "./problem.ts";

/** How full the pool may be before it is worth a word (share of its addresses). */
const NEARLY_FULL = 0.9;

/** Addresses of a pool. tayga keeps the first for itself; the network's own one is never handed out. */
export const poolSize = (network: string): number => 2 ** (32 - (parseNetwork(network)?.length ?? 32));

/** Addresses for clients. */
export const pool: Check = {
  id: "pool",
  title: "The pool has addresses left",
  hop: "translator",
  only: "gateway",
  needs: [],
  looksAt: "tayga's list of addresses in use, /var/lib/tayga/INSTANCE/dynamic.map, against the size of nat64.pool.",
  why:
    "Each IPv6 client holds an address for two hours and more. When none is left, new clients are refused, and tayga logs nothing.",
  cure: "A larger `nat64.pool`; `nat64.clients` to keep strangers out. A restart of tayga does not free addresses.",
  run: (input) => {
    const { blueprint, survey } = input;
    const network = blueprint.config.nat64!.pool;
    if (survey.poolUsed === undefined) return { verdict: "pass", found: "no address has been given out yet" };
    const size = poolSize(network);
    const found = `${survey.poolUsed} of ${size} addresses of ${network} are in use`;
    if (survey.poolUsed >= size - 3) return outcomeOf([{ found, want: "free addresses" }], input);
    if (survey.poolUsed > size * NEARLY_FULL) {
      return outcomeOf([{ found, want: "more free addresses", verdict: "warn" }], input);
    }
    return { verdict: "pass", found };
  },
};
