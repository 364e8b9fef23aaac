/** `nat64.mss: auto` in `up`: the legs of a path that works are measured, and the clamp follows what passes. */

import type { CheckInput } from "../checks/check.ts";
import type { LegSize } from "../checks/probe_result.ts";
import { type Blueprint, blueprint } from "../gateway/blueprint.ts";
import { compare } from "../gateway/compare.ts";
import { replay } from "../gateway/journal.ts";
import type { Step } from "../gateway/step.ts";
import { planProbe } from "../gateway/probe_plan.ts";
import { headersOf, LEG_NAMES, measuredMss, mssOf } from "../gateway/segments.ts";
import type { Survey } from "../gateway/survey.ts";
import { writeUndoScript } from "../machine/journal.ts";
import { type LegPlan, legPlans, measureLeg } from "../machine/leg_sizes.ts";
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

/** Measurements under way, by what is measured. */
export type Measuring = Map<string, Promise<LegSize>>;

/**
 * Begins to measure while the machine is being read. What the last look at it leads to expect is mostly what the next one
 * shows, and answers take a tenth of a second.
 */
export function measureAhead(
  { runner }: Context,
  made: Blueprint,
  survey: Survey,
  target: string | undefined,
): Measuring {
  if (!isMeasured(made)) return new Map();
  return new Map(
    plansOf(made, survey, target).map((plan) => {
      const size = measureLeg(runner, plan);
      // Whoever asks hears of its fault.
      size.catch(() => {});
      return [keyOf(plan), size];
    }),
  );
}

/** Whether the config leaves it to a measurement how large segments are. */
const isMeasured = ({ config, facts }: Blueprint): boolean =>
  config.nat64?.mss === "auto" && mssOf(config, facts) !== undefined;

function plansOf(made: Blueprint, survey: Survey, target: string | undefined): LegPlan[] {
  const probe = planProbe(made, target);
  return legPlans(made, survey, "reason" in probe ? undefined : probe, undefined);
}

const keyOf = (plan: LegPlan): string => JSON.stringify(plan);

/**
 * @param target an IPv4 host of the overlay; without one nobody may be there to measure the overlay with
 * @param measuring what has been begun already: of a leg that has turned out to be another one nothing is taken from it
 * @returns nothing where the config says how large segments are, and where there are none to hold
 */
export async function fitSegments(
  context: Context,
  { blueprint: made, survey, journal = replay([]) }: CheckInput,
  target: string | undefined,
  measuring: Measuring = new Map(),
): Promise<Segments | undefined> {
  const { config, facts } = made;
  const former = mssOf(config, facts);
  if (!isMeasured(made) || former === undefined) return undefined;
  context.ui.progress("measuring which packets pass");
  const legs = await Promise.all(
    plansOf(made, survey, target).map((plan) => measuring.get(keyOf(plan)) ?? measureLeg(context.runner, plan)),
  );
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
