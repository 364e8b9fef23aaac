/** /etc/sysctl.d/crxn.conf, without the lines that other checks speak for. */

import type { FileItem, SysctlItem } from "../gateway/item.ts";
import type { CheckInput } from "./check.ts";
import { sysctlLine } from "./persisted.ts";
import { itemProblems, type Problem } from "./problem.ts";

export function driftOfSysctlFile(item: FileItem, input: CheckInput): Problem[] {
  const file = input.survey.files[item.path];
  if (file === null) return [];
  const lines = file?.content?.split("\n");
  const wanted = input.blueprint.items.filter((i): i is SysctlItem => i.kind === "sysctl" && !i.device);
  const missing = lines !== undefined && wanted.some((i) => !lines.includes(sysctlLine(i)));
  return missing ? [] : itemProblems([item], input);
}
