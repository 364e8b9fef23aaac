/** Scenes of README.md and docs/guide.md. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { debName, LATEST } from "../../.ci/names.ts";
import { BINARY, offerRelease, pushDeb } from "../rig/release.ts";
import { Web } from "../rig/web.ts";
import { BY_HAND } from "../machines/by_hand.ts";
import { pairOf, upOnBoth } from "../machines/pair.ts";
import {
  answersWithin,
  assertAnswers,
  assertSilent,
  CONFIG,
  crxn,
  INTERFACE_GATEWAY,
  ROUTED,
  sceneOf,
} from "../machines/story.ts";
import { wireguardOf } from "../machines/wireguard.ts";
import type { Scene } from "./scenes.ts";
import { all, DEBIAN, isAfter, isBefore, type Stage } from "./stage.ts";

/** A gateway over the link ovl0. */
async function overlay(stage: Stage): Promise<void> {
  const { client, gw } = await sceneOf(stage.lab, { debian: DEBIAN, image: "ready" });
  stage.set({ client, machines: { gw } });
}

export const GUIDE_SCENES: Record<string, Scene> = {
  // tests/unit/docs.test.ts looks at these; the suite namespaces rehearses, and CI runs the tests.
  "host": { machines: ["host"] },
  "install": {
    machines: ["gw"],
    needsBinary: true,
    play: async (stage) => {
      const net = await stage.lab.internet();
      const gw = await stage.lab.machine("gw", { debian: DEBIAN, uplink: net });
      stage.set({ client: await net.client(), machines: { gw } });
      const address = await offerRelease(await Web.start(net), await Deno.readFile(BINARY));
      await gw.must("apt-get -qq update; DEBIAN_FRONTEND=noninteractive apt-get -qq -y install curl >/dev/null");
      stage.words = { [LATEST]: address };
      await stage.play(all);
      await crxn(gw, "--version");
    },
  },
  "package": {
    machines: ["gw"],
    needsBinary: true,
    play: async (stage) => {
      const net = await stage.lab.internet();
      const gw = await stage.lab.machine("gw", { debian: DEBIAN, uplink: net });
      stage.set({ client: await net.client(), machines: { gw } });
      await pushDeb(gw, `/root/${debName("amd64")}`);
      await gw.must("apt-get -qq update");
      stage.words = { "apt install": "DEBIAN_FRONTEND=noninteractive apt install -y" };
      await stage.play(all);
      assertEquals(await gw.must("command -v crxn"), "/usr/bin/crxn\n");
    },
  },
  "wireguard-init": {
    machines: ["gw"],
    play: async (stage) => {
      const { client, gw, configure } = await wireguardOf(stage.lab, DEBIAN);
      stage.set({ client, machines: { gw } });
      await configure("Address = 10.5.0.1/32");
      await gw.must("rm -r /etc/crxn; systemctl restart wg-quick@wg0");
      for (const block of stage.blocks) {
        await stage.play((b) => b === block);
        await gw.must(["mv", CONFIG, "/root/made.yaml"]);
      }
      await gw.must(["mv", "/root/made.yaml", CONFIG]);
      await assertSilent(client);
      await crxn(gw, "up --yes");
      await answersWithin(20, client);
    },
  },
  "example": {
    machines: ["gw"],
    play: async (stage) => {
      await overlay(stage);
      const { gw } = stage;
      await gw.must(["rm", "-r", "/etc/crxn"]);
      await stage.play(({ page }) => page === "docs/guide.md");
      await gw.must("test ! -e /etc/crxn");
      await stage.play(({ page }) => page === "README.md");
      assertEquals(await gw.read(CONFIG), (await crxn(gw, "init --example")).stdout);
    },
  },
  "overlay": {
    machines: ["gw"],
    play: async (stage) => {
      await overlay(stage);
      await assertSilent(stage.client);
      await stage.play(isBefore);
      // README's go up and down by themselves.
      await stage.play((b) => isAfter(b) && b.page === "README.md");
      await stage.play((b) => isAfter(b) && b.page !== "README.md" && b.text.includes("crxn up"));
      await assertAnswers(stage.client);
      await stage.play((b) => isAfter(b) && b.page !== "README.md" && !b.text.includes("crxn up"));
      await assertSilent(stage.client);
    },
  },
  "import": {
    machines: ["gw"],
    play: async (stage) => {
      await overlay(stage);
      await stage.gw.must(["rm", CONFIG]);
      await stage.gw.must(BY_HAND);
      await answersWithin(10, stage.client);
      await stage.play(all);
      await assertAnswers(stage.client);
      assertStringIncludes((await crxn(stage.gw, "up --dry-run")).stdout, "Nothing to do");
    },
  },
  "two": {
    machines: ["gw", "node"],
    play: async (stage) => {
      const { client, gw, node, keys } = await pairOf(stage.lab, { debian: DEBIAN, image: "ready", tunnel: "auto" });
      stage.set({ client, machines: { gw, node }, keys });
      await stage.files();
      await stage.play(isBefore);
      await assertSilent(client);
      await stage.play(isAfter);
      await answersWithin(30, client);
      await upOnBoth({ order: [gw, node] });
    },
  },
  "confirm": {
    machines: ["gw"],
    play: async (stage) => {
      await overlay(stage);
      await stage.play(all);
      await assertAnswers(stage.client);
      await crxn(stage.gw, "confirm");
    },
  },
  "undo": {
    machines: ["gw"],
    play: async (stage) => {
      await overlay(stage);
      await crxn(stage.gw, "up --yes");
      await assertAnswers(stage.client);
      await stage.play(all);
      await assertSilent(stage.client);
    },
  },
  "logs": {
    machines: ["gw"],
    play: async (stage) => {
      await overlay(stage);
      await crxn(stage.gw, "up --yes");
      // Another process has tayga's device open.
      await stage.gw.must(
        "systemctl stop tayga@ygg; systemd-run -q --unit other tayga --nodetach --config /etc/tayga/ygg.conf; sleep 0.3; systemctl start tayga@ygg || true; sleep 1",
      );
      await stage.play(all);
    },
  },
  "routing": {
    machines: ["gw"],
    play: async (stage) => {
      await overlay(stage);
      const { gw, client } = stage;
      await gw.must("apt-get -qq update; DEBIAN_FRONTEND=noninteractive apt-get -qq -y install bird2 >/dev/null");
      await stage.files();
      const learnt = () => gw.must("systemctl restart bird; sleep 2; birdc show route");
      assertEquals((await learnt()).includes("blackhole"), false);
      await crxn(gw, "up --yes");
      await learnt();
      await stage.play(all);
      await assertAnswers(client);
      await crxn(gw, "down --yes");
      assertEquals((await gw.must("birdc show route")).includes("blackhole"), false, "it is withdrawn");
    },
  },
  "on-link": {
    machines: ["gw"],
    play: async (stage) => {
      await overlay(stage);
      const { gw, client } = stage;
      const net = await stage.lab.internet();
      await gw.must(
        "apt-get -qq update; DEBIAN_FRONTEND=noninteractive apt-get -qq -y install ndppd >/dev/null 2>&1 || true",
      );
      await crxn(gw, "up --yes");
      await assertAnswers(client);
      // From now on the provider's router asks for each address.
      await net.unroute(ROUTED);
      await net.run(["ip", "-6", "route", "add", ROUTED, "dev", gw.uplink.bridge]);
      await assertSilent(client);
      await crxn(gw, "doctor --only prefix-routed", 1);
      await stage.files();
      await stage.play(all);
      await answersWithin(10, client);
      await gw.must(["systemctl", "stop", "ndppd"]);
      await net.run(["ip", "-6", "neigh", "flush", "all"]);
      await assertSilent(client);
    },
  },
  "upkeep": {
    machines: ["gw"],
    needsBinary: true,
    play: async (stage) => {
      await overlay(stage);
      await stage.gw.write(CONFIG, INTERFACE_GATEWAY);
      await stage.gw.must(["mkdir", "-p", "/var/lib/prometheus/node-exporter"]);
      await stage.chapter("the timers", async () => {
        await stage.files();
        await crxn(stage.gw, "up --yes");
        await stage.gw.must(
          "systemctl start crxn-metrics.service; grep crxn_state /var/lib/prometheus/node-exporter/crxn.prom",
        );
        assertEquals(await stage.gw.must(["systemctl", "is-active", "crxn-mend.timer"]), "active\n");
      });
    },
  },
};
