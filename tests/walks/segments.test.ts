import { assertEquals } from "@std/assert";
import { fitSegments, measureAhead } from "../../commands/segments.ts";
import { Program } from "../../gateway/action.ts";
import type { Runner } from "../../machine/run.ts";
import { GATEWAY, start, test } from "./start.ts";

test("what passes is measured ahead, and once more only where a leg has turned out to be another", async () => {
  const { machine, play } = start();
  using _ = machine;
  const prepared = await play.prepare(GATEWAY);
  const sizes: string[] = [];
  const runner: Runner = {
    run: (argv, options) => {
      if (argv[0] !== Program.ping) return machine.run(argv, options);
      sizes.push(argv[argv.indexOf("-s") + 1]!);
      return Promise.resolve({ argv, code: 0, stdout: "3 packets transmitted, 3 received", stderr: "" });
    },
  };
  const context = { ...play.context, runner };
  const input = { ...prepared, troubles: [] };
  const ahead = measureAhead(context, prepared.blueprint, prepared.survey, undefined);
  assertEquals(sizes, ["1452", "56"]);

  const same = await fitSegments(context, input, undefined, ahead);
  assertEquals([same?.legs.map((l) => l.passes), sizes.length], [[1500], 2]);

  const links = prepared.survey.links.map((l) => l.name === "eth0" ? { ...l, mtu: 1400 } : l);
  const narrow = await fitSegments(context, { ...input, survey: { ...prepared.survey, links } }, undefined, ahead);
  assertEquals([narrow?.legs.map((l) => l.passes), sizes.slice(2)], [[1400], ["1352", "56"]]);
});
