/** Scenes of docs/overlays.md: what is set up, and in which order their blocks are run. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { daemon } from "../rig/daemons.ts";
import { installProduct, type Machine, until } from "../rig/mod.ts";
import { Web } from "../rig/web.ts";
import { type Join, pairOf, publicKeyOf, upOnBoth } from "../machines/pair.ts";
import { answersWithin, assertSilent, CONFIG, crxn, ROUTED } from "../machines/story.ts";
import { wireguardOf } from "../machines/wireguard.ts";
import type { Scene } from "./scenes.ts";
import type { Stage } from "./stage.ts";

const DEBIAN = "trixie";
const isBefore = ({ words }: { words: string[] }) => words.includes("before");
const isAfter = (block: { words: string[] }) => !isBefore(block);
/** yggdrasil's own address. */
const addressOf = async (machine: Machine) =>
  JSON.parse(await machine.must("yggdrasilctl -json getSelf | sed -n '/^{/,$p'")).address;

/** Two machines, joined as the docs' configs say; nothing is up. */
async function pair(stage: Stage, join: Partial<Join> = {}): Promise<void> {
  const { client, gw, node, keys } = await pairOf(stage.lab, {
    debian: DEBIAN,
    image: "ready",
    tunnel: "auto",
    ...join,
  });
  stage.set({ client, machines: { gw, node }, keys });
}

const both = ({ gw, node }: Stage) => upOnBoth({ order: [gw, node] });

/** A daemon where the docs have it. */
async function bring(machines: Machine[], program: string, path: string): Promise<void> {
  for (const machine of machines) await machine.push(program, path, 0o755);
}

const CKR = "/usr/local/sbin/yggdrasilckr";
const OLD = "/usr/local/sbin/yggdrasil-0.3.16";

/** An end made by hand, in Debian's unit: `Peers` and `IfName` as the text says. */
async function byHand(stage: Stage, program: string | undefined): Promise<void> {
  const { node, gw } = stage;
  const conf = "/etc/yggdrasil/yggdrasil.conf";
  const peers = `s|Peers: \\[\\]|Peers: ["tls://[${gw.uplink.ipv6}]:4443"]|; s|IfName: .*|IfName: ygg|`;
  if (program) {
    await node.must(`umask 027; ${program} -genconf | sed '${peers}' >${conf}; chgrp yggdrasil ${conf}`);
  } else await node.must(`sed -i '${peers}' ${conf}`);
}

