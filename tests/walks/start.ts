/** Where walks begin: a fake machine, and crxn on it. */

import { WALK } from "../unit/fake/configs.ts";
import { FakeMachine, type FakeOptions } from "../unit/fake/machine.ts";
import { Play } from "../unit/fake/play.ts";

/** Files get their owner from crxn: only root can give them away. */
export const test = (name: string, fn: () => Promise<void>) => Deno.test({ name, fn, ignore: Deno.uid() !== 0 });

export const start = (options: FakeOptions = {}) => {
  const machine = new FakeMachine(options);
  return { machine, play: new Play(machine) };
};

export const GATEWAY = WALK["interface gateway"]!;
export const YGGDRASIL = WALK["yggdrasil gateway"]!;
