/** Units that must be active and enabled, and why one is not. */

import type { Item, ServiceItem } from "../gateway/item.ts";
import { Program, run } from "../gateway/action.ts";
import { see } from "../gateway/see.ts";
import type { UnitSeen } from "../gateway/survey.ts";
import { unitPath } from "../gateway/names.ts";
import type { CheckInput, Others } from "./check.ts";
import { unitEvidence } from "./evidence.ts";
import type { Problem } from "./problem.ts";

/** Restarts after which a unit that is active at this moment counts as one that keeps dying. */
const MANY_RESTARTS = 5;

/**
 * @param causes checks whose failure explains that a unit does not run
 */
export function serviceProblems(items: Item[], input: CheckInput, others: Others, causes: string[]): Problem[] {
  return items.filter((i): i is ServiceItem => i.kind === "service").flatMap((item) => {
    const problem = problemOf(item, input, others, causes);
    return problem ? [{ ...problem, evidence: [unitEvidence(item.unit, input.survey)] }] : [];
  });
}

function problemOf(item: ServiceItem, input: CheckInput, others: Others, causes: string[]): Problem | undefined {
  const { survey, blueprint } = input;
  if (!survey.systemd) {
    return { found: `${item.unit}: systemd does not run here`, excuse: "systemd does not run this machine" };
  }
  if (Object.keys(survey.units).length === 0) {
    return { found: `${item.unit}: systemctl does not answer`, verdict: "unknown" };
  }
  const unit = survey.units[item.unit];
  const wanted = { want: `${item.unit} active and enabled`, items: [item] };
  const ownFile = blueprint.items.find((i) => i.kind === "file" && i.path === unitPath(item.unit));
  if (ownFile && see(ownFile, survey).is === "absent") {
    return {
      found: `${item.unit} has no unit file`,
      ...wanted,
      excuse: `drift names the missing unit file of ${item.unit}`,
    };
  }
  if (!unit || unit.load === "not-found") {
    const cause = causes.find((id) => others(id).verdict === "fail");
    return {
      found: `there is no unit ${item.unit}`,
      ...wanted,
      ...(cause ? { excuse: because(item.unit, cause) } : {}),
    };
  }
  if (unit.load === "masked") {
    const unmask = run([Program.systemctl, "unmask", item.unit]);
    return { found: `${item.unit} is masked`, ...wanted, steps: [{ title: `unmask ${item.unit}`, actions: [unmask] }] };
  }
  if (unit.active !== "active") {
    const cause = causes.find((id) => others(id).verdict === "fail");
    return {
      found: `${item.unit} ${howInactive(unit)}`,
      ...wanted,
      ...(cause ? { excuse: because(item.unit, cause) } : {}),
    };
  }
  if (unit.enabled !== "enabled") {
    return {
      found: `${item.unit} is ${unit.enabled || "not enabled"}: it will not come back after a reboot`,
      ...wanted,
      carries: true,
    };
  }
  return undefined;
}

const because = (unit: string, cause: string) => `${unit} cannot run while ${cause} fails`;

function howInactive({ active, sub, result, restarts }: UnitSeen): string {
  const why = result && result !== "success" ? `, result ${result}` : "";
  if (sub === "auto-restart" || (active === "activating" && restarts >= MANY_RESTARTS)) {
    return `keeps dying (${restarts} restarts${why})`;
  }
  return `is ${active} (${sub}${why})`;
}
