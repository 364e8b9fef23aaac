/** systemctl(1): all units in one call. */

import { Program } from "../gateway/action.ts";
import type { UnitSeen } from "../gateway/survey.ts";
import { must, type Runner } from "./run.ts";

// deno-fmt-ignore
const PROPERTIES = ["Id", "Names", "LoadState", "ActiveState", "SubState", "UnitFileState", "ExecMainStartTimestamp", "MainPID", "NRestarts",
  "FragmentPath", "NeedDaemonReload", "Result", "FreezerState", "DropInPaths"];

/** `systemctl show --timestamp=us+utc` of several units: blocks of KEY=VALUE with an empty line between them. */
export function parseUnits(output: string, asked: string[]): Record<string, UnitSeen> {
  const units: Record<string, UnitSeen> = {};
  const blocks = output.split("\n\n").filter((b) => b.trim() !== "");
  blocks.forEach((block, i) => {
    const value = new Map(block.split("\n").map((l) => [l.slice(0, l.indexOf("=")), l.slice(l.indexOf("=") + 1)]));
    // Blocks come in the order asked for; an alias answers with its own Id.
    const unit = asked[i] ?? value.get("Id") ?? "";
    const get = (key: string) => value.get(key) ?? "";
    units[unit] = {
      unit,
      load: get("LoadState"),
      active: get("ActiveState"),
      sub: get("SubState"),
      enabled: get("UnitFileState"),
      since: timestamp(get("ExecMainStartTimestamp")),
      pid: Number(get("MainPID")) || 0,
      restarts: Number(get("NRestarts")) || 0,
      fragment: get("FragmentPath"),
      needsReload: get("NeedDaemonReload") === "yes",
      result: get("Result"),
      ...(/^(frozen|freezing)/.test(get("FreezerState")) ? { frozen: true } : {}),
      ...(get("DropInPaths") === "" ? {} : { dropIns: get("DropInPaths").split(" ") }),
    };
  });
  return units;
}

/** "Mon 2026-11-23 14:03:11.123456 UTC" in milliseconds since the epoch; 0 when it is not set. */
function timestamp(value: string): number {
  const found = /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) UTC/.exec(value);
  return found ? Date.parse(`${found[1]}T${found[2]}Z`) || 0 : 0;
}

/** The question about several units. */
export const unitsQuestion = (units: string[]): string[] => [
  Program.systemctl,
  "show",
  "--timestamp=us+utc",
  `--property=${PROPERTIES.join(",")}`,
  "--",
  ...units,
];

export async function readUnits(runner: Runner, units: string[]): Promise<Record<string, UnitSeen>> {
  if (units.length === 0) return {};
  const { stdout } = await must(runner, unitsQuestion(units));
  return parseUnits(stdout, units);
}
