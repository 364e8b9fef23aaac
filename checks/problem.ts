/** Problems: what a check found wrong, one by one, and the outcome they add up to. */

import { commandLine } from "../gateway/action.ts";
import type { Step } from "../gateway/step.ts";
import { makeCommands } from "../gateway/commands.ts";
import type { Item } from "../gateway/item.ts";
import { Path } from "../gateway/names.ts";
import { see } from "../gateway/see.ts";
import type { State } from "../gateway/state.ts";
import type { CheckInput, Evidence, Outcome } from "./check.ts";
import { evidenceOf } from "./evidence.ts";
import { fixOf } from "./fix.ts";

export interface Problem {
  found: string;
  want?: string;
  /** Default: fail. */
  verdict?: "fail" | "warn" | "unknown";
  /** Set when it only follows from something that another check names. */
  excuse?: string;
  /** Items to make anew. */
  items?: Item[];
  /** What mends it where no item does. */
  steps?: Step[];
  /** Commands to show where crxn itself does nothing. */
  fix?: string[][];
  evidence?: Evidence[];
  /** Packets pass in spite of it. */
  carries?: true;
}

/** Problems of items as `see()` sees them. `excuse` says of an item that fails why it is somebody else's fault. */
export function itemProblems(
  items: Item[],
  input: CheckInput,
  excuse: (item: Item, state: State) => string | undefined = () => undefined,
): Problem[] {
  return items.flatMap((item): Problem[] => {
    const state = see(item, input.survey);
    const found = problemText(item, state);
    if (found === undefined) return [];
    if (state.is === "unknown") return [{ found, verdict: "unknown" }];
    const reason = excuse(item, state);
    return [{
      found,
      want: wantText(item),
      ...(reason ? { excuse: reason } : {}),
      ...(state.is === "foreign" ? {} : { items: withFile(item, input) }),
      evidence: evidenceOf(item, input.survey),
    }];
  });
}

/** A chain or table is mended together with the file that loads it at boot. */
export function withFile(item: Item, { blueprint }: CheckInput): Item[] {
  if (item.kind !== "chain" && item.kind !== "table") return [item];
  const path = item.kind === "table" ? item.file : Path.rules[item.family];
  return [item, ...blueprint.items.filter((i) => i.kind === "file" && i.path === path)];
}

function problemText(item: Item, state: State): string | undefined {
  const name = item.id.replace(/^(file|program|service|unwanted) /, "");
  switch (state.is) {
    case "present":
      return undefined;
    case "absent":
      return `${name} is missing`;
    case "differs":
    case "unknown":
      return `${name}: ${state.how}`;
    case "foreign":
      return `${name}: in its place is something that is not crxn's: ${state.how}`;
  }
}

/** The item as the command that makes it, which says most in the fewest words. */
function wantText(item: Item): string {
  switch (item.kind) {
    case "program":
      return `what ${item.url} gives, with the SHA-256 ${item.sha256}`;
    case "package":
      return `${item.name} installed`;
    case "file":
      return `${item.path} as crxn.yaml has it`;
    case "sysctl":
      return `${item.key} = ${item.value}`;
    case "chain":
      return `${item.chain} in ${item.table} with its ${item.rules.length} rules, and the jump to it`;
    case "table":
      return `the table ${item.name} as ${item.file} has it`;
    case "service":
      return `${item.unit} active and enabled`;
    case "unwanted":
      return `${item.unit} neither running nor enabled`;
    default:
      return makeCommands(item).flatMap((a) => a.do === "run" ? [commandLine(a.argv)] : []).slice(0, 1).join("");
  }
}

const join = (texts: (string | undefined)[]) =>
  [...new Set(texts.filter((t) => t !== undefined && t !== ""))].join("; ");

/** The worst of the problems decides; only what is not excused counts. Without any it is a pass. */
export function outcomeOf(problems: Problem[], input: CheckInput, fine?: string): Outcome {
  const own = problems.filter((p) => !p.excuse);
  const worst = (["fail", "warn", "unknown"] as const).find((v) => own.some((p) => (p.verdict ?? "fail") === v));
  if (worst === undefined) {
    if (problems.length > 0) return { verdict: "skip", found: join(problems.map((p) => p.excuse)) };
    return { verdict: "pass", ...(fine ? { found: fine } : {}) };
  }
  const those = own.filter((p) => (p.verdict ?? "fail") === worst);
  const items = input.blueprint.items.filter((i) => those.some((p) => p.items?.some((other) => other.id === i.id)));
  const steps = those.flatMap((p) => p.steps ?? []);
  const fix = [...those.flatMap((p) => p.fix ?? []), ...fixOf(items, steps, input.survey)];
  const want = join(those.map((p) => p.want));
  const evidence = uniqueEvidence(those.flatMap((p) => p.evidence ?? []));
  return {
    verdict: worst,
    found: join(those.map((p) => p.found)),
    ...(want ? { want } : {}),
    ...(fix.length > 0 ? { fix } : {}),
    ...(evidence.length > 0 ? { evidence } : {}),
    ...(items.length + steps.length > 0 ? { mend: { items, steps } } : {}),
    ...(those.every((p) => p.carries) ? { carries: true } : {}),
  };
}

function uniqueEvidence(all: Evidence[]): Evidence[] {
  const seen = new Map(all.map((e) => [commandLine(e.command), e]));
  return [...seen.values()];
}
