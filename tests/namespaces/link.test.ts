// The follower of an existing link, with the real ip(8) and the machine's own sh, in a network namespace of its own.

import { assert, assertEquals } from "@std/assert";
import { MINE, pause, Scene } from "./link_scene.ts";

const reason = await obstacle();
if (reason) console.error(`\nTHE LINK'S FOLLOWER IS NOT TESTED HERE: ${reason}.\n`);

async function obstacle(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "this is not Linux";
  if (Deno.uid() !== 0) return "it needs root";
  if (!(await Deno.stat("/usr/sbin/ip").then(() => true, () => false))) return "there is no /usr/sbin/ip";
}

/** As wg-quick does it: made, given an address, brought up. veth shows as `wg.0@far`. */
const MADE = ["link add wg.0 type veth peer name far", "link set far up"];
const UP = "link set wg.0 up";

const stories: [name: string, body: () => Promise<void>][] = [];
const story = (name: string, body: () => Promise<void>) => void stories.push([name, body]);

story("a link that is up at its start is served, and a down that nobody saw the end of as well", async () => {
  await using scene = await Scene.create([...MADE, UP]);
  assertEquals((await scene.there()).routes, [], "not at once: whoever brings it up is let finish");
  await scene.served();
  await scene.ip("link set wg.0 down", UP);
  assertEquals((await scene.there()).routes, [], "the kernel has dropped them");
  await scene.served();
  assertEquals(scene.said.filter((line) => !/^wg\.0 is (up, with|down or gone)/.test(line)), []);
});

story("a link that comes late, goes, and is made anew", async () => {
  await using scene = await Scene.create();
  await pause(1500);
  await scene.ip(...MADE);
  await pause(500);
  assertEquals((await scene.there()).addresses, [], "nothing is put on a link that is being made");
  await scene.ip(UP);
  await scene.served();
  for (let i = 0; i < 2; i++) {
    await scene.ip("link del wg.0");
    assertEquals((await scene.there()).routes, []);
    await scene.ip(...MADE, UP);
    await scene.served();
  }
  // However often in a row: what is over is not waited for.
  for (let i = 0; i < 8; i++) await scene.ip("link del wg.0", ...MADE, UP);
  await scene.served(5);
  assertEquals(scene.said.filter((line) => line === "wg.0 is up, with its address and routes").length, 4);
  assertEquals(scene.said.filter((line) => !/^wg\.0 is (up, with|down or gone)/.test(line)), []);
});

story("what somebody else has put there is left, and nothing is done twice", async () => {
  await using scene = await Scene.create();
  await pause(1200);
  await scene.ip(...MADE, "address add 10.5.0.1/32 dev wg.0", UP, "route add 10.0.0.0/8 dev wg.0");
  const end = performance.now() + 6000;
  while (!scene.said.some((line) => line.includes("is up, with")) && performance.now() < end) await pause(100);
  assertEquals(await scene.there(), {
    addresses: ["10.5.0.1/32"],
    routes: ["10.0.0.0/8 dev wg.0 scope link", MINE[1]],
  });
  // Neither its own doing, nor other links, nor what else happens to this one is a reason to begin again.
  await scene.ip("link set wg.0 mtu 1400", "link set wg.0 alias x-<UP>", "route del 172.20.0.0/14");
  await scene.ip("link add wg.01 type veth peer name wg.0x", "link set wg.01 up", "link set wg.0x up");
  await scene.ip("link add wgx0 type veth peer name x", "link set wgx0 up", "link del wgx0");
  await pause(3000);
  assertEquals((await scene.there()).routes, ["10.0.0.0/8 dev wg.0 scope link"]);
  assertEquals(scene.said, ["wg.0 is up, with its address and routes"]);
  await pause(6000);
  assertEquals((await scene.processes()).sort(), ["ip", "sh", "sh"], "idle, it only waits");
});

story("what cannot be put on it is said once, and the rest is there", async () => {
  await using scene = await Scene.create([...MADE, UP, "address add 10.5.0.254/32 dev wg.0"]);
  const end = performance.now() + 6000;
  while (!scene.said.some((line) => line.includes("not all")) && performance.now() < end) await pause(100);
  assertEquals((await scene.there()).routes, [MINE[0]]);
  await pause(3000);
  assertEquals(scene.said.filter((line) => line.startsWith("wg.0")), ["wg.0 is up, but not all could be put on it"]);
});

story("it ends with its monitor, so that systemd starts it anew", async () => {
  await using scene = await Scene.create();
  await pause(10_500);
  assert(!scene.ended, "it waits for as long as it takes");
  await scene.kill("ip");
  await pause(500);
  assert(scene.ended, "it goes on without its monitor");
});

story("events that were lost: it ends, although its monitor goes on", async () => {
  await using scene = await Scene.create(MADE);
  await pause(10_500);
  // A monitor that does not come to read: more comes than its buffer holds.
  await scene.kill("ip", "SIGSTOP");
  const mtu = (i: number) => `link set far mtu ${1400 + i % 2}`;
  await scene.input(Array.from({ length: 4000 }, (_, i) => mtu(i)));
  assert(!scene.ended);
  await scene.kill("ip", "SIGCONT");
  const end = performance.now() + 10_000;
  while (!scene.ended && performance.now() < end) await pause(100);
  assert(scene.ended, "it goes on as if nothing had been lost");
  assert(scene.said.some((line) => line.startsWith("netlink receive error No buffer space")), scene.said.join("\n"));
});

// Most of the time a follower waits: all of them at once.
Deno.test({
  name: "link.sh: follows its link",
  ignore: reason !== undefined,
  fn: async (t) => {
    const together = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };
    await Promise.all(stories.map(([name, fn]) => t.step({ name, fn, ...together })));
  },
});
