/** The plan as a person reads it: every step, its commands as they would run, every file as a diff. Pure. */

import { createTwoFilesPatch } from "diff";
import { type Action, commandLine } from "./action.ts";
import type { Step } from "./step.ts";
import { maskSecrets } from "./mask.ts";

/** Lines of the plan. A line that starts with `+`, `-` or `@@` after its indent belongs to a diff. */
export function planLines(steps: Step[]): string[] {
  return steps.flatMap((step) => [
    `* ${step.title}${step.interrupts ? ` (interrupts ${step.interrupts})` : ""}`,
    ...(step.diff ? diffLines(step.diff) : []),
    ...step.actions.flatMap(actionLines),
  ]);
}

function actionLines(action: Action): string[] {
  if (action.do !== "run") return [];
  const input = action.stdin?.split("\n").filter((l) => l !== "").map((l) => `      | ${l}`) ?? [];
  return [`    $ ${commandLine(action.argv)}`, ...input];
}

function diffLines({ path, before, after, secret }: NonNullable<Step["diff"]>): string[] {
  const shown = (text: string) => secret ? maskSecrets(text) : text;
  const patch = createTwoFilesPatch(path, path, shown(before), shown(after), "", "", { context: 2 });
  return patch.split("\n").slice(2).filter((l) => l !== "" && !l.startsWith("\\")).map((l) => `    ${l}`);
}

/** The same for `--json`. */
export const planJson = (steps: Step[]) =>
  steps.map((step) => ({
    title: step.title,
    ...(step.item ? { item: step.item.id } : {}),
    ...(step.undoes ? { undoes: step.undoes } : {}),
    ...(step.fetch ? { fetch: step.fetch } : {}),
    ...(step.packages ? { packages: step.packages } : {}),
    ...(step.diff ? { file: step.diff.path, diff: diffLines(step.diff).map((l) => l.slice(4)).join("\n") } : {}),
    commands: step.actions.flatMap((a) =>
      a.do === "run" ? [{ argv: a.argv, ...(a.stdin ? { stdin: a.stdin } : {}) }] : []
    ),
    ...(step.interrupts ? { interrupts: step.interrupts } : {}),
  }));
