/** What `crxn doctor` makes of a survey. */

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
