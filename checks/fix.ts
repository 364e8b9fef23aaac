/** Items and steps as plain commands that a person, or a program, can run one after the other. */

import { type Action, Program } from "../gateway/action.ts";
import { compare } from "../gateway/compare.ts";
import { DAEMON_RELOAD, type Step } from "../gateway/step.ts";
import { iptablesOf, jumpRule } from "../gateway/commands.ts";
import type { ChainItem, Item } from "../gateway/item.ts";
import { see } from "../gateway/see.ts";
import { hasJump } from "../gateway/see_rules.ts";
import type { Survey } from "../gateway/survey.ts";

/** The whole gateway made right: for what no single command does, such as a file of ours. */
export const UP = ["crxn", "up", "--yes"];

/** What makes the items on this machine, as `up` would. Items whose place somebody else has are left out. */
export function stepsFor(items: Item[], survey: Survey): Step[] {
  const free = items.filter((item) => see(item, survey).is !== "foreign");
  const steps = compare(free, survey, { entries: new Map(), brought: [] }, []);
  // Somebody's changed unit is no business of an address or a rule.
  const units = free.some((i) => i.kind === "service" || (i.kind === "file" && i.unit));
  return units ? steps : steps.filter((step) => step !== DAEMON_RELOAD);
}

export function fixOf(items: Item[], steps: Step[], survey: Survey): string[][] {
  const argvs: string[][] = [];
  // In the order in which `doctor --fix` does it.
  for (const step of [...steps, ...stepsFor(items, survey)]) {
    if (step.fetch) argvs.push(["crxn", "install", "--yes"]);
    else if (step.packages) argvs.push([Program.aptGet, "install", "--no-install-recommends", ...step.packages]);
    else if (step.item?.kind === "chain") argvs.push(...chainFix(step.item, survey));
    else argvs.push(...step.actions.map(argvOf));
  }
  const seen = new Set<string>();
  return argvs.filter((argv) => !seen.has(argv.join("\0")) && seen.add(argv.join("\0")));
}

const argvOf = (action: Action): string[] => action.do === "run" && action.stdin === undefined ? action.argv : UP;

/** `up` does it in one transaction from standard input; by hand it is a command for each rule. */
function chainFix(item: ChainItem, survey: Survey): string[][] {
  const call = [iptablesOf(item.family), "-w", "-t", item.table];
  const chain = survey.rules[item.family]?.[item.table]?.[item.chain];
  const same = chain?.rules.map((r) => r.join(" ")).join("\n") === item.rules.map((r) => r.join(" ")).join("\n");
  return [
    ...(chain ? (same ? [] : [[...call, "-F", item.chain]]) : [[...call, "-N", item.chain]]),
    ...(same ? [] : item.rules.map((rule) => [...call, "-A", item.chain, ...rule])),
    ...(hasJump(item, survey) ? [] : [[...call, "-I", item.from, "1", ...jumpRule(item)]]),
  ];
}
