/** A plan for its reader: on stdout for `--dry-run`, on stderr before it is carried out, and the question whether to. */

import type { Finding } from "../checks/check.ts";
import type { Blueprint } from "../gateway/blueprint.ts";
import type { Step } from "../gateway/step.ts";
import { CrxnError, Exit } from "../gateway/errors.ts";
import { planJson, planLines } from "../gateway/plan.ts";
import type { Context } from "./context.ts";
import { briefJson } from "./doctor_brief.ts";
import { type Paint, paintFor, type Ui } from "./ui.ts";

/**
 * `--dry-run`: the plan is the result.
 * @param stay packages that `--purge` leaves to those that need them
 */
export function printPlan(
  ui: Ui,
  command: "up" | "down",
  steps: Step[],
  blueprint?: Blueprint,
  foreseen: Finding[] = [],
  stay: string[] = [],
): void {
  if (ui.json) {
    ui.out(JSON.stringify(
      {
        schema: "crxn.plan/1",
        command,
        changes: steps.length,
        ...(blueprint ? { ...tunnelJson(blueprint), findings: briefJson(foreseen) } : {}),
        ...(stay.length > 0 ? { stay } : {}),
        steps: planJson(steps),
      },
      null,
      2,
    ));
  } else if (steps.length === 0) {
    ui.out(command === "up" ? "Nothing to do: the machine is as it should be." : "There is nothing to take back.");
  } else {
    const paint = paintFor(Deno.stdout);
    for (const line of blueprint ? tunnelLines(blueprint) : []) ui.out(line);
    for (const line of planLines(steps)) ui.out(paintLine(line, paint));
  }
  if (!ui.json) { for (const line of stayLines(stay)) ui.out(line); }
}

/** What of crxn's packages is not purged. */
export const stayLines = (stay: string[]): string[] =>
  stay.length > 0 ? [`Not purged, because other packages need it, or apt is told to hold one: ${stay.join(", ")}`] : [];

const tunnelJson = ({ facts: { tunnel }, nodes }: Blueprint) => ({
  ...(tunnel ? { tunnel } : {}),
  ...(nodes.length > 0 ? { nodes: nodes.map(({ key, address, networks }) => ({ key, address, networks })) } : {}),
});

/** Which way IPv4 takes and why, and who the far nodes are: what two operators have to agree about. */
export const tunnelLines = ({ facts: { tunnel }, nodes }: Blueprint): string[] =>
  tunnel && nodes.length > 0
    ? [
      `Tunnel: ${tunnel.kind} (${tunnel.why})`,
      ...nodes.map((n) => `Far node: ${n.address} for ${n.networks.join(", ")} (by its key ${n.key.slice(0, 16)}...)`),
    ]
    : [];

/**
 * Shows what is going to be done and, on a terminal without --yes, asks.
 * @throws CrxnError 64 when nobody can be asked, 1 when the answer is no
 */
export function consent({ ui, options }: Context, steps: Step[], heading = "This is what will be done:"): void {
  if (!ui.json) {
    ui.say(heading);
    const paint = paintFor(Deno.stderr);
    for (const line of planLines(steps)) ui.say(paintLine(line, paint));
  }
  if (options.yes) return;
  if (!ui.interactive) {
    throw new CrxnError(
      Exit.usage,
      "Nobody can be asked here: there is no terminal.",
      "Add --yes to do it; nothing was changed.",
      { json: { plan: planJson(steps) } },
    );
  }
  if (!ui.ask("Do it?")) throw new CrxnError(Exit.failed, "Nothing was changed.");
}

function paintLine(line: string, paint: Paint): string {
  if (line.startsWith("*")) return paint.bold(line);
  const text = line.trimStart();
  if (text.startsWith("+")) return paint.green(line);
  if (text.startsWith("-")) return paint.red(line);
  return text.startsWith("@@") || text.startsWith("|") ? paint.dim(line) : line;
}
