/** The files that load the rules at boot. What a file and the machine have alike is not the file's fault. */

import type { ChainItem, FileItem } from "../gateway/item.ts";
import { firewallFiles } from "../gateway/units.ts";
import type { CheckInput } from "./check.ts";
import { itemProblems, type Problem } from "./problem.ts";

/** When the rules that are wanted have changed (a policy, an MTU), machine and file are both of before: another check says so. */
export function driftOfRules(item: FileItem, input: CheckInput): Problem[] {
  const problems = itemProblems([item], input);
  if (problems.length === 0) return [];
  const content = input.survey.files[item.path]?.content;
  const asRunning = firewallFiles(chainsAsRunning(input), []).find((f) => f.path === item.path);
  return content !== undefined && content === asRunning?.content ? [] : problems;
}

/** The chains of the blueprint with the rules that they have now; a chain that is not there or empty, as it should be. */
function chainsAsRunning({ blueprint, survey }: CheckInput): ChainItem[] {
  return blueprint.items.filter((i): i is ChainItem => i.kind === "chain").map((item) => {
    const rules = survey.rules[item.family]?.[item.table]?.[item.chain]?.rules ?? [];
    return rules.length > 0 ? { ...item, rules } : item;
  });
}
