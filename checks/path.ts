/** The path from client to overlay host, station by station, as far as findings and probe tell. Pure. */

import { type Check, type Finding, type Hop, HOPS } from "./check.ts";
import type { CheckInput } from "./check.ts";
import { isBare } from "./run.ts";

export interface Station {
  hop: Hop;
  state: "ok" | "broken" | "unknown";
}

/** An overlay node has no uplink and no translator on its path. */
export const stationsOf = ({ config }: CheckInput["blueprint"]): Hop[] =>
  config.nat64 ? [...HOPS] : ["forward", "overlay", "target"];

/** What lies behind a broken station cannot be told. */
export function pathOf(checks: readonly Check[], findings: Finding[], input: CheckInput): Station[] {
  const hopOf = (f: Finding): Hop | undefined => f.hop ?? checks.find((c) => c.id === f.id)?.hop;
  const probed = input.probe?.ran && input.probe.received > 0 ? input.probe.kind : undefined;
  const through = probed !== undefined && probed !== "overlay";
  let broken = false;
  if (isBare(input)) return stationsOf(input.blueprint).map((hop) => ({ hop, state: "unknown" }));
  return stationsOf(input.blueprint).map((hop): Station => {
    if (broken) return { hop, state: "unknown" };
    const here = findings.filter((f) => hopOf(f) === hop);
    if (here.some((f) => f.verdict === "fail" && !f.carries)) {
      broken = true;
      return { hop, state: "broken" };
    }
    if (hop === "target") return { hop, state: through ? "ok" : "unknown" };
    return {
      hop,
      state: through || here.some((f) => f.verdict === "pass" || f.verdict === "warn" || f.carries) ? "ok" : "unknown",
    };
  });
}
