import { assert, assertEquals, assertMatch } from "@std/assert";
import { diffSnapshots, Lab, type Machine, type Namespace, snapshot } from "../rig/mod.ts";
import type { Debian } from "../rig/images.ts";
import { pairOf } from "../machines/pair.ts";
import {
  answersWithin,
  assertNothingToDo,
  assertSilent,
  CONFIG,
  crxn,
  DEBIANS,
  sceneOf,
  someDebians,
} from "../machines/story.ts";
import { assertClutter, clutter } from "./clutter.ts";
import { FIRST, SECOND } from "./configs.ts";
import { changesOf, chosen, deathsIn, installMortal, killed, struck } from "./mortal_machine.ts";

// `up`, `down` and a changed config, killed at each of their changes: the next one carries on, and nothing is left behind.
// The same for signals and failing programs.

interface Stage {
  gw: Machine;
  client: Namespace;
  /** Compares with the machine of the beginning. */
  same: (why: string) => Promise<void>;
  configure: (text: string) => Promise<void>;
  configs: { first: string; second: string };
  /** Seconds until packets pass again, at most. */
  patience: number;
}

/** The way back without crxn. Before the first change there is none. */
async function undo(gw: Machine): Promise<void> {
  const { code, stderr } = await gw.sh("! test -e /var/lib/crxn/undo.sh || sh /var/lib/crxn/undo.sh");
  assertEquals([code, stderr], [0, ""]);
}

/** An `up` that does not come to its end, and has taken back what it did by itself. */
const takesItselfBack = (by: string, words: RegExp) => async ({ gw, same }: Stage, at: string): Promise<boolean> => {
  const { code, stdout, stderr } = await struck(gw, "up --yes", at, by);
  if (code === 0) return false;
  assertEquals(code, 1, stdout + stderr);
  assertMatch(stderr, words);
  await same(`after an up and ${by}`);
  return true;
};

/** One life and its deaths: `death` is in `up`, or in `down`, or in an `up` with a changed config. */
const LIVES: Record<string, (stage: Stage, death: string) => Promise<boolean>> = {
  async undo({ gw, same }, death) {
    if (!await killed(gw, "up --yes", death)) return false;
    await undo(gw);
    await same("after a killed up and undo.sh");
    return true;
  },
  interrupted: takesItselfBack("SIGINT", /Interrupted by SIGINT/),
  failed: takesItselfBack("failure", /made to fail/),
  async "hung up"({ gw, client, same, patience }, at) {
    const { code, stderr } = await struck(gw, "up --yes", at, "SIGHUP");
    assertEquals(code, 0, stderr);
    await answersWithin(patience, client);
    await crxn(gw, "down --yes");
    await same("after an up whose session is lost, and a down");
    return true;
  },
  async up({ gw, client, same, patience }, death) {
    if (!await killed(gw, "up --yes", death)) return false;
    await crxn(gw, "down --yes");
    await same("after a killed up and a down");
    await killed(gw, "up --yes", death);
    await crxn(gw, "up --yes");
    await answersWithin(patience, client);
    await crxn(gw, "up --dry-run");
    await crxn(gw, "down --yes");
    await same("after a killed up, an up and a down");
    return true;
  },
  async down({ gw, client, same, patience }, death) {
    await crxn(gw, "up --yes");
    if (!await killed(gw, "down --yes", death)) return false;
    await crxn(gw, "up --yes");
    await answersWithin(patience, client);
    await crxn(gw, "up --dry-run");
    await killed(gw, "down --yes", death);
    await crxn(gw, "down --yes");
    await same("after a killed down and a down");
    return true;
  },
  async change({ gw, client, same, configure, configs, patience }, death) {
    await configure(configs.first);
    await crxn(gw, "up --yes");
    await configure(configs.second);
    if (!await killed(gw, "up --yes", death)) return false;
    await crxn(gw, "up --yes");
    await answersWithin(patience, client);
    await crxn(gw, "up --dry-run");
    await configure(configs.first);
    await killed(gw, "up --yes", death);
    await crxn(gw, "down --yes");
    await same("after a killed change and a down");
    return true;
  },
};

