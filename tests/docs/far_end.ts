/** What the scenes of docs/overlays.md have in common: two machines, and a far end in the words of the docs. */

import { assert } from "@std/assert";
import type { Machine } from "../rig/mod.ts";
import { bringDaemon, freshConf, type Join, pairOf, selfOf, upOnBoth, YGGDRASIL } from "../machines/pair.ts";
import { answersWithin, assertSilent, CONFIG, crxn } from "../machines/story.ts";
import { all, DEBIAN, isBefore, type Stage } from "./stage.ts";

/** Where the docs have other daemons. */
export const CKR = "/usr/local/sbin/yggdrasilckr";
export const OLD = "/usr/local/sbin/yggdrasil-0.3.16";

/** Two machines, joined as the docs' configs say; nothing is up. */
export async function pair(stage: Stage, join: Partial<Join> = {}): Promise<void> {
  const { client, gw, node, keys } = await pairOf(stage.lab, {
    debian: DEBIAN,
    image: "ready",
    tunnel: "auto",
    ...join,
  });
  stage.set({ client, machines: { gw, node }, keys });
}

export const both = ({ gw, node }: Stage): Promise<void> => upOnBoth({ order: [gw, node] });

export async function bring(machines: Machine[], program: string, path: string): Promise<void> {
  for (const machine of machines) await bringDaemon(machine, program, path);
}

/** Changes crxn.yaml. @throws when it has not what is to be changed */
export async function edit(machine: Machine, from: string | RegExp, to: string): Promise<void> {
  const text = await machine.read(CONFIG);
  assert(text.search(from) >= 0, `${machine.name}'s config has no ${from}:\n${text}`);
  await machine.write(CONFIG, text.replace(from, to));
}

/** Tells the gateway the key that the node really has. */
export const exchangeKey = ({ gw, keys }: Stage, key: string): Promise<void> => edit(gw, keys["node"]!, key);

/** An end made by hand, in Debian's unit, with what the text says: `Peers` and `IfName`. @param program makes a new config */
export async function byHand({ node, gw }: Stage, program?: string): Promise<void> {
  const change = `s|Peers: \\[\\]|Peers: ["tls://[${gw.uplink.ipv6}]:4443"]|; s|IfName: .*|IfName: ygg|`;
  if (program) await freshConf(node, change, program);
  else await node.must(["sed", "-i", change, YGGDRASIL]);
}

/** The far end in the words of the docs, on a machine without crxn. @param whole with its config, ip6gre, and a boot */
async function farByHand(stage: Stage, whole: boolean): Promise<void> {
  await pair(stage, { tunnel: "vxlan" });
  const { gw, node } = stage;
  await node.must(["rm", "/usr/local/bin/crxn"]);
  if (whole) await stage.play(isBefore);
  else await freshConf(node);
  await byHand(stage);
  await node.must(["systemctl", "start", "yggdrasil"]);
  const { key, address: OWN } = await selfOf(node);
  if (whole) {
    await stage.play(({ text }) => text.includes("getSelf"));
    await node.must(["systemctl", "is-enabled", "--quiet", "yggdrasil"]);
  }
  await exchangeKey(stage, key);
  await crxn(gw, "up --yes");
  await assertSilent(stage.client);
  stage.words = { OWN, GATEWAY: (await selfOf(gw)).address };
  await stage.play(({ text, given }) => text.includes("ip link add") && !given["needs"]);
  await answersWithin(60, stage.client);
  if (!whole) return;
  // The other kind would have the same name.
  await node.must(["ip", "link", "del", "crxn0"]);
  await stage.play(({ given }) => given["needs"] !== undefined);
  await stage.chapter("and after a boot, by the unit", async () => {
    await stage.files(all);
    await node.must(["systemctl", "enable", "crxn0"]);
    await node.reboot();
    await answersWithin(75, stage.client);
  });
}

export const far = (stage: Stage): Promise<void> => farByHand(stage, true);
export const farOfGuide = (stage: Stage): Promise<void> => farByHand(stage, false);
