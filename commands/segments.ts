/** `nat64.mss: auto` in `up`: the legs of a path that works are measured, and the clamp follows what passes. */

import type { CheckInput } from "../checks/check.ts";
import type { LegSize } from "../checks/probe_result.ts";
import { blueprint } from "../gateway/blueprint.ts";
import { compare } from "../gateway/compare.ts";
import { replay } from "../gateway/journal.ts";
import type { Step } from "../gateway/step.ts";
import { planProbe } from "../gateway/probe_plan.ts";
import { headersOf, LEG_NAMES, measuredMss, mssOf } from "../gateway/segments.ts";
import { writeUndoScript } from "../machine/journal.ts";
import { legPlans, measureLeg } from "../machine/leg_sizes.ts";
import { uninterrupted } from "./alone.ts";
import type { Context } from "./context.ts";
import { make, settleAll } from "./make.ts";

/** What TCP is held to, in bytes, and what was measured for that. */
export interface Segments {
  mss: number;
  /** The clamp's value in front of this measurement. */
  former: number;
  legs: LegSize[];
  /** What was done to the clamp. */
  steps: Step[];
}

/**
 * @param target an IPv4 host of the overlay; without one nobody may be there to measure the overlay with
 * @returns nothing where the config says how large segments are, and where there are none to hold
 */
export async function fitSegments(
  context: Context,
  { blueprint: made, survey, journal = replay([]) }: CheckInput,
  target: string | undefined,
): Promise<Segments | undefined> {
  const { config, facts } = made;
  const former = mssOf(config, facts);
  if (config.nat64?.mss !== "auto" || former === undefined) return undefined;
  context.ui.progress("measuring which packets pass");
  const probe = planProbe(made, target);
  const plans = legPlans(made, survey, "reason" in probe ? undefined : probe, undefined);
  const legs = await Promise.all(plans.map((plan) => measureLeg(context.runner, plan)));
  const sizes = legs.map(({ leg, passes }) => ({ headers: headersOf(leg, facts), ...(passes ? { passes } : {}) }));
  const { measuredMss: earlier, ...rest } = facts;
  const measured = measuredMss(facts, sizes, earlier);
  const changed = blueprint(config, measured === undefined ? rest : { ...rest, measuredMss: measured });
  const mss = mssOf(config, changed.facts)!;
  const steps = mss === former ? [] : compare(changed.items, survey, journal);
  if (steps.length > 0) {
    using signals = uninterrupted(context);
    await make(context, { journal, survey, blueprint: changed }, steps, signals);
    await settleAll(context);
    await writeUndoScript();
  }
  return { mss, former, legs, steps };
}

/** Said where links promise more than passes, and where what is held to is another value than before. */
export function segmentsLines({ mss, former, legs }: Segments): string[] {
  const narrow = legs.filter((l) => l.passes !== undefined && l.passes < l.full);
  if (narrow.length === 0 && mss === former) return [];
  return [
    ...narrow.map((l) => `Of ${l.full} bytes ${l.passes} pass ${LEG_NAMES[l.leg]} (${l.device}, to ${l.to}).`),
    `TCP is held to segments of ${mss} bytes${mss === former ? "" : `, from ${former}`}.`,
  ];
}

/** `passes` is missing where nobody answers. */
export const segmentsJson = ({ mss, legs }: Segments) => ({
  mss,
  legs: legs.map(({ leg, device, to, full, passes }) => ({ leg, device, to, full, passes })),
});
