/** Between which two points of the path packets got lost, by what was counted at each. Pure. */

import { PATH, type Side } from "../gateway/probe_points.ts";
import type { Hop } from "./check.ts";
import type { FlowName, Through } from "./probe_result.ts";

/**
 * `hook`: in PREROUTING, FORWARD or POSTROUTING, so a firewall has them. `route`: between PREROUTING and FORWARD, where the kernel
 * looks for a route. `tunnel`: in the tunnel's own packets, which a firewall has before they leave this machine, or when they are
 * back. `translator`: they went to tayga and did not come out. `beyond`: they left, and nothing came back.
 * `client`: at the probe's own client, which is nobody's fault.
 */
export type LossPlace = "hook" | "route" | "translator" | "tunnel" | "beyond" | "client";

export interface Loss {
  flow: FlowName;
  in: LossPlace;
  side: Side;
  /** For `hook` and `tunnel`. */
  hook?: "PREROUTING" | "FORWARD" | "POSTROUTING" | "OUTPUT" | "INPUT";
  hop: Hop;
}

/** Whether the flow came back: a reset may also come from a firewall in between, so the counters have a say. */
export function isAnswered({ flows, counts }: Through, flow: FlowName): boolean {
  const sent = flows[flow];
  if (!sent || sent.back === 0) return false;
  const seen = counts?.[flow];
  return seen === undefined || (seen["a4-in"] ?? 0) > 0;
}

/** @returns undefined for a flow that came back, was not sent, or was not counted */
export function lossOf(through: Through, flow: FlowName): Loss | undefined {
  const seen = through.counts?.[flow];
  if (!seen || !through.flows[flow] || isAnswered(through, flow)) return undefined;
  const at = PATH.findIndex((p) => (seen[p.id] ?? 0) === 0);
  const [before, missed] = [PATH[at - 1], PATH[at]];
  if (!before || !missed) return { flow, in: "client", side: at === 0 ? "request6" : "answer6", hop: "uplink" };
  const { side } = missed;
  if (before.side !== side) {
    return side === "answer4"
      ? { flow, side, ...beyondOf(through) }
      : { flow, in: "translator", side, hop: "translator" };
  }
  if (missed.hook === "forward" && missed.edge === "first") return { flow, in: "route", side, hop: ROUTES[side] };
  const hook = missed.hook === "prerouting" ? "PREROUTING" : missed.hook === "forward" ? "FORWARD" : "POSTROUTING";
  return { flow, in: "hook", side, hook, hop: "forward" };
}

/** With a tunnel "beyond" begins on this machine. */
function beyondOf({ tunnel }: Through): Pick<Loss, "in" | "hook" | "hop"> {
  if (tunnel && tunnel["t-sent"] > 0 && tunnel["t-out"] === 0) return { in: "tunnel", hook: "OUTPUT", hop: "overlay" };
  if (tunnel && tunnel["t-in"] > 0 && tunnel["t-taken"] === 0) return { in: "tunnel", hook: "INPUT", hop: "overlay" };
  return { in: "beyond", hop: "target" };
}

/** The station whose route it is: those of the checks prefix-route, overlay-route and pool-route. */
const ROUTES: Record<Side, Hop> = {
  request6: "translator",
  request4: "overlay",
  answer4: "translator",
  answer6: "uplink",
};
