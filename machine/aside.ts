/** systemd reads its units again, for a tenth of a second, while the kernel is told of addresses, routes and rules. */

import { type Action, Program } from "../gateway/action.ts";
import { DAEMON_RELOAD, type Step } from "../gateway/step.ts";

/** Programs that have nothing to do with systemd; of tayga it is what makes its device. */
const KERNEL: string[] = [
  ...[Program.ip, Program.sysctl, Program.tayga],
  ...[Program.iptablesRestore, Program.ip6tablesRestore, Program.nft],
];

const isOfKernel = (action: Action): boolean => action.do === "run" && KERNEL.includes(action.argv[0]!);

/** What need not be waited for before another step. */
export const goesAside = (step: Step): boolean => step === DAEMON_RELOAD;

export class Aside {
  #under: { ended: Promise<{ error?: unknown }>; failed: (error: unknown) => void } | undefined;

  /** @param failed called by whoever waits for it */
  begin(work: Promise<void>, failed: (error: unknown) => void): void {
    const ended = work.then(() => ({}), (error) => ({ error }));
    this.#under = { ended, failed };
  }

  /** Before a step that may need it. */
  async before(step: Step): Promise<void> {
    if (!step.actions.every(isOfKernel)) await this.end();
  }

  async end(): Promise<void> {
    const under = this.#under;
    this.#under = undefined;
    const { error } = await under?.ended ?? {};
    if (error !== undefined) under!.failed(error);
  }

  /** Something else has failed: that is what will be told. */
  async quietly(): Promise<void> {
    await this.#under?.ended;
  }
}
