import { assert, assertEquals, assertRejects } from "@std/assert";
import { placeFiles } from "../../machine/place.ts";
import { refused } from "./fake/answer.ts";
import { FakeMachine } from "./fake/machine.ts";
import { Play } from "./fake/play.ts";
import { differences, snapshot } from "./fake/snapshot.ts";
import { blueprint } from "../../gateway/blueprint.ts";
import { parseConfig } from "../../gateway/config/parse.ts";
import type { FileItem } from "../../gateway/item.ts";
import { CrxnError } from "../../gateway/errors.ts";
import { Path, Unit, unitPath } from "../../gateway/names.ts";
import { manyNetworks } from "./fake/configs.ts";
import { FACTS } from "./golden_configs.ts";
import { Program, run } from "../../gateway/action.ts";
import { linesDone, rowsOf } from "../../gateway/rows.ts";
import type { Step } from "../../gateway/step.ts";
import { withDying } from "../../checks/settle.ts";
import type { Survey, UnitSeen } from "../../gateway/survey.ts";

const told = (...argv: string[]): Step => ({ title: argv.join(" "), actions: [run(argv)] });
const route = (n: number) => told(Program.ip, "-4", "route", "add", `10.0.${n}.0/24`, "dev", "wg0");

Deno.test("rowsOf: routes of one family in a row are one call, in their order", () => {
  const steps = [route(1), route(2), told(Program.ip, "-6", "route", "add", "2001:db8::/64", "dev", "wg0"), route(3)];
  const rows = rowsOf(steps);
  assertEquals(rows.flatMap((row) => row.steps), steps);
  assertEquals(rows.map((row) => row.steps.length), [2, 1, 1]);
  assertEquals(rows[0]!.argv, [Program.ip, "-4", "-batch", "-"]);
  assertEquals(rows[0]!.lines, ["route add 10.0.1.0/24 dev wg0", "route add 10.0.2.0/24 dev wg0"]);
});

Deno.test("rowsOf: no more than two hundred together", () => {
  const rows = rowsOf(Array.from({ length: 450 }, (_, n) => route(n)));
  assertEquals(rows.map((row) => row.lines.length), [200, 200, 50]);
});

Deno.test("rowsOf: whatever is not told to ip's routes and addresses in plain words stays alone", () => {
  const alone: Step[] = [
    told(Program.ip, "link", "set", "dev", "wg0", "up"),
    told(Program.systemctl, "start", "x"),
    { title: "two", actions: [...route(1).actions, ...route(2).actions] },
    { title: "none", actions: [] },
    { title: "also", actions: [run([Program.ip, "route", "del", "10.0.0.0/8"], { also: [2] })] },
    told(Program.ip, "route", "add", "10.0.0.0/8", "dev", "a b"),
    told(Program.ip, "route", "add", "10.0.0.0/8", "dev", "a#b"),
    told(Program.ip, "route", "add", "10.0.0.0/8", "dev", 'a"b'),
  ];
  const twice = alone.flatMap((step) => [step, step]);
  assert(rowsOf(twice).every((row) => row.steps.length === 1 && row.lines.length === 0));
});

Deno.test("linesDone: what ip -batch says of the line that failed", () => {
  assertEquals(linesDone("RTNETLINK answers: File exists\nCommand failed -:3\n"), 2);
  assertEquals(linesDone("Command failed -:1\n"), 0);
  assertEquals(linesDone("ip: not found"), undefined);
});

Deno.test("withDying: active for a moment between two deaths is not active", () => {
  const at = 1_000_000;
  const survey = (unit: Partial<UnitSeen>) =>
    ({
      units: { u: { unit: "u", active: "active", sub: "running", restarts: 9, since: at - 100, ...unit } },
    }) as unknown as Survey;
  assertEquals(withDying(survey({}), at).units["u"]!.active, "activating");
  assertEquals(withDying(survey({}), at).units["u"]!.sub, "auto-restart");
  // A second after it began to die it has not died often yet.
  assertEquals(withDying(survey({ restarts: 2 }), at).units["u"]!.active, "activating");
  for (const same of [{ restarts: 1 }, { since: at - 5000 }, { since: 0 }, { sub: "exited" }, { active: "failed" }]) {
    const seen = survey(same);
    assertEquals(withDying(seen, at), seen);
  }
});

Deno.test("units: many routes are a file for one call of ip, few have a line each", async () => {
  for (const [count, batched] of [[3, false], [40, true]] as const) {
    const { items } = blueprint(await parseConfig(manyNetworks(count, "wg0"), "x"), FACTS);
    const file = (path: string) => items.find((i): i is FileItem => i.kind === "file" && i.path === path)?.content;
    const lines = (text: string) => text.split("\n").filter((line) => line.includes(" route "));
    for (
      const [unit, batch] of [
        [unitPath(Unit.overlay), Path.overlayBatch],
        [unitPath(Unit.translator("ygg")), Path.translatorBatch("ygg")],
      ] as const
    ) {
      assertEquals(file(unit)!.includes(`ip -batch ${batch}\n`), batched);
      assert(batched ? lines(file(unit)!).length <= 2 : lines(file(unit)!).length >= count);
      const told = file(batch)?.split("\n").filter((line) => line !== "" && !line.startsWith("#")) ?? [];
      assert(batched ? told.length >= count : told.length === 0);
      assert(told.every((line) => /^(route|address) replace [\w.:/ -]+$/.test(line)), told[0]);
    }
  }
});

Deno.test({
  name: "apply: of many routes in one call the one that cannot be made is named, and the machine is as before",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    using machine = new FakeMachine();
    placeFiles(machine.folder);
    try {
      const play = new Play(machine);
      const before = snapshot(machine);
      machine.before = (argv) =>
        argv.includes("add") || argv.includes("replace")
          ? argv.includes("10.0.7.0/24") ? refused("no", 2) : undefined
          : undefined;
      await assertRejects(() => play.up(manyNetworks(40, "wg0")), CrxnError, "add route 10.0.7.0/24");
      machine.before = () => undefined;
      assertEquals(differences(before, snapshot(machine)), []);
    } finally {
      placeFiles("");
    }
  },
});
