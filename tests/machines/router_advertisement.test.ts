import { assertEquals, assertMatch } from "@std/assert";
import { diffSnapshots, Lab, type Machine, snapshot, until } from "../rig/mod.ts";
import {
  answersWithin,
  assertAnswers,
  assertSilent,
  chaptersOf,
  crxn,
  HOST,
  removeProduct,
  sceneOf,
  someDebians,
} from "./story.ts";

const defaultRoute = (gw: Machine) => gw.must(["ip", "-6", "route", "show", "default"]);
const acceptRa = async (gw: Machine) => (await gw.must(["sysctl", "-n", "net.ipv6.conf.eth0.accept_ra"])).trim();

/** The advertised route is there, and goes on being renewed: its lifetime goes up again. */
async function assertKept(gw: Machine): Promise<void> {
  const seconds = async () => Number(/expires (\d+)sec/.exec(await defaultRoute(gw))?.[1]);
  assertMatch(await defaultRoute(gw), /default via fe80:\S+ dev eth0 proto ra/);
  let last = await seconds();
  await until("the next router advertisement to renew the route", 10, async () => {
    const now = await seconds();
    const renewed = now > last;
    last = now;
    return renewed || undefined;
  });
}

for (const debian of someDebians("router advertisements")) {
  Deno.test(`crxn up: a ${debian} whose IPv6 default route came by router advertisement keeps it`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const { client, gw } = await sceneOf(lab, { debian, image: "ready", ra: true });
    const before = await snapshot(gw);
    await chapter("before up the route is there, and nothing answers", async () => {
      assertEquals(await acceptRa(gw), "1");
      await assertSilent(client);
    });
    await chapter("through up", async () => {
      await crxn(gw, `up --yes --target ${HOST}`);
      assertEquals(await gw.must(["sysctl", "-n", "net.ipv6.conf.all.forwarding"]), "1\n");
      await assertAnswers(client);
      await assertKept(gw);
    });
    await chapter("through down: accept_ra is 1 again", async () => {
      await crxn(gw, "down --yes");
      assertEquals(await acceptRa(gw), "1");
      await assertKept(gw);
      assertEquals(diffSnapshots(before, await snapshot(gw)), "");
    });
    await chapter("through a reboot without the binary", async () => {
      await crxn(gw, "up --yes");
      await removeProduct(gw);
      await gw.reboot();
      await answersWithin(10, client);
      await assertKept(gw);
      await assertAnswers(client);
    });
  });
}
