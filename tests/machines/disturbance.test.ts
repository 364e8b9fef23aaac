import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Lab, type Machine, type Namespace } from "../rig/mod.ts";
import { pairOf, upOnBoth } from "./pair.ts";
import {
  answersWithin,
  assertNothingToDo,
  chaptersOf,
  CONFIG,
  crxn,
  INTERFACE_GATEWAY,
  MAPPED,
  sceneOf,
  someDebians,
  steadyWithin,
} from "./story.ts";

// What a change on a live gateway costs those who use it: pings that are lost at 50 per second. docs/guide.md has the figures.

/** Echo requests per second. */
const RATE = 50;

/** Sends echo requests for some seconds while `body` runs, from half a second before it. @returns how many got no answer */
async function lostDuring(client: Namespace, seconds: number, body: () => Promise<unknown>): Promise<number> {
  const count = String(seconds * RATE);
  const pings = client.run(["ping", "-n", "-q", "-i", String(1 / RATE), "-W", "1", "-c", count, MAPPED]);
  await new Promise((resolve) => setTimeout(resolve, 500));
  const begun = performance.now();
  await body();
  const took = (performance.now() - begun) / 1000;
  assert(took < seconds - 1, `the change took ${took.toFixed(1)} s, and pings were sent for ${seconds} s only`);
  const { stdout, stderr } = await pings;
  const found = /(\d+) packets transmitted, (\d+) received/.exec(stdout);
  assert(found, `ping says: ${stdout}${stderr}`);
  return Number(found[1]) - Number(found[2]);
}

/** Of the gateway over an existing link. */
const CHANGES: { what: string; config: string; restarts?: string }[] = [
  { what: "nat64.clients", config: 'nat64: {clients: ["2001:db8:c::/64", "2001:db8:d::/64"]}' },
  { what: "nat64.clients and nat64.mss", config: 'nat64: {clients: ["::/0"], mss: 1300}' },
  { what: "nat64.mss", config: "nat64: {mss: off}" },
  // The routes into the translator are made by its unit at its start, and by a step of their own now.
  { what: "another network of overlay.routes", config: "    - to: 172.20.0.0/16" },
  { what: "a network of overlay.routes gone", config: "" },
  { what: "nat64.maps", config: 'nat64: {maps: [{ipv4: 10.5.0.2, ipv6: "2001:db8:c::99"}]}', restarts: "translation" },
  { what: "nat64.pool", config: "nat64: {pool: 100.127.0.0/16}", restarts: "translation" },
];

/** Lost pings where tayga has to be started anew, which takes less than a second: it reads its config once. */
const MOST = RATE;
/** The same for yggdrasil, with its peer connected again; the side that is restarted dials. */
const MOST_OVERLAY = 6 * RATE;

async function changed(gw: Machine, client: Namespace, config: string, seconds = 6): Promise<number> {
  await gw.write(CONFIG, config);
  const lost = await lostDuring(client, seconds, () => crxn(gw, "up --yes"));
  await assertNothingToDo(gw);
  return lost;
}

for (const debian of someDebians("what changes cost")) {
  Deno.test(`crxn up: what changes on a live gateway cost, ${debian}`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const { client, gw } = await sceneOf(lab, { debian, image: "ready" });
    await crxn(gw, "up --yes");
    await answersWithin(10, client);
    await chapter(
      "nothing changed loses nothing, and a translator that stands still for half a second is seen",
      async () => {
        assertEquals(await lostDuring(client, 4, () => crxn(gw, "up --yes")), 0);
        const halted = () =>
          gw.must(
            "systemctl kill -s STOP tayga@ygg; ip link set nat64-ygg down; sleep 0.5; systemctl restart tayga@ygg",
          );
        const lost = await lostDuring(client, 4, halted);
        assert(lost > RATE / 4, `half a second lost only ${lost} pings`);
        await answersWithin(5, client);
      },
    );
    for (const { what, config, restarts } of CHANGES) {
      await chapter(`${what} changed`, async () => {
        const text = INTERFACE_GATEWAY + (config === "" ? "" : `${config}\n`);
        await gw.write(CONFIG, text);
        const { stdout } = await crxn(gw, "up --dry-run", 2);
        assertEquals(/interrupts (\w+)/.exec(stdout)?.[1], restarts);
        const lost = await changed(gw, client, text);
        console.log(`${debian}: ${what}: ${lost} pings lost`);
        if (restarts) assert(lost <= MOST, `${lost} pings lost, more than ${MOST}`);
        else assertEquals(lost, 0);
      });
    }
  });

  Deno.test(`crxn up: what other peers cost on a live gateway, ${debian}`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const pair = await pairOf(lab, { debian, image: "ready", tunnel: "vxlan", dials: "gw" });
    const { client, gw } = pair;
    await upOnBoth(pair);
    await answersWithin(30, client);
    await steadyWithin(30, client, MAPPED);
    const alone = await gw.read(CONFIG);
    const two = alone.replace("peers: [", 'peers: ["tls://[2001:db8:9::1]:9", ');
    const daemon = () => gw.must(["systemctl", "show", "-P", "MainPID", "yggdrasil"]);
    // Of 0.4 a peer that is gone from its config stays connected until it is restarted.
    const oneLess = debian !== "bookworm";
    await chapter("a peer more, and one less: the daemon is told, and runs on", async () => {
      const pid = await daemon();
      for (
        const [what, text, verb] of [["a peer more", two, "addPeer"], ["a peer less", alone, "removePeer"]] as const
      ) {
        await gw.write(CONFIG, text);
        const { stdout } = await crxn(gw, "up --dry-run", 2);
        if (verb === "removePeer" && !oneLess) {
          assertStringIncludes(stdout, "interrupts the overlay");
          const lost = await changed(gw, client, text, 20);
          console.log(`${debian}: overlay.peers, ${what}: ${lost} pings lost`);
          assert(lost <= MOST_OVERLAY, `${lost} pings lost`);
          continue;
        }
        assertStringIncludes(stdout, `yggdrasilctl -json ${verb} 'uri=tls://[2001:db8:9::1]:9'`);
        assert(!stdout.includes("interrupts"), stdout);
        const lost = await changed(gw, client, text);
        console.log(`${debian}: overlay.peers, ${what}: ${lost} pings lost`);
        assertEquals(lost, 0);
      }
      assertEquals(await daemon() === pid, oneLess);
    });
    await chapter("another port to listen on: the daemon is restarted, and dials at once", async () => {
      const text = alone.replace("listen: [", 'listen: ["tls://[::]:9999", ');
      assert(text !== alone);
      await gw.write(CONFIG, text);
      assertStringIncludes((await crxn(gw, "up --dry-run", 2)).stdout, "interrupts the overlay");
      const lost = await changed(gw, client, text, 20);
      console.log(`${debian}: overlay.listen: ${lost} pings lost`);
      assert(lost <= MOST_OVERLAY, `${lost} pings lost, more than ${MOST_OVERLAY}`);
    });
    await chapter("clients changed: nothing is lost over yggdrasil either", async () => {
      await steadyWithin(30, client, MAPPED);
      const text = (await gw.read(CONFIG)) + 'nat64: {clients: ["2001:db8:c::/64"], mss: 1300}\n';
      assertEquals(await changed(gw, client, text), 0);
    });
  });
}
