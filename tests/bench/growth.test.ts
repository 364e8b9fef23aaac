import { assertEquals } from "@std/assert";
import { Lab, type Machine } from "../rig/mod.ts";
import { answersWithin, CONFIG, crxn, sceneOf } from "../machines/story.ts";
import { manyNetworks } from "../unit/fake/configs.ts";
import { PAIRS, record } from "./record.ts";
import { judge, nothing, ratioOf, rowOf, taken } from "./plainly.ts";

// A thousand networks and a thousand maps on a real machine beside one with one of each, in turn: `up` that has nothing to do,
// `status` and `doctor`. And beside one where no network and no host is another's neighbour, so that each has its rules and routes.

const binary = (Deno.env.get("CRXN_BIN") ?? "") !== "";
const MANY = 1000;
const MEASURING = "probe,path-mtu,prefix-routed";
const COMMANDS = ["up --yes --json", "status --json", `doctor --json --skip ${MEASURING}`];
const named = (command: string) => `\`${command.replace(/ --(json|yes)/g, "")}\``;

/** A gateway that is up. */
async function gateway(lab: Lab, config: string, what: string): Promise<Machine> {
  const { client, gw, host } = await sceneOf(lab, { debian: "trixie", image: "ready" });
  await host.must("ip route replace default via 10.200.255.1 dev eth0 onlink");
  await gw.write(CONFIG, config);
  console.log(`crxn up, ${what}: ${(await taken(gw, "crxn up --yes")).toFixed(0)} ms`);
  await answersWithin(10, client);
  return gw;
}

Deno.test({
  name: `${MANY} networks and ${MANY} maps, against one${binary ? "" : " (needs CRXN_BIN)"}`,
  ignore: !binary,
  fn: async () => {
    await using labs = new AsyncDisposableStack();
    const lab = async () => labs.use(await Lab.create());
    const one = await gateway(await lab(), manyNetworks(1, "ovl0"), "one");
    const many = await gateway(await lab(), manyNetworks(MANY, "ovl0"), `${MANY}`);
    const apart = await gateway(await lab(), manyNetworks(MANY, "ovl0", 2), `${MANY} without neighbours`);
    const measured = COMMANDS.map(() => ({ many: nothing(), apart: nothing() }));
    for (let n = 0; n < PAIRS; n++) {
      for (const [i, command] of COMMANDS.entries()) {
        const theirs = await taken(one, `crxn ${command}`);
        for (const [name, gw] of Object.entries({ many, apart }) as ["many" | "apart", Machine][]) {
          measured[i]![name].theirs.push(theirs);
          measured[i]![name].ours.push(await taken(gw, `crxn ${command}`));
        }
      }
    }
    await record("growth", {
      title: `${MANY} networks and ${MANY} maps, against one of each ("without")`,
      rows: COMMANDS.map((command, i) => rowOf(named(command), measured[i]!.many, 2)),
    });
    await record("growth-apart", {
      title: `${MANY} networks and ${MANY} maps of which none is another's neighbour, against one of each ("without")`,
      rows: COMMANDS.map((command, i) => rowOf(named(command), measured[i]!.apart)),
    });
    for (const [i, command] of COMMANDS.entries()) {
      console.log(`crxn ${command}, ${MANY} without neighbours: ratio ${ratioOf(measured[i]!.apart).toFixed(2)}`);
    }
    const wrong = COMMANDS.flatMap((command, i) =>
      judge(`crxn ${command} with ${MANY}, and with one`, measured[i]!.many, 2)
    );
    console.log(`crxn down, ${MANY}: ${(await taken(many, "crxn down --yes")).toFixed(0)} ms`);
    await crxn(many, "status", 3);
    assertEquals(wrong, []);
  },
});
