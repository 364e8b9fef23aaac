import { assertEquals } from "@std/assert";
import { Lab } from "../rig/mod.ts";
import { answersWithin, CONFIG, crxn, sceneOf } from "../machines/story.ts";
import { manyNetworks } from "../unit/fake/configs.ts";
import { PAIRS, record } from "./record.ts";
import { judge, nothing, rowOf, taken } from "./plainly.ts";

// A thousand networks and a thousand maps on a real machine: `up` that has nothing to do, `status` and `doctor`.

const binary = (Deno.env.get("CRXN_BIN") ?? "") !== "";
const MANY = 1000;
const MEASURING = "probe,path-mtu,prefix-routed";

Deno.test({
  name: `${MANY} networks and ${MANY} maps, against one${binary ? "" : " (needs CRXN_BIN)"}`,
  ignore: !binary,
  fn: async () => {
    await using lab = await Lab.create();
    const { client, gw, host } = await sceneOf(lab, { debian: "trixie", image: "ready" });
    await host.must("ip route replace default via 10.200.255.1 dev eth0 onlink");
    const commands = ["up --yes --json", "status --json", `doctor --json --skip ${MEASURING}`];
    const measured = commands.map(nothing);
    for (const count of [1, MANY]) {
      await gw.write(CONFIG, manyNetworks(count, "ovl0"));
      console.log(`crxn up, ${count}: ${(await taken(gw, "crxn up --yes")).toFixed(0)} ms`);
      await answersWithin(10, client);
      for (const [i, command] of commands.entries()) {
        for (let n = 0; n < PAIRS; n++) {
          measured[i]![count === 1 ? "theirs" : "ours"].push(await taken(gw, `crxn ${command}`));
        }
      }
    }
    const wrong = commands.flatMap((command, i) =>
      judge(`crxn ${command} with ${MANY}, and with one`, measured[i]!, 2)
    );
    const rows = commands.map((command, i) => rowOf(`\`${command.replace(/ --(json|yes)/g, "")}\``, measured[i]!, 2));
    await record("growth", {
      title: `${MANY} networks and ${MANY} maps, against one of each ("without")`,
      rows,
    });
    console.log(`crxn down, ${MANY}: ${(await taken(gw, "crxn down --yes")).toFixed(0)} ms`);
    await crxn(gw, "status", 3);
    assertEquals(wrong, []);
  },
});