/** The far end in the words of the docs, on a machine without crxn. */
async function farByHand(stage: Stage): Promise<void> {
  await pair(stage, { tunnel: "vxlan" });
  const { gw, node } = stage;
  await node.must(["rm", "/usr/local/bin/crxn"]);
  if (stage.blocks.some(isBefore)) await stage.play(isBefore);
  else {await node.must(
      "umask 027; yggdrasil -genconf >/etc/yggdrasil/yggdrasil.conf; chgrp yggdrasil /etc/yggdrasil/yggdrasil.conf",
    );}
  await byHand(stage, undefined);
  await stage.play(({ text }) => text.includes("getSelf"));
  await node.must(["systemctl", "start", "yggdrasil"]);
  await until(
    "yggdrasil to answer",
    20,
    async () => (await node.run(["yggdrasilctl", "getSelf"])).code === 0 || undefined,
  );
  const key = JSON.parse(await node.must("yggdrasilctl -json getSelf | sed -n '/^{/,$p'")).key;
  await gw.write(CONFIG, (await gw.read(CONFIG)).replace(stage.keys["node"]!, key));
  await crxn(gw, "up --yes");
  await assertSilent(stage.client);
  stage.words = { OWN: await addressOf(node), GATEWAY: await addressOf(gw) };
  await stage.play(({ text, given }) => text.includes("ip link add") && !given["needs"]);
  await answersWithin(60, stage.client);
  await stage.play(({ given }) => given["needs"] !== undefined);
  if (!stage.blocks.some(({ path }) => path)) return;
  await stage.chapter("and after a boot, by the unit", async () => {
    await stage.files();
    await node.must(["systemctl", "enable", "crxn0"]);
    await node.reboot();
    await answersWithin(75, stage.client);
  });
}

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
  "far": { machines: ["node"], play: farByHand },
  "far-guide": { machines: ["node"], play: farByHand },
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
        await node.must(
          "sed -i 's|^}$|  AdminListen: unix:///var/run/yggdrasil/yggdrasil.sock\\n}|' /etc/yggdrasil/yggdrasil.conf",
        );
        await node.must(
          "systemctl daemon-reload; systemctl start yggdrasil; sysctl -qw net.ipv4.ip_forward=1; sleep 1",
        );
        const key = JSON.parse(await node.must("yggdrasilctl -json getSelf | sed -n '/^{/,$p'")).key;
        await gw.write(CONFIG, (await gw.read(CONFIG)).replace(stage.keys["node"]!, key));
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
      await stage.play(() => true);
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
        const key = (await node.must("sed -n 's/.*EncryptionPublicKey: //p' /etc/yggdrasil/yggdrasil.conf")).trim();
        await gw.write(CONFIG, (await gw.read(CONFIG)).replace(stage.keys["node"]!, key));
        await node.write(
          "/etc/systemd/system/yggdrasil.service.d/own.conf",
          `[Service]\nExecStart=\nExecStart=${OLD} -useconffile /etc/yggdrasil/yggdrasil.conf\n`,
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
          `address: ${network}.0.1/32\noverlay:\n  type: yggdrasil\n  peers: ["tls://[${
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
  "move": {
    machines: ["gw", "node"],
    needsGo: true,
    play: async (stage) => {
      const program = await daemon("yggdrasil-0.3.16");
      await pair(stage, { dials: "gw", daemon: program });
      const { gw, node } = stage;
      // Its yggdrasil.conf was there before crxn, and stays.
      await gw.must(
        "umask 027; /usr/local/sbin/yggdrasil-of-mine -genconf | sed 's|AdminListen: .*|AdminListen: unix:///var/run/yggdrasil/yggdrasil.sock|' >/etc/yggdrasil/yggdrasil.conf; chgrp yggdrasil /etc/yggdrasil/yggdrasil.conf",
      );
      const oldKey = await publicKeyOf(gw, "/usr/local/sbin/yggdrasil-of-mine");
      await node.write(CONFIG, (await node.read(CONFIG)).replace(stage.keys["gw"]!, oldKey));
      await upOnBoth({ order: [node, gw] });
      await answersWithin(60, stage.client);
      await stage.play(isBefore);
      await crxn(gw, "down --yes");
      await crxn(node, "down --yes");
      await stage.play(({ text }) => text.includes("init --key"));
      await stage.chapter("new keys, a new up, and the way back", async () => {
        const keys = { gw: await publicKeyOf(gw), node: await publicKeyOf(node) };
        for (const [machine, from, to] of [[gw, stage.keys["node"]!, keys.node], [node, oldKey, keys.gw]] as const) {
          const text = (await machine.read(CONFIG)).replace(from, to).replace(/ +daemon: .*\n/, "");
          await machine.write(CONFIG, text);
        }
        await upOnBoth({ order: [node, gw] });
        await answersWithin(60, stage.client);
        await crxn(gw, "down --yes");
        await crxn(node, "down --yes");
        await gw.must("mv /etc/yggdrasil/yggdrasil-0.3.conf /etc/yggdrasil/yggdrasil.conf");
        await node.must(["cp", "/etc/crxn/crxn-0.3.yaml", CONFIG]);
      });
      await stage.play(({ text, words }) => text.includes("crxn-0.3.yaml") && !words.includes("before"));
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
        for (const machine of [stage.gw, stage.node]) {
          await machine.write(CONFIG, (await machine.read(CONFIG)).replace(/tunnel: .*/, `tunnel: ${before}`));
        }
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
      await stage.play(() => true);
      assertEquals(await stage.gw.must("ls /usr/local/lib/crxn 2>/dev/null || echo none"), "none\n");
    },
  },
};
