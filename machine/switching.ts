/** Enables, or disables, the units of several steps by one call, when the first of them has its turn. */

import type { Action } from "../gateway/action.ts";
import type { Item } from "../gateway/item.ts";
import type { Step } from "../gateway/step.ts";
import { switchedTogether } from "../gateway/switched.ts";
import type { Runner } from "./run.ts";

export class Switching {
  readonly #groups;
  /** Steps whose first action is done. */
  readonly #done = new Set<Step>();

  /** @param note called with what is going to be enabled before its own turn */
  constructor(
    private readonly runner: Runner,
    steps: Step[],
    private readonly note: (items: Item[]) => Promise<void>,
  ) {
    this.#groups = switchedTogether(steps);
  }

  /** What is left to be done of a step whose turn it is. */
  async actionsOf(step: Step): Promise<Action[]> {
    for (const { steps, argv } of this.#groups.filter((group) => group.steps[0] === step)) {
      await this.note(steps.slice(1).flatMap(({ item }) => item ?? []));
      const { code } = await this.runner.run(argv, { timeoutSeconds: 120 });
      // Otherwise each is done by itself in its turn, and the one that fails says why.
      if (code === 0) { for (const done of steps) this.#done.add(done); }
    }
    return this.#done.has(step) ? step.actions.slice(1) : step.actions;
  }
}
