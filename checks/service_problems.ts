/** Units that must be active and enabled, and why one is not. */

import type { Item, ServiceItem } from "../gateway/item.ts";
import { Program, run } from "../gateway/action.ts";
import { see } from "../gateway/see.ts";
import type { UnitSeen } from "../gateway/survey.ts";
import { isStopped } from "../gateway/host.ts";
import { isOwnDropIn, unitPath } from "../gateway/names.ts";
import type { Step } from "../gateway/step.ts";
import type { CheckInput, Evidence, Others } from "./check.ts";
import { restart } from "./device.ts";
import { unitEvidence } from "./evidence.ts";
import type { Problem } from "./problem.ts";
import { MANY_RESTARTS } from "./settle.ts";

/**
 * @param causes checks whose failure explains that a unit does not run
 */
export function serviceProblems(items: Item[], input: CheckInput, others: Others, causes: string[]): Problem[] {
  return items.filter((i): i is ServiceItem => i.kind === "service").flatMap((item) => {
    const problem = problemOf(item, input, others, causes) ?? heldStill(item, input);
    if (!problem) return [];
    const dead = input.survey.units[item.unit]?.active !== "active";
    return [{
      ...problem,
      found: problem.found + (dead && !problem.excuse ? dropInsOf(item.unit, input) : ""),
      evidence: [unitEvidence(item.unit, input.survey), ...(dead ? lastWords(item.unit, input) : [])],
    }];
  });
}

/** Whether the unit's file, which is crxn's, is gone. */
function lacksFile({ unit }: ServiceItem, { blueprint, survey }: CheckInput): boolean {
  const file = blueprint.items.find((i) => i.kind === "file" && i.path === unitPath(unit));
  return file !== undefined && see(file, survey).is === "absent";
}

/** The service whose unit file is gone and which does not run: its check speaks for both. */
export const isGone = (path: string, input: CheckInput): boolean =>
  input.blueprint.items.some((i) =>
    i.kind === "service" && unitPath(i.unit) === path && lacksFile(i, input) && input.survey.systemd &&
    input.survey.units[i.unit] !== undefined && input.survey.units[i.unit]!.active !== "active"
  );

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
  if (ownFile && lacksFile(item, input)) {
    // While it still runs nothing is lost yet: drift names the file.
    const runs = unit?.active === "active";
    return {
      found: `${item.unit} has no unit file${runs ? "" : ", and does not run"}`,
      want: wanted.want,
      items: [ownFile, item],
      ...(runs ? { excuse: `drift names the missing unit file of ${item.unit}` } : {}),
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
    // A link to /dev/null may stand where crxn's own file has to be.
    const items = ownFile && see(ownFile, survey).is !== "present" ? [ownFile, item] : [item];
    const steps = [{ title: `unmask ${item.unit}`, actions: [unmask] }];
    return { found: `${item.unit} is masked: systemd will not start it`, ...wanted, items, steps };
  }
  if (unit.active !== "active") {
    const cause = causes.filter((id) => id === "packages" || !isEndedCleanly(unit, input)).find((id) =>
      others(id).verdict === "fail"
    );
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

/** Somebody has stopped it: nothing has failed, neither it nor a unit before it that it may need. */
function isEndedCleanly({ unit, active, result }: UnitSeen, { blueprint, survey }: CheckInput): boolean {
  const units = blueprint.items.flatMap((i) => i.kind === "service" ? [i.unit] : []);
  const before = units.slice(0, units.indexOf(unit));
  return active === "inactive" && result === "success" && before.every((u) => survey.units[u]?.active === "active");
}

/** A unit that is active and enabled, and yet does nothing: its processes get no processor time. */
function heldStill({ unit }: ServiceItem, { survey, host }: CheckInput): Problem | undefined {
  const seen = survey.units[unit];
  if (seen?.active !== "active") return undefined;
  if (seen.frozen) {
    // systemd 257 refuses to restart a frozen unit.
    const thaw: Step = { title: `thaw ${unit}`, actions: [run([Program.systemctl, "thaw", unit])] };
    return {
      found: `${unit} is frozen (\`systemctl freeze\`): active, but its processes stand still`,
      want: `${unit} running`,
      steps: [thaw, restart(unit)],
    };
  }
  if (!isStopped(host, seen.pid)) return undefined;
  return {
    found: `${unit} is active, but a signal (SIGSTOP) has stopped its process ${seen.pid}: it stands still`,
    want: `${unit} running`,
    // It gets SIGCONT along with the request to end (systemd.kill(5)).
    steps: [restart(unit)],
  };
}

/** Drop-ins of others may be why a unit does not run. */
function dropInsOf(unit: string, { survey }: CheckInput): string {
  const foreign = (survey.units[unit]?.dropIns ?? []).filter((path) => !isOwnDropIn(path));
  return foreign.length > 0 ? `; it is changed by ${foreign.join(", ")}, which is not crxn's` : "";
}

/** Why a unit ended is in its log. */
function lastWords(unit: string, { host }: CheckInput): Evidence[] {
  const lines = (host?.log ?? []).filter((l) => l.unit === unit).slice(-8).map((l) => l.message);
  const command = [Program.journalctl, `--unit=${unit}`, "--lines=8", "--output=cat"];
  return lines.length > 0 ? [{ command, output: lines.join("\n") }] : [];
}

const because = (unit: string, cause: string) => `${unit} cannot run while ${cause} fails`;

function howInactive({ active, sub, result, restarts }: UnitSeen): string {
  const why = result && result !== "success" ? `, result ${result}` : "";
  if (sub === "auto-restart" || (active === "activating" && restarts >= MANY_RESTARTS)) {
    return `keeps dying (${restarts} restarts${why})`;
  }
  if (result === "start-limit-hit") {
    return "has ended too often in a short time: systemd starts it no more (start limit)";
  }
  return `is ${active} (${sub}${why})`;
}
