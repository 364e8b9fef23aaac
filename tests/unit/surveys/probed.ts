/** What a probe brings home: packets that were counted up to a point, and what is known of it. */

import { assert } from "@std/assert";
import type { FlowName, Probed, Through } from "../../../checks/probe_result.ts";
import { PATH, POINTS } from "../../../gateway/probe_points.ts";

/** A flow that was seen up to (and without) this point, and where else. */
export function through(
  flow: FlowName,
  missed: string | undefined,
  more: Partial<Through> = {},
  aside: string[] = [],
): Through {
  const at = missed === undefined ? PATH.length : PATH.findIndex((p) => p.id === missed);
  assert(at >= 0, `there is no point ${missed}`);
  const seen = Object.fromEntries(POINTS.map((p) => [p.id, aside.includes(p.id) ? 3 : 0]));
  for (const p of PATH.slice(0, at)) seen[p.id] = 3;
  const whole = Object.fromEntries(POINTS.map((p) => [p.id, p.aside ? 0 : 3]));
  const flows = Object.fromEntries((["small", "large", "tcp"] as const).map((name) => [
    name,
    { sent: 3, back: name === flow && missed !== undefined ? 0 : 3, command: ["ping"], output: "" },
  ]));
  return {
    client: "2001:db8:300:4:0:1:c700:10",
    device: "probe-1",
    target: "10.1.0.3",
    mapped: "2001:db8:300:4::a01:3",
    translator: "nat64-ygg",
    overlay: "wg0",
    flows,
    counts: { small: whole, large: whole, tcp: whole, [flow]: seen },
    ...more,
  };
}

export const probed = (seen: Through, kind: Probed["kind"] = "prefix"): Probed => ({
  ran: true,
  kind,
  target: seen.target,
  address: seen.mapped,
  sent: 3,
  received: kind === "prefix" || kind === "guess" ? seen.flows.small!.back : 3,
  command: ["ping"],
  output: "",
  through: seen,
});

export const get = (output: string): Partial<Through> => ({ route: { command: ["ip", "route", "get"], output } });
export const by = (table: string, chain: string, rule?: string): Partial<Through> => ({
  dropped: { table, chain, ...(rule ? { rule } : {}), flow: "small" },
});
