import { assertEquals, assertRejects } from "@std/assert";
import { compare } from "../../gateway/compare.ts";
import { CrxnError } from "../../gateway/errors.ts";
import { apply } from "../../machine/apply.ts";
import { refused } from "../unit/fake/answer.ts";
import { Killed } from "../unit/fake/play.ts";
import { GATEWAY, start, test } from "./start.ts";

test("up: killed when it has enabled all units together; one that then fails starts none of them", async () => {
  const { machine, play } = start();
  using _ = machine;
  const { blueprint, survey, journal } = await play.prepare(GATEWAY);
  machine.before = (argv) => {
    if (!argv.includes("enable") || argv.length < 5) return undefined;
    void machine.systemd.run(argv.slice(1));
    throw new Killed();
  };
  const steps = compare(blueprint.items, survey, journal);
  await assertRejects(() => apply(machine, steps, survey, () => {}, blueprint.items), Killed);
  assertEquals(machine.systemd.unit("tayga@ygg.service").enabled, true);

  const failing = (argv: string[]) => argv.includes("start") && argv.includes("crxn-overlay.service");
  machine.before = (argv) => failing(argv) ? refused("no overlay today", 1) : undefined;
  await assertRejects(() => play.up(GATEWAY), CrxnError, "crxn-overlay.service");
  machine.before = () => undefined;
  for (const unit of ["crxn-firewall.service", "crxn-overlay.service", "crxn-link.service", "tayga@ygg.service"]) {
    assertEquals([machine.systemd.unit(unit).active, machine.systemd.unit(unit).enabled], ["inactive", false], unit);
  }
  assertEquals(await play.up(GATEWAY), 0, play.said);
  assertEquals(await play.steps(GATEWAY), []);
});
