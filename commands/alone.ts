/** Before a machine is changed: that nobody else does, with the config as it is by then, and that no signal leaves a step half done. */

import { lock } from "../machine/lock.ts";
import { Signals } from "../machine/signals.ts";
import { type Context, loadConfig, type LoadedConfig } from "./context.ts";

/** Longest time that `--wait` without a number waits: a day, in seconds. */
const DAY = 86_400;

/** @throws CrxnError 75 when another crxn is at work, and `--wait` was not given or its time is over */
export async function alone({ ui, runner, options: { wait } }: Context, command: string): Promise<Disposable> {
  const held = await lock(runner, command, {
    waitSeconds: wait === true ? DAY : wait ?? 0,
    onWait: (holder) => ui.progress(`waiting for another crxn: ${holder}`),
  });
  ui.done();
  runner.since?.(held.last);
  return held;
}

/** The config once nobody else is at work: during a `--wait` somebody may have edited it. @throws CrxnError 78 */
export const current = async ({ options }: Context, loaded: LoadedConfig): Promise<LoadedConfig> =>
  options.wait ? await loadConfig(options.config) : loaded;

/**
 * From here on the machine is being changed. Programs that are started get a session of their own (setsid(2)): a signal of
 * the terminal reaches crxn only, which ends between two steps, and not apt in the middle of its work.
 */
export function uninterrupted({ ui, runner }: Context): Signals {
  runner.detach?.();
  return new Signals((name) => {
    ui.done();
    ui.say(`${name}: it stops when this step is done.`);
  });
}
