import { assertEquals } from "@std/assert";
import { Program, run } from "../../gateway/action.ts";
import { serviceItem } from "../../gateway/item.ts";
import { DAEMON_RELOAD, type Step } from "../../gateway/step.ts";
import { switchedTogether } from "../../gateway/switched.ts";
import { Aside, goesAside } from "../../machine/aside.ts";
import type { Runner } from "../../machine/run.ts";
import { Switching } from "../../machine/switching.ts";

const systemctl = (...words: string[]) => run([Program.systemctl, ...words]);

const starting = (unit: string): Step => ({
  title: `start ${unit}`,
  item: serviceItem(unit),
  actions: [systemctl("--quiet", "enable", unit), systemctl("start", unit)],
});

const PLAN: Step[] = [
  starting("a.service"),
  { title: "add a route", actions: [run([Program.ip, "route", "replace", "192.0.2.0/24", "dev", "a"])] },
  // Only once its mask is gone.
  {
    title: "start m",
    actions: [systemctl("--quiet", "unmask", "m.service"), systemctl("--quiet", "enable", "m.service")],
  },
  starting("b.service"),
  { title: "stop c", actions: [systemctl("--quiet", "disable", "c.service"), systemctl("stop", "c.service")] },
  // Its file is gone: that it fails is no fault.
  { title: "stop d", actions: [run([Program.systemctl, "--quiet", "disable", "d.service"], { also: [1] })] },
  { title: "stop e", actions: [systemctl("--quiet", "disable", "--now", "e.service")] },
];

Deno.test("switchedTogether: units that are enabled first of all, and without a condition", () => {
  assertEquals(switchedTogether(PLAN).map(({ argv }) => argv.slice(1)), [[
    "--quiet",
    "enable",
    "a.service",
    "b.service",
  ]]);
  const more = { title: "stop f", actions: [systemctl("--quiet", "disable", "f.service")] };
  assertEquals(switchedTogether([...PLAN, more]).map(({ argv }) => argv.slice(2)), [
    ["enable", "a.service", "b.service"],
    ["disable", "c.service", "f.service"],
  ]);
  assertEquals(switchedTogether(PLAN.slice(0, 3)), []);
});

for (const code of [0, 1]) {
  Deno.test(`Switching: one call ${code === 0 ? "does it for all" : "that fails leaves each to its own turn"}`, async () => {
    const said: string[] = [];
    const runner: Runner = {
      run: (argv) => {
        said.push(argv.slice(1).join(" "));
        return Promise.resolve({ argv, code, stdout: "", stderr: "" });
      },
    };
    const switching = new Switching(
      runner,
      PLAN,
      (items) => Promise.resolve(void said.push(items.map((i) => i.id).join())),
    );
    const left: number[] = [];
    for (const step of PLAN) left.push(step.actions.length - (await switching.actionsOf(step)).length);
    // What the others enable is noted before.
    assertEquals(said, ["service b.service", "--quiet enable a.service b.service"]);
    assertEquals(left, code === 0 ? [1, 0, 0, 1, 0, 0, 0] : [0, 0, 0, 0, 0, 0, 0]);
  });
}

for (const code of [0, 1]) {
  Deno.test(`Switching: units are read again by enabling them${code === 0 ? "" : ", or else for themselves"}`, async () => {
    const said: string[] = [];
    const runner: Runner = {
      run: (argv) => {
        said.push(argv.slice(2).join(" "));
        return Promise.resolve({ argv, code, stdout: "", stderr: "" });
      },
    };
    const note = (items: unknown[]) => Promise.resolve(void said.push(`${items.length} noted`));
    const reload = () => Promise.resolve(void said.push("reload"));
    const switching = new Switching(runner, PLAN, note);
    const reading = await switching.readingAgain(reload);
    assertEquals(said, ["2 noted"]);
    await reading();
    assertEquals(said.slice(1), ["enable a.service b.service", ...(code === 0 ? [] : ["reload"])]);
    said.length = 0;
    // Once only.
    await (await switching.readingAgain(reload))();
    for (const step of PLAN) {
      assertEquals(
        (await switching.actionsOf(step)).length < step.actions.length,
        code === 0 && step.item !== undefined,
      );
    }
    assertEquals(said, ["reload"]);
  });
}

Deno.test("Aside: waited for before what is no business of the kernel's alone, and by whoever has failed", async () => {
  const said: string[] = [];
  const aside = new Aside();
  const begin = (what: string, error?: Error) =>
    aside.begin(
      new Promise((resolve, reject) =>
        setTimeout(() => {
          said.push(what);
          if (error) reject(error);
          else resolve();
        }, 5)
      ),
      (error) => void said.push(`${what} failed: ${(error as Error).message}`),
    );
  assertEquals([goesAside(DAEMON_RELOAD), goesAside(PLAN[0]!)], [true, false]);

  begin("one");
  await aside.before(PLAN[1]!);
  assertEquals(said, []);
  await aside.before(PLAN[0]!);
  assertEquals(said, ["one"]);
  begin("two", new Error("no"));
  await aside.end();
  await aside.end();
  assertEquals(said, ["one", "two", "two failed: no"]);
  begin("three", new Error("no"));
  await aside.quietly();
  assertEquals(said.slice(3), ["three"]);
});
