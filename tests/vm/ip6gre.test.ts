import { assert, assertEquals } from "@std/assert";
import type { Debian } from "../rig/images.ts";
import { installProduct, Lab, ping, type Place, transfer, until } from "../rig/mod.ts";
import { doctor, healthyWithin, told } from "../machines/diagnosis.ts";
import { upOnBoth } from "../machines/pair.ts";
import {
  answersWithin,
  assertNothingToDo,
  assertSilent,
  chaptersOf,
  crxn,
  HOST,
  MAPPED,
  removeProduct,
  someChapters,
} from "../machines/story.ts";
import { virtualPairOf } from "./pair.ts";

// The story of machines/yggdrasil_pair.test.ts where the kernel has ip6gre. No kernel of a container need have it.

/**
 * Both ends by crxn, with a power cut: for `test:all`, and for who names Debians (CRXN_VM_DEBIANS="bookworm trixie"). CI has
 * story.test.ts, which goes over ip6gre as well: without KVM each takes five minutes.
 */
const ALL = Deno.env.get("CRXN_FAULTS") === "all" ? "bookworm trixie" : "";
const WANTED = (Deno.env.get("CRXN_VM_DEBIANS") ?? ALL).split(" ").filter((d) => d !== "") as Debian[];

/** Seconds for the path to come back: yggdrasil 0.4.7 tries a peer that refuses again after a minute. */
const PATIENCE = 180;

/** What the kernel makes by itself when it loads the module of ip6gre, and keeps until that is unloaded. */
const FALLBACK = ["ip6gre0", "ip6tnl0"];

/** The link of that name, as `ip` prints it. */
interface Link {
  ifname: string;
  mtu: number;
  linkinfo?: { info_kind: string; info_data?: Record<string, unknown> };
  stats64: { rx: { packets: number }; tx: { packets: number } };
}

async function linksOf(machine: Place): Promise<Link[]> {
  return JSON.parse(await machine.must(["ip", "-j", "-d", "-s", "link", "show"]));
}

const linkOf = async (machine: Place, name: string): Promise<Link | undefined> =>
  (await linksOf(machine)).find(({ ifname }) => ifname === name);

for (const debian of WANTED) {
  Deno.test(`crxn up: two ${debian}s with a kernel of their own, joined by ip6gre over yggdrasil`, async (t) => {
    const chapter = chaptersOf(t);
    const [damaged, rebooted, cut] = someChapters("what a tunnel goes through", 3);
    await using lab = await Lab.create();
    const pair = await virtualPairOf(lab, debian, { tunnel: "auto" });
    const { client, gw, node, host, keys } = pair;
    const both = [gw, node];
    const tunnels = { gw: `crxn-${keys.node.slice(0, 8)}`, node: `crxn-${keys.gw.slice(0, 8)}` };
    const before = await Promise.all(both.map(linksOf));

    await chapter("before up nothing answers", () => assertSilent(client));
    await chapter("up on both: auto takes ip6gre, and the ping answers", async () => {
      await upOnBoth(pair, 300);
      await answersWithin(PATIENCE, client);
      for (const machine of both) {
        const { tunnel } = JSON.parse((await crxn(machine, "status --json")).stdout);
        assertEquals(tunnel.kind, "ip6gre");
      }
    });
    await chapter("the pings of the client are the packets of the tunnel, on both ends", async () => {
      const counted = async () => [
        (await linkOf(gw, tunnels.gw))!.stats64,
        (await linkOf(node, tunnels.node))!.stats64,
      ];
      const was = await counted();
      assertEquals((await ping(client, MAPPED, { count: 20, deadline: 60 })).received, 20);
      const is = await counted();
      for (const [i, { rx, tx }] of is.entries()) {
        assert(rx.packets - was[i]!.rx.packets >= 20 && tx.packets - was[i]!.tx.packets >= 20, JSON.stringify(is));
      }
    });
    await chapter("1500 bytes pass the tunnel whole, and not one more", async () => {
      // An emulated machine answers late, and yggdrasil drops what has waited too long.
      assertEquals((await ping(gw, HOST, { size: 1472, whole: true, deadline: 30 })).received, 3);
      assertEquals((await ping(gw, HOST, { size: 1473, whole: true })).received, 0);
    });
    await chapter("2 MB in both directions arrive whole", async () => {
      const { seconds } = await transfer(client, host, MAPPED, 5001, 2_000_000, 120);
      console.log(`4 MB in ${seconds.toFixed(1)} s`);
    });
    await chapter("up again changes nothing, on neither", () => Promise.all(both.map(assertNothingToDo)));
    await chapter("doctor finds both healthy", async () => {
      await healthyWithin(PATIENCE, gw);
      await until("a healthy node", PATIENCE, async () => told(await doctor(node, 0)) === "" || undefined);
    });
    if (damaged) {
      await chapter("the tunnel deleted: doctor names it, up mends it", async () => {
        await gw.must(`ip link del ${tunnels.gw}`);
        await assertSilent(client);
        const seen = await doctor(gw, 1, ` --target ${HOST}`);
        const failing = seen.findings.filter((f) => f.verdict === "fail" && f.id !== "probe");
        assertEquals(failing.map((f) => f.id), ["tunnel-routing"], told(seen));
        assertEquals(seen.path.find((station) => station.state === "broken")?.hop, "overlay", told(seen));
        await crxn(gw, "up --yes");
        await answersWithin(PATIENCE, client);
        await healthyWithin(PATIENCE, gw);
      });
    }
    if (rebooted) {
      await chapter("reboot of the gateway without the binary: it works by itself", async () => {
        await removeProduct(gw);
        await gw.reboot();
        await answersWithin(PATIENCE, client);
        assertEquals((await linkOf(gw, tunnels.gw))?.linkinfo?.info_kind, "ip6gre");
      });
    }
    if (cut) {
      await chapter("power cut of the node without the binary: it works by itself", async () => {
        await removeProduct(node);
        await node.crash();
        await assertSilent(client);
        await node.start();
        await answersWithin(PATIENCE, client);
      });
    }
    await chapter("down on both: silence, and no device is left", async () => {
      await Promise.all(both.map((machine) => installProduct(machine)));
      await Promise.all(both.map((machine) => crxn(machine, "down --yes")));
      await assertSilent(client);
      const names = (links: Link[]) => links.map(({ ifname }) => ifname).filter((name) => !FALLBACK.includes(name));
      const after = await Promise.all(both.map(linksOf));
      assertEquals(after.map(names), before.map(names));
    });
  });
}
