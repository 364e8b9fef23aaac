/** What a unit makes at its start, before its own turn in the plan: a kill in between must not leave it unknown. */

import { assert, assertEquals } from "@std/assert";
import { stepsFor } from "../../checks/fix.ts";
import { see } from "../../gateway/see.ts";
import { apply } from "../../machine/apply.ts";
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

Deno.test({
  name: "down: takes back what units made when doctor --fix started them after a killed up",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    let made = 0;
    for (const config of ["interface gateway", "yggdrasil gateway"]) {
      for (const killedAt of [1, 2, 3, 4, 6, 9]) {
        using machine = new FakeMachine();
        const first = snapshot(machine, { tables: false });
        const play = new Play(machine);
        await play.killedUp(WALK[config]!, killedAt);
        const { blueprint, survey } = await play.prepare(WALK[config]!);
        const services = blueprint.items.filter((i) => i.kind === "service" && /^crxn-(firewall|overlay)/.test(i.unit));
        const steps = stepsFor(services, survey);
        await apply(machine, steps, survey, () => {}, blueprint.items).catch(() => undefined);
        const now = (await play.prepare(WALK[config]!)).survey;
        made += blueprint.items.filter((i) => i.kind === "chain" && see(i, now).is === "present").length;
        assertEquals(await play.down(), 0, play.said);
        const left = differences(first, snapshot(machine, { tables: false }));
        assertEquals(left, [], `${config}, killed at ${killedAt}`);
      }
    }
    // Without any it would prove nothing.
    assert(made > 10, `${made} chains`);
  },
});
