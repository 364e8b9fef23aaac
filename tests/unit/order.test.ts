import { assert, assertEquals } from "@std/assert";
import { placeFiles } from "../../machine/place.ts";
import { WALK } from "./fake/configs.ts";
import { FakeMachine } from "./fake/machine.ts";
import { Play } from "./fake/play.ts";

/** What `up --dry-run` would do on a machine that is as the first config says, one line for each step. */
async function planned(first: string, then: string): Promise<string[]> {
  using machine = new FakeMachine();
  try {
    const play = new Play(machine);
    assertEquals(await play.up(first), 0, play.said);
    play.said = "";
    assertEquals(await play.up(then, { dryRun: true }), 2, play.said);
    return play.said.split("\n").map((line) => line.replace(/^[\s*+~-]*\d*[.)]?\s*/, ""));
  } finally {
    placeFiles("");
  }
}

Deno.test({
  name: "compare: routes that would take what is another translator's from now on go before any is started again",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    const steps = await planned(WALK["translators side by side"]!, WALK["two translators"]!);
    const at = (text: string) => {
      const index = steps.findIndex((step) => step.includes(text));
      assert(index >= 0, `no step "${text}" in\n${steps.join("\n")}`);
      return index;
    };
    // Of three the second one's part of the pool lies in what is the first one's of two.
    const [made, gone] = [at("add route 100.64.0.0/17"), at("remove route 100.64.64.0/18")];
    const [again, moved, stopped] = [at("restart tayga@ygg.service"), at("set route 2a04:"), at("stop tayga@ygg-3")];
    assert(made < gone && gone < again && again < moved && moved < stopped, steps.join("\n"));
  },
});