/** A machine with an overlay, how it is told what to be, and which of its changes are looked at. */
interface Scene {
  gw: Machine;
  client: Namespace;
  configs: Stage["configs"];
  patience: number;
  concerns: (change: string) => boolean;
}

const SCENES: Record<string, (lab: Lab, debian: Debian) => Promise<Scene>> = {
  async "over a link"(lab, debian) {
    const { client, gw } = await sceneOf(lab, { debian, image: "ready" });
    return { client, gw, configs: { first: FIRST, second: SECOND }, patience: 5, concerns: () => true };
  },
  async "over yggdrasil"(lab, debian) {
    const { client, gw, node } = await pairOf(lab, { debian, image: "ready", tunnel: "vxlan", dials: "gw" });
    const first = await gw.read(CONFIG);
    // The daemon is told of another peer by its socket.
    const second = first.replace("peers: [", 'peers: ["tls://[2001:db8:9::1]:9", ') + "nat64: {mss: 1300}\n";
    await crxn(node, "up --yes");
    // The other changes are made over a link, too.
    const concerns = (change: string) => /ygg|crxn-[0-9a-f]{8}\b/.test(change);
    return { client, gw, configs: { first, second }, patience: 60, concerns };
  },
};

const chosenOf = (name: string, where: string, deaths: string[], debian: Debian): string[] => {
  // Over yggdrasil much is the same: one death there on one Debian, unless all are asked for.
  const some = where === "over a link" ? 2 : ["up", "down", "change"].includes(name) ? 1 : 0;
  return chosen(deaths, some, `${name} ${where}, ${debian}`);
};

for (const where of Object.keys(SCENES)) {
  for (const debian of where === "over a link" ? DEBIANS : someDebians(`killed ${where}`)) {
    Deno.test(`crxn ${where}, killed at each change that it makes, ${debian}`, async (t) => {
      await using lab = await Lab.create();
      const { client, gw, configs, patience, concerns } = await SCENES[where]!(lab, debian);
      await installMortal(gw);
      await clutter(gw);
      const configure = (text: string) => gw.write(CONFIG, text);
      await configure(configs.first);
      const before = await snapshot(gw);
      const same = async (why: string) => assertEquals(diffSnapshots(before, await snapshot(gw)), "", why);
      const stage: Stage = { gw, client, same, configure, configs, patience };

      await assertSilent(client);
      const changes: Record<string, string[]> = {};
      await t.step("what it does, undisturbed; others' near misses survive it", async () => {
        changes.up = await changesOf(gw, "up --yes");
        await answersWithin(patience, client);
        await assertClutter(gw);
        await assertNothingToDo(gw);
        await configure(configs.second);
        changes.change = await changesOf(gw, "up --yes");
        await answersWithin(patience, client);
        await assertClutter(gw);
        await configure(configs.first);
        await crxn(gw, "up --yes");
        changes.down = await changesOf(gw, "down --yes");
        await assertSilent(client);
        await same("undisturbed");
      });
      const only = Deno.env.get("CRXN_LIVES")?.split(",");
      for (const [name, live] of Object.entries(LIVES)) {
        if (only && !only.includes(name)) continue;
        const all = changes[name] ?? changes.up;
        if (!all) throw new Error("The changes are not known.");
        // What is no death happens in the midst of a program.
        const deaths = deathsIn(all)
          .filter((d) => d.endsWith("+") || !/failed|interrupted|hung up/.test(name))
          .filter((d) => concerns(all[parseInt(d)] ?? "") || concerns(all[parseInt(d) - 1] ?? ""));
        for (const death of chosenOf(name, where, deaths, debian)) {
          const what = all[parseInt(death)] ?? "nothing more";
          const when = death.endsWith("+") ? "in the midst of" : "before";
          await t.step(`${name} killed at ${death}, ${when}: ${what.slice(0, 120)}`, async () => {
            try {
              assert(await live(stage, death), `${name} ended before change ${death}`);
            } catch (error) {
              // The others begin with the machine as it was.
              await gw.run(["crxn", "down", "--yes"]);
              await configure(configs.first);
              throw error;
            }
          });
        }
      }
    });
  }
}
