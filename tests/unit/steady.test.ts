import { assert, assertEquals } from "@std/assert";
import type { Context } from "../../commands/context.ts";
import { waitForUnits } from "../../commands/steady.ts";
import { linkItem, serviceItem } from "../../gateway/item.ts";
import type { UnitSeen } from "../../gateway/survey.ts";

// Looks at two units and a device, one after the other, as systemctl and ip show them.

const UNIT = "tayga@ygg.service";
const DEVICE = "nat64-ygg";

interface Look {
  restarts?: number;
  open?: boolean;
  active?: string;
}

/** Each look but the last is seen once. */
function contextOf(looks: Look[], taken: { looks: number }): Context {
  let units = 0, links = 0;
  const at = (n: number): Look => looks[Math.min(n, looks.length - 1)]!;
  const runner = {
    run: (argv: string[]) => {
      const isUnits = argv[0]!.endsWith("systemctl");
      const { active = "active", restarts = 0, open = true } = at(isUnits ? units++ : ++links);
      taken.looks = links;
      const stdout = isUnits
        ? `Id=${UNIT}\nActiveState=${active}\nNRestarts=${restarts}\n`
        : JSON.stringify([{ ifname: DEVICE, flags: ["UP", ...(open ? [] : ["NO-CARRIER"])] }]);
      return Promise.resolve({ code: 0, stdout, stderr: "" });
    },
  };
  return { runner, ui: { progress: () => {} } } as unknown as Context;
}

const ITEMS = [linkItem(DEVICE, { type: "translator", config: "/etc/tayga/ygg.conf" }, UNIT), serviceItem(UNIT)];

async function watched(looks: Look[], changed = true) {
  const taken = { looks: 0 };
  const up = await waitForUnits(contextOf(looks, taken), ITEMS, changed);
  const begun = performance.now();
  const settled = await up.settled;
  return { ...taken, down: up.down, settled, milliseconds: performance.now() - begun, fallen: await up.fallen() };
}

Deno.test("waitForUnits: a daemon that has its device open is believed at the next look", async () => {
  assertEquals(await watched([{}]).then(({ down, settled, fallen, looks }) => [down, settled, fallen, looks]), [
    [],
    [],
    [],
    1,
  ]);
});

Deno.test("waitForUnits: without its device it is watched for longer", async () => {
  const { settled, milliseconds } = await watched([{ open: false }]);
  assertEquals(settled, []);
  assert(milliseconds >= 600, `${milliseconds} ms`);
  // It opens it at the third look.
  assertEquals((await watched([{ open: false }, { open: false }, { open: false }, {}])).looks, 3);
});

Deno.test("waitForUnits: one that was started again is not believed before it is the same for two looks", async () => {
  const looks = [{}, { restarts: 1 }, { active: "activating", restarts: 1 }, { restarts: 2 }];
  const seen = await watched(looks);
  assertEquals([seen.settled, seen.looks], [[], 4]);
});

Deno.test("waitForUnits: what dies after that is named by the last look", async () => {
  assertEquals((await watched([{}, {}, { restarts: 1 }])).fallen, [UNIT]);
  assertEquals((await watched([{}, {}, { active: "activating" }])).fallen, [UNIT]);
});

Deno.test("waitForUnits: where nothing was changed nobody is watched", async () => {
  const { settled, looks, fallen } = await watched([{}, { active: "failed" }], false);
  assertEquals([settled, fallen, looks], [[], [], 0]);
});

Deno.test("waitForUnits: where nothing was changed the survey's look counts, and one that is not up in it is asked for", async () => {
  const look = async (active: string, changed: boolean) => {
    const taken = { looks: 0, asked: 0 };
    const context = contextOf([{}], taken);
    const { run } = context.runner;
    const counting = { ...context, runner: { run: (argv: string[]) => (taken.asked++, run(argv)) } } as Context;
    const unit = { unit: UNIT, active } as UnitSeen;
    const { down, settled } = await waitForUnits(counting, ITEMS, changed, { [UNIT]: unit });
    await settled;
    return [down, taken.asked > 0];
  };
  assertEquals(await look("active", false), [[], false]);
  assertEquals(await look("activating", false), [[], true]);
  assertEquals(await look("active", true), [[], true]);
});
