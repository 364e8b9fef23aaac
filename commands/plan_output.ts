/** A plan on stdout: `up --dry-run` and `down --dry-run`. */

import type { Step } from "../gateway/compare.ts";
import { planJson, planLines } from "../gateway/plan.ts";
import { paintFor, type Ui } from "./ui.ts";
import { paintPlan } from "./up.ts";

export function printPlan(ui: Ui, command: "up" | "down", steps: Step[]): void {
  if (ui.json) {
    ui.out(JSON.stringify({ schema: "crxn.plan/1", command, changes: steps.length, steps: planJson(steps) }, null, 2));
    return;
  }
  if (steps.length === 0) {
    ui.out("Nothing to do: the machine is as it should be.");
    return;
  }
  const paint = paintFor(Deno.stdout);
  for (const line of planLines(steps)) ui.out(paintPlan(line, paint));
}
