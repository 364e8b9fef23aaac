/** Enables, or disables, the units of several steps by one call, when the first of them has its turn or earlier. */

import type { Action } from "../gateway/action.ts";
import type { Item } from "../gateway/item.ts";
import type { Step } from "../gateway/step.ts";
import { type Switched, switchedTogether } from "../gateway/switched.ts";
import type { Runner } from "./run.ts";

export class Switching {
  /** Those that nobody has tried yet. */
  #groups: Switched[];
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
    for (const group of this.#groups.filter(({ steps }) => steps[0] === step)) {
      await this.#noteAll(group.steps.slice(1));
      await this.#tryIt(group);
    }
    return this.#done.has(step) ? step.actions.slice(1) : step.actions;
  }

  /**
   * What makes systemd read its units again: to enable those that are going to be enabled does that as well.
   * @param reload does nothing but that
   */
  async readingAgain(reload: () => Promise<void>): Promise<() => Promise<void>> {
    const group = this.#groups.find(({ verb }) => verb === "enable");
    if (!group) return reload;
    await this.#noteAll(group.steps);
    return async () => {
      if (!await this.#tryIt(group)) await reload();
    };
  }

  #noteAll = (steps: Step[]): Promise<void> => this.note(steps.flatMap(({ item }) => item ?? []));

  async #tryIt(group: Switched): Promise<boolean> {
    this.#groups = this.#groups.filter((other) => other !== group);
    const { code } = await this.runner.run(group.argv, { timeoutSeconds: 120 });
    // Otherwise each is done by itself in its turn, and the one that fails says why.
    if (code === 0) { for (const step of group.steps) this.#done.add(step); }
    return code === 0;
  }
}
