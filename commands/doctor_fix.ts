/** `crxn doctor --fix`: the steps of the findings that fail, and nothing else. */

import type { Finding } from "../checks/check.ts";
import { stepsFor } from "../checks/fix.ts";
import type { Item } from "../gateway/item.ts";
import type { Step } from "../gateway/step.ts";
import type { Survey } from "../gateway/survey.ts";
import type { CheckInput } from "../checks/check.ts";
import { apply } from "../machine/apply.ts";
import { keepIdentity } from "../machine/identity.ts";
import type { Context } from "./context.ts";
import { bring } from "./install.ts";
import { consent } from "./plan_output.ts";

/** What mends the findings: items in the blueprint's order, after the steps that no item stands for. */
export function mendSteps(findings: Finding[], items: Item[], survey: Survey): Step[] {
  const failing = findings.filter((f) => f.verdict === "fail");
  const wanted = new Set(failing.flatMap((f) => f.mend?.items.map((i) => i.id) ?? []));
  return [...failing.flatMap((f) => f.mend?.steps ?? []), ...stepsFor(items.filter((i) => wanted.has(i.id)), survey)];
}

/**
 * Asks, then does the steps.
 * @returns ids of the findings that something was done about
 */
export async function mend(context: Context, findings: Finding[], input: CheckInput): Promise<string[]> {
  const { ui, runner } = context;
  const { blueprint, survey } = input;
  const steps = mendSteps(findings, blueprint.items, survey);
  if (steps.length === 0) return [];
  consent(context, steps, "This mends what is the gateway's own:");
  await bring(context, steps);
  const { identity } = blueprint.facts;
  if (identity?.keys && steps.some((s) => s.item?.kind === "file" && s.item.secret)) await keepIdentity(identity);
  await apply(runner, steps, survey, (step, i) => ui.progress(`[${i + 1}/${steps.length}] ${step.title}`));
  ui.done();
  return findings.filter((f) => f.verdict === "fail" && f.mend).map((f) => f.id);
}
