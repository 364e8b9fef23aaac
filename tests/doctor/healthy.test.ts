import { assertEquals } from "@std/assert";
import { diffSnapshots, Lab, type Machine, snapshot } from "../rig/mod.ts";
import { assertHealthy, doctor, healthyWithin, told } from "../machines/diagnosis.ts";
import { pairOf, upOnBoth } from "../machines/pair.ts";
import { answersWithin, chaptersOf, crxn, DEBIANS, HOST, sceneOf } from "../machines/story.ts";

// Machines without a fault. Tunnel routing by the daemon itself: tests/tunnels; ip6gre: tests/vm.

/** What tayga notes of its clients is no change of doctor's. */
const BUSY = [/dynamic\.map/];

/** `--fix` where nothing is to be fixed: not one file, rule, route or unit moves. */
async function assertNothingFixed(machine: Machine, target = ""): Promise<void> {
  const before = await snapshot(machine);
  await crxn(machine, `doctor --fix --yes${target}`);
  assertEquals(diffSnapshots(before, await snapshot(machine), { ignore: BUSY }), "");
}

for (const debian of DEBIANS) {
  Deno.test(`crxn doctor: finds nothing on a healthy gateway over an existing link, and --fix changes nothing, ${debian}`, async () => {
    await using lab = await Lab.create();
    const { client, gw } = await sceneOf(lab, { debian, image: "ready" });
    await crxn(gw, "up --yes");
    await answersWithin(5, client);
    await assertHealthy(gw);
    await assertNothingFixed(gw, ` --target ${HOST}`);
    await gw.reboot();
    await answersWithin(10, client);
    await assertHealthy(gw);
  });

  Deno.test(`crxn doctor: finds nothing on gateway and node over yggdrasil, and --fix changes nothing, ${debian}`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const pair = await pairOf(lab, { debian, image: "ready", tunnel: "vxlan", dials: "gw" });
    const { client, gw, node } = pair;
    await chapter("up", async () => {
      await upOnBoth(pair);
      await answersWithin(30, client);
      await healthyWithin(30, gw);
    });
    await chapter("the gateway", async () => {
      await assertHealthy(gw);
      await assertNothingFixed(gw, ` --target ${HOST}`);
    });
    await chapter("the node", async () => {
      assertEquals(told(await doctor(node, 0)), "");
      await assertNothingFixed(node);
    });
  });
}
