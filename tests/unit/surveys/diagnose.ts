/** What `crxn doctor` makes of a survey. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import type { CheckInput } from "../../../checks/check.ts";
import { CHECKS } from "../../../checks/list.ts";
import { runChecks } from "../../../checks/run.ts";
import { settledFacts } from "../../../checks/settle.ts";
import { blueprint } from "../../../gateway/blueprint.ts";
import { recompute } from "./builder.ts";

/** As `doctor` does it: facts anew from the machine as it is, settled by the journal. */
export function settled(input: CheckInput): CheckInput {
  const again = recompute(input);
  const { config, facts } = again.blueprint;
  const tunnel = config.overlay.type === "yggdrasil" ? config.overlay.tunnel : undefined;
  return { ...again, blueprint: blueprint(config, settledFacts(facts, input.journal, input.survey, tunnel)) };
}

export const diagnose = (input: CheckInput) => runChecks(CHECKS, settled(input));

/** What is not well by the facts that are there: they are not found anew. */
export const worse = (input: CheckInput) =>
  runChecks(CHECKS, input).filter((f) => !["pass", "skip"].includes(f.verdict)).map((f) => `${f.verdict} ${f.id}`);

export const finding = (input: CheckInput, id: string) => runChecks(CHECKS, input, new Set([id]))[0]!;

/** A check says this, in these words. */
export const words = (input: CheckInput, id: string, verdict: string, ...texts: string[]) => {
  const outcome = finding(input, id);
  assertEquals(outcome.verdict, verdict, outcome.found);
  for (const text of texts) assertStringIncludes(outcome.found ?? "", text);
  return outcome;
};
