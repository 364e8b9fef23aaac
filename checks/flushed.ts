/** All of crxn's rules gone at once: somebody has emptied the tables, which is one fault however many checks feel it. Pure. */

import type { ChainItem, Item } from "../gateway/item.ts";
import { see } from "../gateway/see.ts";
import type { CheckInput } from "./check.ts";
import { type Problem, withFile } from "./problem.ts";

const isChain = (item: Item): item is ChainItem => item.kind === "chain";

export function isFlushed({ blueprint, survey }: CheckInput): boolean {
  // Whoever empties the tables may not think of raw.
  const chains = blueprint.items.filter(isChain).filter(({ table }) => table !== "raw");
  return chains.length > 1 && chains.every((item) => see(item, survey).is === "absent");
}

/** For the checks of single chains: forward-policy speaks for all of them then. */
export const excusedByFlush = (input: CheckInput) => (item: Item): string | undefined =>
  (isChain(item) || item.kind === "table") && isFlushed(input)
    ? "all of crxn's rules are gone (see forward-policy)"
    : undefined;

export function flushedProblem(input: CheckInput): Problem {
  const { native = [] } = input.survey;
  const firewalld = native.some((c) => c.table === "firewalld");
  return {
    found: `all of crxn's rules are gone: somebody has emptied the tables${
      firewalld
        ? "; firewalld before 2.0 does so at its start and at every reload"
        : ' ("nft flush ruleset", a restart of nftables.service)'
    }`,
    want: "crxn's chains, and the jumps to them",
    items: input.blueprint.items.filter((i) => isChain(i) || i.kind === "table").flatMap((i) => withFile(i, input)),
  };
}
