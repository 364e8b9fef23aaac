/** Where the faults of the matrix are made: machines with a gateway that is up and healthy. */

import { Lab, type Namespace, type Place } from "../rig/mod.ts";
import type { Debian } from "../rig/images.ts";
import { healthyWithin } from "../machines/diagnosis.ts";
import { pairOf, upOnBoth } from "../machines/pair.ts";
import { answersWithin, CONFIG, crxn, INTERFACE_GATEWAY, sceneOf } from "../machines/story.ts";
import { POOL, type SceneName, type Script, type Where } from "./fault.ts";

export interface Scene {
  name: SceneName;
  debian: Debian;
  gw: Place;
  client: Namespace;
  places: Readonly<Partial<Record<Where, Place>>>;
  /** What scripts find in their environment. */
  env: Record<string, string>;
}

/** A scene that can be left. */
export type Opened = Scene & AsyncDisposable;

/** Boots the machines, runs `up`, and waits until doctor is content. */
export async function open(name: SceneName, debian: Debian): Promise<Opened> {
  const lab = await Lab.create();
  try {
    const scene = name === "yggdrasil" ? await overYggdrasil(lab, debian) : await overLink(lab, debian, name);
    await scene.gw.push(new URL("conntrack.pl", import.meta.url).pathname, "/opt/doctor/conntrack.pl", 0o755);
    await answersWithin(20, scene.client);
    await healthyWithin(20, scene.gw);
    return scene;
  } catch (error) {
    await lab[Symbol.asyncDispose]();
    throw error;
  }
}

async function overLink(lab: Lab, debian: Debian, name: SceneName): Promise<Opened> {
  const { net, client, gw, host } = await sceneOf(lab, { debian, image: "ready", ra: name === "advertised" });
  // So small that a full one can be made: tayga reads a list of 65000 addresses in half a minute.
  await gw.write(CONFIG, `${INTERFACE_GATEWAY}nat64:\n  pool: ${POOL}\n`);
  await crxn(gw, "up --yes");
  return {
    name,
    debian,
    gw,
    client,
    places: { gw, client, host, net },
    env: { OVL: "ovl0", GWNS: gw.namespace, HOSTNS: host.namespace, NETNS: net.namespace },
    [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose](),
  };
}

async function overYggdrasil(lab: Lab, debian: Debian): Promise<Opened> {
  const pair = await pairOf(lab, { debian, image: "ready", tunnel: "vxlan", dials: "gw" });
  const { gw, node, client, host, keys } = pair;
  await upOnBoth(pair);
  const net = await lab.internet();
  const device = (key: string) => `crxn-${key.slice(0, 8)}`;
  return {
    name: "yggdrasil",
    debian,
    gw,
    client,
    places: { gw, client, host, net, far: node },
    env: {
      OVL: device(keys.node),
      FAROVL: device(keys.gw),
      GWNS: gw.namespace,
      HOSTNS: host.namespace,
      NETNS: net.namespace,
    },
    [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose](),
  };
}

/** Runs a script of the matrix. @throws {CommandError} when a command of it fails */
export async function perform({ places, env }: Scene, script: Script): Promise<void> {
  const parts = typeof script === "string" ? { gw: script } : script;
  for (const [where, text] of Object.entries(parts) as [Where, string][]) {
    const place = places[where];
    if (!place) throw new TypeError(`This scene has no ${where}`);
    await place.must(text, { env });
  }
}

/**
 * Everything that a fault or `--fix` may touch, as text; the same text twice means that nothing was changed. A unit whose
 * program cannot be run is active for some milliseconds between two restarts (docs/facts.md): what two looks agree on counts.
 */
export async function fingerprint(scene: Scene): Promise<string> {
  let before = await look(scene);
  for (let tries = 0; tries < 10; tries++) {
    const now = await look(scene);
    if (now === before) break;
    before = now;
  }
  return before;
}

async function look({ gw }: Scene): Promise<string> {
  return await gw.must(`
    nft -s -t list ruleset 2>/dev/null | sed 's/counter packets [0-9]* bytes [0-9]*/counter/'
    for p in iptables-legacy-save ip6tables-legacy-save; do $p 2>/dev/null | grep -v '^#' | sed 's/\\[[0-9:]*\\]//'; done
    for f in -4 -6; do ip $f rule; ip $f route show table all | sed 's/ expires [0-9]*sec//; s/ linkdown//' | grep -v cache | sort; done
    ip -br addr; ip -o link | sed 's/ state [A-Z]*//; s/NO-CARRIER,//; s/,LOWER_UP//'
    sysctl -a --pattern '^net[./](ipv4|ipv6)[./]conf[./]|forward' 2>/dev/null
    find /etc /usr/local/lib /run/systemd/system -xdev -printf '%p %m %u %s %T@ %l\\n' | sort
    systemctl show -p Id,ActiveState,UnitFileState,MainPID,FreezerState 'crxn-*' 'tayga*' 'yggdrasil*'
  `);
}
