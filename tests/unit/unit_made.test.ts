/** What a unit makes at its start, before its own turn in the plan: a kill in between must not leave it unknown. */

import { assertEquals } from "@std/assert";
import { refused } from "./fake/answer.ts";
import { WALK } from "./fake/configs.ts";
import { FakeMachine } from "./fake/machine.ts";
import { Play } from "./fake/play.ts";
import { differences, snapshot } from "./fake/snapshot.ts";

/** Commands that ask: what they answer is not a failure to crxn. */
const asks = (argv: string[]) => argv[0]!.endsWith("unshare") || argv.includes("-C");

Deno.test({
  name: "down: takes back what units made in an up that was killed, and in one that failed after it",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    for (const killedAt of [8, 16, 24, 32, 40]) {
      for (const failedAt of [5, 15]) {
        using machine = new FakeMachine();
        const first = snapshot(machine, { tables: false });
        const play = new Play(machine);
        assertEquals(await play.up(WALK["another prefix"]!), 0);
        await play.killedUp(WALK["yggdrasil gateway"]!, killedAt);
        let count = 0;
        machine.before = (argv) => !asks(argv) && count++ === failedAt ? refused("made to fail", 3) : undefined;
        await play.up(WALK["yggdrasil gateway"]!).catch(() => undefined);
        machine.before = () => undefined;
        assertEquals(await play.down(), 0, play.said);
        const left = differences(first, snapshot(machine, { tables: false }));
        assertEquals(left, [], `killed at ${killedAt}, failed at ${failedAt}`);
      }
    }
  },
});
