import { assertEquals } from "@std/assert";
import { Lab } from "../rig/mod.ts";
import { answersWithin, crxn, HOST, sceneOf } from "../machines/story.ts";
import { PAIRS, record, type Row } from "./record.ts";
import { filesOf, judge, nothing, plainly, plan, rowOf, taken, typed } from "./plainly.ts";

// How long commands take, by the binary, on a machine that has nothing else to do: medians of pairs, one after the other.

const binary = (Deno.env.get("CRXN_BIN") ?? "") !== "";
/** Checks of doctor's that send packets and wait for them. */
const MEASURING = "probe,path-mtu,prefix-routed";
/** crxn's arguments, and how often as long as the plain programs they may take. */
const READING: [args: string, limit: number][] = [
  ["status --json", 1.0],
  [`doctor --json --skip ${MEASURING}`, 1.2],
  ["up --yes --json", 1.5],
];

for (const debian of ["bookworm", "trixie"] as const) {
  Deno.test({
    name: `what commands take, against plain ones, ${debian}${binary ? "" : " (needs CRXN_BIN)"}`,
    ignore: !binary,
    fn: async () => {
      await using lab = await Lab.create();
      const { client, gw } = await sceneOf(lab, { debian, image: "ready" });
      const whole = await plan(gw, "up");
      await crxn(gw, "up --yes");
      await answersWithin(10, client);
      const wrong: string[] = [];
      const rows: Row[] = [];
      const files = await filesOf(gw, whole);
      for (const [args, limit] of READING) {
        const [measured, plain] = [nothing(), await plainly(gw, args)];
        for (let i = 0; i < PAIRS; i++) {
          measured.theirs.push(await taken(gw, plain));
          measured.ours.push(await taken(gw, `crxn ${args}`));
        }
        rows.push(rowOf(`\`${args.replace(/ --(json|yes)/g, "")}\``, measured, limit));
        wrong.push(...judge(`crxn ${args} on ${debian}`, measured, limit));
      }
      const [up, down] = [nothing(), nothing()];
      // Both end with a look whether it works, as the notes do, and both wait for that.
      const look = `ping -n -q -c 1 -W 5 ${HOST} >/dev/null`;
      const typedDown = await typed(gw, "down", {});
      await crxn(gw, "down --yes");
      const typedUp = `${await typed(gw, "up", files)}\n${look}`;
      for (let i = 0; i < PAIRS; i++) {
        up.theirs.push(await taken(gw, typedUp));
        await answersWithin(5, client);
        down.theirs.push(await taken(gw, typedDown));
        up.ours.push(await taken(gw, "crxn up --yes"));
        await answersWithin(5, client);
        down.ours.push(await taken(gw, "crxn down --yes"));
      }
      wrong.push(...judge(`first crxn up on ${debian}`, up, 1.3), ...judge(`crxn down on ${debian}`, down, 1.3));
      rows.push(rowOf("first `up`, packages there", up, 1.3), rowOf("`down`", down, 1.3));
      await record(`commands-${debian}`, { title: `Commands on ${debian}`, rows });
      assertEquals(wrong, []);
    },
  });
}
