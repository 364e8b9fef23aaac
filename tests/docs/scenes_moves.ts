/** Scenes of docs/overlays.md about moving to another daemon: what is set up, and in which order their blocks are run. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { daemon } from "../rig/daemons.ts";
import { Web } from "../rig/web.ts";
import { freshConf, publicKeyOf, upOnBoth } from "../machines/pair.ts";
import { answersWithin, CONFIG, crxn } from "../machines/story.ts";
import { both, bring, CKR, edit, pair } from "./far_end.ts";
import type { Scene } from "./scenes.ts";
import { all, isAfter, isBefore } from "./stage.ts";

export const MOVE_SCENES: Record<string, Scene> = {
  "move": {
    machines: ["gw", "node"],
    needsGo: true,
    play: async (stage) => {
      const program = await daemon("yggdrasil-0.3.16");
      await pair(stage, { dials: "gw", daemon: program });
      const { gw, node } = stage;
      // Its yggdrasil.conf was there before crxn, and stays.
      const old = "/usr/local/sbin/yggdrasil-of-mine";
      await freshConf(gw, "s|AdminListen: .*|AdminListen: unix:///var/run/yggdrasil/yggdrasil.sock|", old);
      const oldKey = await publicKeyOf(gw, old);
      await edit(node, stage.keys["gw"]!, oldKey);
      await upOnBoth({ order: [node, gw] });
      await answersWithin(60, stage.client);
      await stage.play(isBefore);
      await crxn(gw, "down --yes");
      await crxn(node, "down --yes");
      await stage.play(({ text }) => text.includes("daemon:"));
      await stage.play(({ text }) => text.includes("init --key"));
      await stage.chapter("new keys, a new up, and the way back", async () => {
        const keys = { gw: await publicKeyOf(gw), node: await publicKeyOf(node) };
        await edit(gw, stage.keys["node"]!, keys.node);
        await edit(node, oldKey, keys.gw);
        await upOnBoth({ order: [node, gw] });
        await answersWithin(60, stage.client);
        await crxn(gw, "down --yes");
        await crxn(node, "down --yes");
        await gw.must("mv /etc/yggdrasil/yggdrasil-0.3.conf /etc/yggdrasil/yggdrasil.conf");
        await node.must(["cp", "/etc/crxn/crxn-0.3.yaml", CONFIG]);
      });
      await stage.play((block) => block.text.includes("crxn-0.3.yaml") && isAfter(block));
      await stage.chapter("the old key is the old node", async () => {
        await upOnBoth({ order: [node, gw] });
        await answersWithin(60, stage.client);
      });
    },
  },
  "back": {
    machines: ["gw", "node"],
    needsGo: true,
    play: async (stage) => {
      await pair(stage);
      await bring([stage.gw, stage.node], await daemon("yggdrasilckr-0.5.12"), CKR);
      await both(stage);
      await answersWithin(30, stage.client);
      const kind = async () => JSON.parse((await crxn(stage.gw, "status --json")).stdout).tunnel.kind;
      await stage.chapter("a daemon with tunnel routing on both, and back", async () => {
        const before = await kind();
        await stage.files();
        await both(stage);
        await answersWithin(75, stage.client);
        assertEquals(await kind(), "ckr");
        for (const machine of [stage.gw, stage.node]) await edit(machine, /tunnel: .*/, `tunnel: ${before}`);
        await both(stage);
        await answersWithin(75, stage.client);
        assertEquals(await kind(), before);
      });
    },
  },
  "path": {
    machines: ["gw"],
    needsGo: true,
    play: async (stage) => {
      await pair(stage);
      await bring([stage.gw], await daemon("yggdrasilckr-0.5.12"), "/root/yggdrasilckr");
      await stage.play(isBefore);
      await stage.files();
      await stage.chapter("crxn runs it", async () => {
        await crxn(stage.gw, "up --yes");
        assertStringIncludes(await stage.gw.must("systemctl show -p ExecStart yggdrasil"), CKR);
      });
    },
  },
  "url": {
    machines: ["gw"],
    needsGo: true,
    play: async (stage) => {
      await pair(stage);
      const web = await Web.start(await stage.lab.internet());
      const address = await web.offer("yggdrasil", await Deno.readFile(await daemon("yggdrasilckr-0.5.12")));
      stage.words = {
        "https://example.net/yggdrasil-0.5.12-amd64.deb": address,
        "https://example.net/...": "http...",
        "5f2c...64 hex digits...91d0": "5f".repeat(32),
      };
      await stage.files();
      await stage.play(all);
      assertEquals(await stage.gw.must("ls /usr/local/lib/crxn 2>/dev/null || echo none"), "none\n");
    },
  },
};
