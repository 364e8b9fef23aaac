/** What `--fix` does about findings, as steps. Pure. */

import { Path, Unit } from "../gateway/names.ts";
import { dropInPath } from "../gateway/names.ts";
import type { Item } from "../gateway/item.ts";
import type { Journal } from "../gateway/journal.ts";
import type { Step } from "../gateway/step.ts";
import type { CheckInput, Finding } from "./check.ts";
import { stepsFor } from "./fix.ts";
import { sysctlLine } from "./persisted.ts";

/** What mends the findings: items in the blueprint's order, after the steps that no item stands for. */
export function mendSteps(findings: Finding[], { blueprint, survey, journal }: CheckInput): Step[] {
  const wanted = new Set(findings.flatMap((f) => f.mend?.items.map((i) => i.id) ?? []));
  const steps = [
    ...findings.flatMap((f) => f.mend?.steps ?? []),
    ...stepsFor(blueprint.items.filter((i) => wanted.has(i.id)), survey),
  ];
  return steps.map(({ item, ...rest }) => !item || (journal && wasRight(item, journal)) ? rest : { item, ...rest });
}

/** Tells whether the same would be done again. */
export const signatureOf = (finding: Finding, input: CheckInput): string =>
  JSON.stringify(mendSteps([finding], input).map((s) => [s.title, s.actions]));

/**
 * Whether `up` found the item as it has to be, so that the journal does not have it. How it is now is then not how it was before
 * crxn, and noting that would make `down` bring the fault back.
 */
export function wasRight(item: Item, { entries }: Pick<Journal, "entries">): boolean {
  if (entries.has(item.id)) return false;
  const files = [...entries.values()].flatMap((e) => e.item.kind === "file" ? [e.item] : []);
  switch (item.kind) {
    case "sysctl":
      return item.device === undefined &&
        files.some((f) => f.path === Path.sysctl && f.content.split("\n").includes(sysctlLine(item)));
    case "unwanted":
      return files.some((f) => f.path.startsWith("/etc/tayga/"));
    case "service":
      return item.unit === Unit.yggdrasil && files.some((f) => f.path === dropInPath(Unit.yggdrasil));
    default:
      return false;
  }
}
