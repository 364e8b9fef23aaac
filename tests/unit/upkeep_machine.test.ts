/** Upkeep on a fake machine: another crxn, another file of metrics, and what the timer's mend does by which config. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { settledFacts } from "../../checks/settle.ts";
import { unitsHere } from "../../commands/gateway_units.ts";
import { mend } from "../../commands/upkeep.ts";
import { Program } from "../../gateway/action.ts";
import { blueprint } from "../../gateway/blueprint.ts";
import { compare } from "../../gateway/compare.ts";
import { parseConfig } from "../../gateway/config/parse.ts";
import { Unit, unitPath } from "../../gateway/names.ts";
import { planLines } from "../../gateway/plan.ts";
import { sumOf } from "../../gateway/upkeep.ts";
import { apply } from "../../machine/apply.ts";
import { readJournal } from "../../machine/journal.ts";
import { questionsOf, readSurvey } from "../../machine/survey.ts";
import { WALK } from "./fake/configs.ts";
import { FakeMachine } from "./fake/machine.ts";
import { Play } from "./fake/play.ts";

const FILE = "/var/lib/prometheus/node-exporter/crxn.prom";

Deno.test({
  name:
    "up from another path: both units call it, and nothing is left to do; a new metrics file takes the old one's place",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    const [plain, moved] = [FILE, FILE.replace("crxn.prom", "other.prom")];
    using machine = new FakeMachine();
    const play = new Play(machine);
    Deno.mkdirSync(`${machine.folder}/var/lib/prometheus/node-exporter`, { recursive: true });
    assertEquals(await play.up(WALK["interface gateway"]!), 0, play.said);
    /** As `up` does it, but for the question whether a timer may call this crxn. */
    const make = async (metrics: string, command: string) => {
      const config = `${WALK["interface gateway"]}upkeep: {mend: 5min, metrics: ${metrics}}\n`;
      const { blueprint: { config: parsed, facts }, journal } = await play.prepare(config);
      const caller = { command: [command], config: "/etc/crxn/crxn.yaml" };
      const { items } = blueprint(parsed, { ...facts, caller });
      const look = async () => await readSurvey(machine, questionsOf(parsed, await readJournal(), items));
      const survey = await look();
      const steps = compare(items, survey, journal);
      await apply(machine, steps, survey, () => {}, items);
      assertEquals(planLines(steps).filter((l) => /crxn_state/.test(l)), []);
      const now = await readJournal();
      assertEquals(compare(items, await look(), now), []);
      // A mend looks with whatever calls it, and finds nothing either.
      const other = { ...facts, caller: { command: ["/root/crxn"], config: "/x" } };
      const settled = settledFacts(other, now, survey, undefined);
      assertEquals(settled.caller, caller);
      assertEquals(compare(blueprint(parsed, settled).items, await look(), now), []);
      return steps.map((step) => step.title);
    };
    // crxn's own metrics, of before there was a timer: they are the timer's from now on.
    machine.write(plain, "# HELP crxn_state x\n");
    const units = [Unit.mend, Unit.metrics].map(unitPath);
    await make(plain, "/usr/local/bin/crxn");
    assertEquals(machine.read(plain), "");
    machine.write(plain, "# HELP crxn_state x\n");
    assertEquals(await make(plain, "/usr/bin/crxn"), [
      ...units.map((path) => `change ${path}`),
      "let systemd read its units again",
      `restart ${Unit.metricsTimer}`,
    ]);
    for (const path of units) assertStringIncludes(machine.read(path)!, 'ExecStart="/usr/bin/crxn"');
    const titles = await make(moved, "/usr/bin/crxn");
    assertEquals(titles.filter((t) => t.includes(".prom")), [`write ${moved}`, `remove ${plain}`]);
    assertEquals([machine.read(plain), machine.read(moved)], [undefined, ""]);
    machine.write(moved, "# HELP crxn_state x\n");
    const script = machine.read("/var/lib/crxn/undo.sh")!;
    assertStringIncludes(script, `remove ${moved}\n`);
    // Without a config what the timers start has its log as well.
    Deno.removeSync(play.context.options.config);
    const logged = await unitsHere(play.context);
    for (const unit of [Unit.mend, Unit.metrics]) assert(logged.includes(unit), logged.join());
    assert(!logged.some((unit) => unit.endsWith(".timer")));
    for (const unit of [Unit.mend, Unit.metrics]) {
      assertStringIncludes(script, `stop ${unit}\n`);
      machine.systemd.unit(unit).active = "failed";
    }
    assertEquals(await play.down(), 0, play.said);
    assertEquals([machine.read(plain), machine.read(moved)], [undefined, undefined]);
    for (const unit of [Unit.mend, Unit.metrics]) assertEquals(machine.systemd.unit(unit).active, "inactive");
  },
});

Deno.test({
  name:
    "mend: pings nobody; by a config that is missing, invalid or another it says so, mends nothing, and is no failure",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    using machine = new FakeMachine();
    const play = new Play(machine);
    const config = WALK["yggdrasil gateway"]!;
    const file = play.context.options.config;
    const sum = sumOf(await parseConfig(config, "f"));
    assertEquals(await play.up(config), 0, play.said);
    const asked: string[] = [];
    machine.before = (argv) => void asked.push(argv[0]!);
    await machine.systemd.run(["stop", "tayga@ygg.service"]);
    for (
      const [breaks, says] of [
        [() => Deno.removeSync(file), "There is no config at"],
        [() => Deno.writeTextFileSync(file, "address: ["), "crxn.yaml is not as `crxn up` found it"],
        [() => Deno.writeTextFileSync(file, `${config}\nupkeep: {mend: 1h}\n`), "crxn.yaml has changed"],
      ] as const
    ) {
      breaks();
      play.said = "";
      assertEquals(await mend(play.context, sum), 0);
      assertMatch(play.said, /^<4>[^\n]*nothing is mended[^\n]*\n$/);
      assertStringIncludes(play.said, says);
      assertEquals(machine.systemd.unit("tayga@ygg.service").active, "inactive");
    }
    Deno.writeTextFileSync(file, config);
    play.said = "";
    await mend(play.context, sum);
    assertStringIncludes(play.said, "mended: translator-service");
    assertEquals(machine.systemd.unit("tayga@ygg.service").active, "active");
    assert(asked.length > 0);
    assertEquals(asked.filter((program) => program === Program.ping), []);
    // The control: they are pinged where somebody asks.
    await play.doctor(config, { only: "overlay-peers" });
    assert(asked.includes(Program.ping));
  },
});
