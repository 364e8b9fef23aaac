/** Kernel parameters now and after the next boot. */

import type { Item, SysctlItem } from "../gateway/item.ts";
import { Path } from "../gateway/names.ts";
import type { CheckInput } from "./check.ts";
import { sysctlEvidence } from "./evidence.ts";
import { itemProblems, type Problem } from "./problem.ts";

export const sysctlLine = (item: SysctlItem) => `${item.key} = ${item.value}`;

/** What is wrong now, and what will be wrong after a reboot: /etc/sysctl.d/crxn.conf has a line for each. */
export function sysctlProblems(items: Item[], input: CheckInput): Problem[] {
  const sysctls = items.filter((i): i is SysctlItem => i.kind === "sysctl");
  return [...itemProblems(sysctls, input), ...sysctls.flatMap((item) => persistence(item, input))];
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
