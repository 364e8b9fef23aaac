/** Kernel parameters now, after `sysctl --system`, and after the next boot. */

import { Program } from "../gateway/action.ts";
import type { Item, SysctlItem } from "../gateway/item.ts";
import { Path, Unit } from "../gateway/names.ts";
import { type Decision, decision, lastOf, placeOf } from "./boot_sysctl.ts";
import type { CheckInput } from "./check.ts";
import { sysctlEvidence } from "./evidence.ts";
import { itemProblems, type Problem } from "./problem.ts";

export const sysctlLine = (item: SysctlItem) => `${item.key} = ${item.value}`;

/** What is wrong now, and what will be wrong later: crxn.conf has a line for each, and another file may have one as well. */
export function sysctlProblems(items: Item[], input: CheckInput): Problem[] {
  return items.filter((i): i is SysctlItem => i.kind === "sysctl").flatMap((item) => {
    const now = itemProblems([item], input).map((p) => ({ ...p, found: `${p.found}${whoMoved(item, input)}` }));
    const later = persistence(item, input);
    return [...now, ...(later.length > 0 ? later : overruled(item, input))];
  });
}

/** What the files say of a parameter that is not as it should be: whether the boot did it, or somebody since. */
function whoMoved({ key, value }: SysctlItem, { host }: CheckInput): string {
  if (!host?.sysctlLines) return "";
  const decided = decision(host.sysctlLines, key);
  if (decided?.value === value) {
    return ` (${placeOf(decided)} sets ${decided.value}: it was changed since the boot, by hand or by a program)`;
  }
  return decided ? ` (${placeOf(decided)} sets ${decided.value})` : "";
}

function persistence(item: SysctlItem, input: CheckInput): Problem[] {
  // A file that is gone altogether is one fault: forwarding-sysctl names it.
  if (item.key.endsWith("/accept_ra") && input.survey.files[Path.sysctl] === null) return [];
  const file = input.survey.files[Path.sysctl];
  if (file === undefined || file?.content === undefined && file !== null) return [];
  if (file?.content?.split("\n").includes(sysctlLine(item))) return [];
  const items = input.blueprint.items.filter((i) => i.kind === "file" && i.path === Path.sysctl);
  return [{
    found: `${Path.sysctl} ${file === null ? "is missing" : `does not set ${item.key}`}: the next boot will not`,
    want: sysctlLine(item),
    items,
    evidence: [sysctlEvidence(item.key, input.survey)],
    carries: true,
  }];
}

/**
 * A line of somebody else that comes after ours. The boot survives it, for crxn-overlay.service sets the value once more;
 * `sysctl --system`, which package scripts call, does not.
 */
function overruled(item: SysctlItem, { host }: CheckInput): Problem[] {
  const { key, value } = item;
  const atBoot = host?.sysctlLines && decision(host.sysctlLines, key);
  const byHand = lastOf([...host?.sysctlLines ?? [], ...host?.sysctlConf ?? []], key);
  const wrong = [atBoot, byHand].find((d) => d && d.value !== value);
  if (!wrong) return [];
  const when = wrong === atBoot
    ? `after ${Path.sysctl}: at boot ${Unit.overlay} sets it right once more, but \`sysctl --system\` will break the gateway`
    : "which `sysctl --system` and `sysctl -p` read last: either will break the gateway, a boot will not";
  return [{
    found: `${placeOf(wrong)} sets ${key} to ${wrong.value}, ${when}`,
    want: `no other value than ${value} for ${key} in any sysctl file`,
    verdict: "warn",
    fix: [outComment(wrong)],
    evidence: [lineEvidence(wrong, key)],
  }];
}

/** Files of others are not crxn's to change: the command is shown, not run. */
export const outComment = ({ file, line }: Decision): string[] => [Program.sed, "-i", `${line}s/^/# /`, file];

export const lineEvidence = ({ file, line, value }: Decision, key: string) => ({
  command: [Program.sed, "-n", `${line}p`, file],
  output: `${key} = ${value}`,
});
