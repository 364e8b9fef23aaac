/** Units that several steps enable, or disable: one call does it for all, for after each systemd reads every unit again. Pure. */

import { Program } from "./action.ts";
import type { Step } from "./step.ts";

/** Steps whose first action one call does. */
export interface Switched {
  verb: "enable" | "disable";
  steps: Step[];
  argv: string[];
}

/** By the time of the first of these steps every unit file is in its place: files come before services, and go after them. */
export const switchedTogether = (steps: Step[]): Switched[] =>
  (["enable", "disable"] as const).flatMap((verb) => {
    const own = steps.flatMap((step) => {
      const unit = unitOf(step, verb);
      return unit === undefined ? [] : [{ step, unit }];
    });
    if (own.length < 2) return [];
    return [{
      verb,
      steps: own.map(({ step }) => step),
      argv: [Program.systemctl, "--quiet", verb, ...own.map(({ unit }) => unit)],
    }];
  });

/** The unit of a step that begins with `systemctl --quiet VERB UNIT`, of which nothing but success is good enough. */
function unitOf({ actions: [first] }: Step, verb: string): string | undefined {
  if (first?.do !== "run" || first.also || first.stdin !== undefined) return undefined;
  const [program, quiet, word, unit, ...more] = first.argv;
  const isIt = program === Program.systemctl && quiet === "--quiet" && word === verb && more.length === 0;
  return isIt && !unit?.startsWith("-") ? unit : undefined;
}
