import { assertEquals } from "@std/assert";
import { Lab, type Machine, type Namespace } from "../rig/mod.ts";
import { assertHealthy, doctor, healthyWithin, statusOf, suffer, told } from "./diagnosis.ts";
import { type Fault, gatewayFaults, INTERFACE_FAULTS, yggdrasilFaults } from "./faults.ts";
import { pairOf, upOnBoth } from "./pair.ts";
import { answersWithin, assertAnswers, chaptersOf, crxn, sceneOf } from "./story.ts";

/** One fault that is not as it should be does not keep the others from being tried. */
async function sufferAll(t: Deno.TestContext, gw: Machine, client: Namespace, faults: Fault[], patience: number) {
  for (const fault of faults) {
    const passed = await t.step(`${fault.name}: ${fault.id}`, () => suffer(gw, client, fault, patience));
    if (!passed) {
      await gw.must(`iptables -P FORWARD ACCEPT; ip6tables -P FORWARD ACCEPT; crxn doctor --fix --yes || true`);
    }
  }
  await t.step("healthy after all of that", async () => {
    await assertHealthy(gw);
    assertEquals(await statusOf(gw, 0), "up");
  });
}

for (const debian of ["bookworm", "trixie"] as const) {
  Deno.test(`crxn doctor: names each fault of a gateway over an existing interface, ${debian}`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const { client, gw } = await sceneOf(lab, { debian, image: "ready" });
    await chapter("not up yet", async () => {
      assertEquals(await statusOf(gw, 3), "down");
      const { path } = await doctor(gw, 1);
      assertEquals(path.filter((station) => station.state === "ok"), []);
    });
    await chapter("healthy", async () => {
      await crxn(gw, "up --yes");
      await assertAnswers(client);
      await assertHealthy(gw);
    });
    await sufferAll(t, gw, client, [...gatewayFaults("ovl0"), ...INTERFACE_FAULTS], 5);
  });

  Deno.test(`crxn doctor: names each fault of a gateway over yggdrasil, ${debian}`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const pair = await pairOf(lab, { debian, image: "ready", tunnel: "vxlan", dials: "gw" });
    const { client, gw, node, keys } = pair;
    await chapter("healthy, both of them", async () => {
      await upOnBoth(pair);
      await answersWithin(20, client);
      await healthyWithin(20, gw);
      await assertHealthy(gw);
      assertEquals(told(await doctor(node, 0)), "");
    });
    const tunnel = `crxn-${keys.node.slice(0, 8)}`;
    // What does not depend on the overlay is told above; a lost peer needs time to come back.
    const faults = gatewayFaults(tunnel).filter((fault) =>
      fault.hop === "overlay" || /forward|blackhole/.test(fault.id)
    );
    await sufferAll(t, gw, client, [...faults, ...yggdrasilFaults(tunnel)], 20);
  });
}
