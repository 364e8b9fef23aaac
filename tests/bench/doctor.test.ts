import { assert } from "@std/assert";
import { Lab } from "../rig/mod.ts";
import { answersWithin, crxn, HOST, sceneOf } from "../machines/story.ts";
import { median, taken } from "./plainly.ts";

// How long doctor takes with the probe, by the binary, on a machine that has nothing else to do.

const PAIRS = 5;
/** Seconds, on a healthy path. */
const WITH_PROBE = 3;

const binary = (Deno.env.get("CRXN_BIN") ?? "") !== "";

for (const debian of ["bookworm", "trixie"] as const) {
  Deno.test({
    name: `crxn doctor: under ${WITH_PROBE} s with the probe, ${debian}${binary ? "" : " (needs CRXN_BIN)"}`,
    ignore: !binary,
    fn: async () => {
      await using lab = await Lab.create();
      const { client, gw } = await sceneOf(lab, { debian, image: "ready" });
      await crxn(gw, "up --yes");
      await answersWithin(10, client);
      const probed: number[] = [];
      for (let i = 0; i < PAIRS; i++) probed.push(await taken(gw, `crxn doctor --json --target ${HOST}`));
      console.log(`doctor with the probe on ${debian}: ${median(probed).toFixed(0)} ms`);
      assert(median(probed) < WITH_PROBE * 1000, `with the probe doctor takes ${median(probed)} ms`);
    },
  });
}
