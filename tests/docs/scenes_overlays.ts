/** Scenes of docs/overlays.md: what is set up, and in which order their blocks are run. */

import { assertStringIncludes } from "@std/assert";
import { daemon } from "../rig/daemons.ts";
import { installProduct } from "../rig/mod.ts";
import { publicKeyOf, selfOf, upOnBoth, YGGDRASIL } from "../machines/pair.ts";
import { answersWithin, assertSilent, CONFIG, crxn, ROUTED } from "../machines/story.ts";
import { wireguardOf } from "../machines/wireguard.ts";
import { both, bring, byHand, CKR, exchangeKey, far, farOfGuide, OLD, pair } from "./far_end.ts";
import type { Scene } from "./scenes.ts";
import { all, DEBIAN, isAfter, isBefore } from "./stage.ts";

export const OVERLAY_SCENES: Record<string, Scene> = {
  "vxlan": {
    machines: ["gw", "node"],
    play: async (stage) => {
      await pair(stage);
      await stage.files();
      await assertSilent(stage.client);
      await stage.play(isBefore);
      await both(stage);
      await answersWithin(30, stage.client);
      await stage.play(isAfter);
    },
  },
  "far": { machines: ["node"], play: far },
  "far-guide": { machines: ["node"], play: farOfGuide },
  "ckr": {
    machines: ["gw", "node"],
    needsGo: true,
    play: async (stage) => {
      await pair(stage);
      await bring([stage.gw, stage.node], await daemon("yggdrasilckr-0.5.12"), CKR);
      await stage.chapter("one more line in both configs", async () => {
        await stage.files();
        await both(stage);
        await answersWithin(30, stage.client);
        assertStringIncludes((await crxn(stage.gw, "status")).stdout, "ckr");
      });
    },
  },
  "ckr-far": {
    machines: ["node"],
    needsGo: true,
    play: async (stage) => {
      await pair(stage, { daemon: { gw: await daemon("yggdrasilckr-0.5.12") } });
      const { gw, node } = stage;
      await bring([node], await daemon("yggdrasilckr-0.5.12"), CKR);
      await byHand(stage, CKR);
      await stage.chapter("TunnelRouting and the drop-in", async () => {
        await stage.files();
        const socket = "AdminListen: unix:///var/run/yggdrasil/yggdrasil.sock";
        await node.must(["sed", "-i", `s|^}$|  ${socket}\\n}|`, YGGDRASIL]);
        await node.must("systemctl daemon-reload; systemctl start yggdrasil; sysctl -qw net.ipv4.ip_forward=1");
        await exchangeKey(stage, (await selfOf(node)).key);
        await assertSilent(stage.client);
        await crxn(gw, "up --yes");
        await answersWithin(75, stage.client);
      });
    },
  },
  "old": {
    machines: ["gw", "node"],
    needsGo: true,
    play: async (stage) => {
      const program = await daemon("yggdrasil-0.3.16");
      await pair(stage, { dials: "gw", daemon: program });
      await bring([stage.gw, stage.node], program, OLD);
      await stage.play(all);
      await stage.chapter("one more line in both configs", async () => {
        await stage.files();
        await upOnBoth({ order: [stage.node, stage.gw] });
        await answersWithin(60, stage.client);
      });
    },
  },
  "old-far": {
    machines: ["node"],
    needsGo: true,
    play: async (stage) => {
      const program = await daemon("yggdrasil-0.3.16");
      await pair(stage, { daemon: { gw: program } });
      const { gw, node } = stage;
      await bring([node], program, OLD);
      await byHand(stage, OLD);
      await stage.chapter("TunnelRouting of both sides, and what it runs", async () => {
        await stage.files();
        const key = (await node.must(["sed", "-n", "s/.*EncryptionPublicKey: //p", YGGDRASIL])).trim();
        await exchangeKey(stage, key);
        await node.write(
          "/etc/systemd/system/yggdrasil.service.d/own.conf",
          `[Service]\nExecStart=\nExecStart=${OLD} -useconffile ${YGGDRASIL}\n`,
        );
        await assertSilent(stage.client);
        await crxn(gw, "up --yes");
        await node.must(
          "systemctl daemon-reload; systemctl start yggdrasil; until ip link show dev ygg up; do sleep 0.1; done",
        );
        await node.must("ip route add 10.5.0.1/32 dev ygg; sysctl -qw net.ipv4.ip_forward=1");
        await answersWithin(75, stage.client);
      });
    },
  },
  "wireguard": {
    machines: ["gw", "node"],
    play: async (stage) => {
      const { client, gw, node } = await wireguardOf(stage.lab, DEBIAN);
      stage.set({ client, machines: { gw, node } });
      await stage.chapter("both wg0.conf as the docs have them, the far end by hand, then by crxn", async () => {
        const keys = await Promise.all([gw, node].map(async (m) => {
          const own = /PrivateKey = (\S+)/.exec(await m.read("/etc/wireguard/wg0.conf"))![1]!;
          return { own, open: (await m.must(`echo ${own} | wg pubkey`)).trim() };
        }));
        for (const [i, name] of ["gw", "node"].entries()) {
          await stage.machines[name]!.must("systemctl stop wg-quick@wg0");
          stage.words = {
            "PrivateKey = ...": `PrivateKey = ${keys[i]!.own}`,
            "PublicKey = ...": `PublicKey = ${keys[1 - i]!.open}`,
          };
          await stage.files((b) => b.machines[0] === name && b.kind === "ini");
          await stage.machines[name]!.must("systemctl start wg-quick@wg0");
        }
        await node.must("sysctl -qw net.ipv4.ip_forward=1");
        await stage.files((b) => b.kind === "yaml");
        await assertSilent(client);
        await crxn(gw, "up --yes");
        await answersWithin(20, client);
        await installProduct(node);
        await crxn(node, "up --yes");
        await answersWithin(20, client);
      });
    },
  },
  "several": {
    machines: ["gw"],
    play: async (stage) => {
      const net = await stage.lab.internet();
      const client = await net.client();
      const names = ["gw", "west", "east"];
      const made = await Promise.all(
        names.map((name) => stage.lab.machine(name, { debian: DEBIAN, image: "ready", uplink: net })),
      );
      const machines = Object.fromEntries(names.map((name, i) => [name, made[i]!]));
      await net.route(ROUTED, machines["gw"]!);
      const keys: Record<string, string> = {};
      for (const [name, machine] of Object.entries(machines)) {
        await installProduct(machine);
        keys[name] = await publicKeyOf(machine);
      }
      stage.set({ client, machines, keys });
      await stage.files();
      await stage.play(isBefore);
      for (const [name, network] of [["west", "10.1"], ["east", "10.2"]] as const) {
        await machines[name]!.write(
          CONFIG,
          `address: ${network}.0.1/32\noverlay:\n  type: yggdrasil\n  tunnel: vxlan\n  peers: ["tls://[${
            made[0]!.uplink.ipv6
          }]:4443"]\n` +
            `  routes: [{to: 10.5.0.0/16, via: ${keys["gw"]}}]\n`,
        );
        await crxn(machines[name]!, "up --yes");
      }
      await answersWithin(60, client, "2a04:5b80:300:4::a01:1");
      await answersWithin(60, client, "2a04:5b80:300:4::a02:1");
      await stage.play(isAfter);
    },
  },
};
