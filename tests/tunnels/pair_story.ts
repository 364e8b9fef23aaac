import { assertEquals } from "@std/assert";
import { diffSnapshots, installProduct, Lab, ping, snapshot, transfer, until } from "../rig/mod.ts";
import { type Pair, pairOf, type PairOptions, upOnBoth } from "../machines/pair.ts";
import {
  answersWithin,
  assertNothingToDo,
  assertSilent,
  chaptersOf,
  crxn,
  HOST,
  killAndWait,
  MAPPED,
  note,
  removeProduct,
  steadyWithin,
} from "../machines/story.ts";
import { assertForgedStaysOut, assertStrangerStaysIn } from "./guard.ts";

/** What a pair is expected to come to. */
export interface Expected {
  kind: "ckr" | "ip6gre" | "vxlan";
  /** Part of what `crxn doctor` says of tunnel-routing. */
  says: string;
  /** The device on the node by which the gateway's packets arrive. */
  nodeDevice: (pair: Pair) => string;
  /** Further chapters, while both are up. */
  more?: (pair: Pair) => Promise<void>;
}

/** Gateway and node, both set up by crxn: packets through them, what must not pass, a kill, a reboot, and back. */
export function tellPair(name: string, options: () => Promise<PairOptions>, expected: Expected): void {
  Deno.test(name, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const pair = await pairOf(lab, await options());
    const { client, gw, node, host } = pair;
    await Promise.all([gw.reboot(), node.reboot()]);
    const before = await Promise.all([snapshot(gw), snapshot(node)]);
    await chapter("before up nothing answers", () => assertSilent(client));
    await chapter("up on both: the ping answers", async () => {
      await upOnBoth(pair);
      await answersWithin(30, client);
      await steadyWithin(30, client, MAPPED);
      const { tunnel, nodes } = JSON.parse((await crxn(gw, "status --json")).stdout);
      assertEquals([tunnel.kind, nodes.length], [expected.kind, 1]);
    });
    await chapter("full packets and 20 MB in both directions", async () => {
      assertEquals(await ping(gw, HOST, { size: 1472, whole: true }), { sent: 3, received: 3 });
      await transfer(client, host, MAPPED, 5001, 20_000_000);
    });
    await chapter("up again changes nothing, on neither", async () => {
      await assertNothingToDo(gw);
      await assertNothingToDo(node);
    });
    await chapter("doctor has nothing to say, and names the daemon and the kind", async () => {
      let findings: { id: string; verdict: string; found?: string }[] = [];
      // Peers that have just found each other may lose each other once more (0.5.12).
      await until("a healthy gateway", 30, async () => {
        const { code, stdout } = await gw.run(["crxn", "doctor", "--json", "--target", HOST]);
        note(gw, stdout);
        ({ findings } = JSON.parse(stdout));
        return code === 0 || undefined;
      });
      assertEquals(findings.filter((f) => !["pass", "skip"].includes(f.verdict)), []);
      const { found = "" } = findings.find((f) => f.id === "tunnel-routing")!;
      assertEquals(found.includes(expected.says), true, found);
    });
    await chapter("--fix has nothing to do, and changes nothing", async () => {
      const healthy = await snapshot(gw);
      await crxn(gw, `doctor --fix --yes --target ${HOST}`);
      assertEquals(diffSnapshots(healthy, await snapshot(gw), { ignore: [/dynamic\.map/] }), "");
    });
    await chapter(
      "a far node's packet with a source outside its routes does not get in",
      () => assertForgedStaysOut({ gw, node, own: "10.1.0.1" }),
    );
    await chapter(
      "IPv4 from an unlisted source does not get out",
      () => assertStrangerStaysIn({ gw, node, device: expected.nodeDevice(pair), target: "10.1.0.1" }),
    );
    if (expected.more) await chapter("and more", () => expected.more!(pair));
    await chapter("yggdrasil killed on the gateway: 30 s", () => killAndWait(gw, "yggdrasil", 30, client));
    await chapter("reboot of the gateway without the binary: it works by itself", async () => {
      await removeProduct(gw);
      await gw.reboot();
      await answersWithin(75, client);
      await installProduct(gw);
    });
    await chapter("down on both: nothing answers, and they are as they were", async () => {
      await Promise.all([gw, node].map((machine) => crxn(machine, "down --yes")));
      await assertSilent(client);
      const after = await Promise.all([snapshot(gw), snapshot(node)]);
      const packaged = { ignoreInstalledPackages: true };
      assertEquals(before.map((was, i) => diffSnapshots(was, after[i]!, packaged)), ["", ""]);
    });
  });
}

/** The tunnel device of the node, after the gateway's key. */
export const tunnelOnNode = ({ keys }: Pair): string => `crxn-${keys.gw.slice(0, 8)}`;
