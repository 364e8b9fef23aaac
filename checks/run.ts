/** Puts the checks to a blueprint and a survey: each at most once, prerequisites first, and never stops at the first fault. Pure. */

import type { Item } from "../gateway/item.ts";
import { see } from "../gateway/see.ts";
import type { Check, CheckInput, Finding, Outcome } from "./check.ts";

/** Checks that need the probe. */
export const PROBING = ["probe", "path-mtu", "prefix-routed"];
/** Checks that send packets, which takes time. */
export const SENDING = [...PROBING, "overlay-peers"];

/** What can be said of a machine on which nothing of the gateway was made yet. */
const BEFORE_UP = new Set(["packages", "tun-device", "conflicts", "network-managers", "disk", "clock", "drift"]);

/**
 * @param wanted ids to report; others are asked only where these need them
 * @returns findings in the order of the list
 */
export function runChecks(checks: readonly Check[], given: CheckInput, wanted?: ReadonlySet<string>): Finding[] {
  // Of this run alone: what checks have in common is computed once for it.
  const input = { ...given };
  const byId = new Map(checks.map((c) => [c.id, c]));
  const outcomes = new Map<string, Outcome>();
  const bare = isBare(input);
  const ask = (id: string): Outcome => {
    const check = byId.get(id);
    if (!check) throw new Error(`No check is called "${id}"`);
    const known = outcomes.get(id);
    if (known) return known;
    // A check that asks for itself on a detour is answered, so that two cannot wait for each other.
    outcomes.set(id, { verdict: "unknown", found: "asked for while it was being asked" });
    const outcome = outcomeFor(check, input, bare, ask);
    outcomes.set(id, outcome);
    return outcome;
  };
  return checks.filter((c) => wanted?.has(c.id) ?? true).map((c) => ({
    id: c.id,
    title: c.title,
    why: c.why,
    ...ask(c.id),
  }));
}

function outcomeFor(check: Check, input: CheckInput, bare: boolean, ask: (id: string) => Outcome): Outcome {
  const { config } = input.blueprint;
  const trouble = input.troubles.find((t) => t.check === check.id);
  if (trouble) {
    const { verdict, found, want } = trouble;
    return { verdict, found, ...(want ? { want } : {}) };
  }
  if (check.only === "gateway" && !config.nat64) {
    return { verdict: "skip", found: "not a gateway: crxn.yaml has no prefix" };
  }
  if (check.only === "yggdrasil" && config.overlay.type !== "yggdrasil") {
    return { verdict: "skip", found: `the overlay is an existing link, ${config.overlay.interface}` };
  }
  if (bare && !BEFORE_UP.has(check.id)) return { verdict: "skip", found: "nothing of the gateway is here yet" };
  const broken = check.needs.find((id) => ask(id).verdict === "fail");
  if (broken) return { verdict: "skip", found: `cannot be judged while ${broken} fails` };
  return check.run(input, ask);
}

/** Nothing that crxn makes is there: `up` was never run here, or `down` was. */
export function isBare({ blueprint, survey, journal }: CheckInput): boolean {
  if (journal && journal.entries.size > 0) return false;
  // The overlay's own config may be somebody else's; a unit of ours may not.
  const telling = (item: Item) =>
    (item.kind === "file" && item.unit) || item.kind === "chain" || item.kind === "table" || item.kind === "link";
  return blueprint.items.filter(telling).every((item) => ["absent", "unknown"].includes(see(item, survey).is));
}
