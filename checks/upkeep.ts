import { Program } from "../gateway/action.ts";
import { Unit } from "../gateway/names.ts";
import { upkeepUnits } from "../gateway/upkeep_units.ts";
import type { Check, CheckInput } from "./check.ts";
import { unitEvidence } from "./evidence.ts";
import { itemsOf } from "./owner.ts";
import { itemProblems, outcomeOf, type Problem } from "./problem.ts";

/** The timers that mend and write metrics. */
export const upkeep: Check = {
  id: "upkeep",
  title: "The timers of upkeep run, and what they start succeeds",
  hop: undefined,
  needs: [],
  looksAt:
    "Where crxn.yaml has `upkeep`: the files and timers crxn-mend and crxn-metrics, and what became of their last run.",
  why: "Whoever counts on a gateway that mends itself, or on its metrics, has to know when nobody does it any more.",
  cure:
    "`crxn logs --unit mend` shows what could not be mended; `systemctl start crxn-mend.service` tries again at once.",
  run: (input) => {
    if (!input.blueprint.config.upkeep) return { verdict: "skip", found: "crxn.yaml has no upkeep" };
    return outcomeOf([...items(input), ...failedRuns(input)], input);
  },
};

/** Packets pass without them, and somebody may have stopped one on purpose. */
const items = (input: CheckInput): Problem[] =>
  itemProblems(itemsOf("upkeep", input.blueprint), input).map((p) => ({ verdict: "warn", ...p }));

function failedRuns({ blueprint, survey }: CheckInput): Problem[] {
  return upkeepUnits(blueprint.config.upkeep).flatMap((unit): Problem[] => {
    if (survey.units[unit]?.active !== "failed") return [];
    const found = unit === Unit.mend ? "the last mend did not mend everything" : "the metrics could not be written";
    return [{
      found: `${unit}: ${found}`,
      want: "a run that succeeds",
      verdict: "warn",
      fix: [[Program.journalctl, "--boot", "--lines=20", `--unit=${unit}`]],
      evidence: [unitEvidence(unit, survey)],
    }];
  });
}
