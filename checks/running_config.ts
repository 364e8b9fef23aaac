/** Daemons that run, but not as their unit says: with another config file. Pure. */

import { Program } from "../gateway/action.ts";
import { isOwnDropIn, Path, Unit } from "../gateway/names.ts";
import type { CheckInput } from "./check.ts";
import { restart } from "./device.ts";
import type { Problem } from "./problem.ts";
import type { Translator } from "../gateway/workers.ts";

/** The value of an option in a process's arguments, in any of its spellings. */
export function optionOf(args: string[], names: string[]): string | undefined {
  for (const [i, word] of args.entries()) {
    const at = word.indexOf("=");
    if (names.includes(word)) return args[i + 1];
    if (at > 0 && names.includes(word.slice(0, at))) return word.slice(at + 1);
  }
  return undefined;
}

/** tayga without an option reads /etc/tayga.conf. */
export const taygaConfigOf = (args: string[]): string => optionOf(args, ["--config", "-c"]) ?? "/etc/tayga.conf";

/** tayga's main process reads another file than the one that this check looks at. */
export const otherConfigs = (input: CheckInput): Problem[] =>
  input.blueprint.workers.flatMap((worker) => otherConfig(worker, input));

function otherConfig({ instance }: Translator, { survey, host }: CheckInput): Problem[] {
  const unit = Unit.translator(instance);
  const seen = survey.units[unit];
  const process = host?.processes?.find((p) => p.pid === seen?.pid);
  if (seen?.active !== "active" || !process || !/\/?tayga$/.test(process.args[0]!)) return [];
  const wanted = Path.taygaConfig(instance);
  const file = taygaConfigOf(process.args);
  if (file === wanted) return [];
  const foreign = (seen.dropIns ?? []).filter((path) => !isOwnDropIn(path));
  const by = foreign.length > 0 ? `, as ${foreign.join(", ")} has it` : "";
  return [{
    found: `${unit} runs with ${file}${by}, not with ${wanted}`,
    want: `tayga with --config ${wanted}`,
    // With a drop-in of somebody else a restart would change nothing.
    ...(foreign.length > 0 ? { fix: foreign.map((path) => ["/usr/bin/rm", path]) } : { steps: [restart(unit)] }),
    evidence: [{ command: [Program.ps, "-o", "args=", "-p", String(process.pid)], output: process.args.join(" ") }],
  }];
}
