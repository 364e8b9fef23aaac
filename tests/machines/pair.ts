import {
  installProduct,
  type Lab,
  type Machine,
  type Namespace,
  type Net,
  type OverlayHost,
  type Place,
  until,
  type Uplink,
} from "../rig/mod.ts";
import type { Debian, Kind } from "../rig/images.ts";
import { quoted } from "../rig/process.ts";
import { CONFIG, crxn, ROUTED } from "./story.ts";

// Two machines that run crxn, joined by yggdrasil: the gateway, and an overlay node with a host behind it.

/** A machine that crxn can be installed on, whatever it runs in. */
type OnlineMachine = Place & { readonly uplink: Uplink };

export interface Pair<M extends OnlineMachine = Machine> {
  client: Namespace;
  gw: M;
  node: M;
  host: OverlayHost;
  /** The public keys of both, made by `crxn init --key` before any `up`. */
  keys: { gw: string; node: string };
  /** Who listens, and who dials. */
  order: [listener: M, dialler: M];
  /** Writes the gateway's config, listening on this port as well. */
  configure(alsoListen?: number): Promise<void>;
}

/** How the two are joined. */
export interface Join {
  /** As in both configs. */
  tunnel: "auto" | "vxlan" | "ckr";
  /** A third machine between them, with Debian's yggdrasil set up by hand: both dial it, and not each other. */
  relay?: boolean;
  /** The daemon of both, or of each: a program of the host that is put onto the machine. Default: Debian's. */
  daemon?: string | Partial<Record<"gw" | "node", string>>;
  /**
   * Which of them dials the other; default the node. It finds the other again at once when its own daemon comes back,
   * whereas yggdrasil 0.4.7 tries a peer that refused again after a minute only.
   */
  dials?: "gw" | "node";
}

export interface PairOptions extends Join {
  debian: Debian;
  image?: Kind;
}

/** How the overlay's host is joined to the node. */
export const LAN = {
  addresses: ["10.1.0.3/16"],
  machineAddress: "10.1.0.1/16",
  routes: ["10.5.0.0/16 via 10.1.0.1"],
};

/** Sets the scene: configs are written, nothing is up. */
export async function pairOf(lab: Lab, { debian, image = "bare", ...join }: PairOptions): Promise<Pair> {
  const net = await lab.internet();
  const client = await net.client();
  const [gw, node] = await Promise.all([
    lab.machine("gw", { debian, image, uplink: net }),
    lab.machine("node", { debian, image, uplink: net }),
  ]);
  const host = await lab.overlayHost(node, "lan0", LAN);
  const between = join.relay ? await relayOn(lab, debian) : undefined;
  return { client, host, ...await joined(net, gw, node, join, between) };
}

/** Routes the prefix to the gateway, and puts crxn and the configs on both machines. */
export async function joined<M extends OnlineMachine>(
  net: Net,
  gw: M,
  node: M,
  { tunnel, dials = "node", daemon }: Join,
  between?: OnlineMachine,
): Promise<Omit<Pair<M>, "client" | "host">> {
  await net.route(ROUTED, gw);
  for (const machine of [gw, node]) await installProduct(machine);
  const own = {
    gw: await bringDaemon(gw, typeof daemon === "string" ? daemon : daemon?.gw),
    node: await bringDaemon(node, typeof daemon === "string" ? daemon : daemon?.node),
  };
  const keys = { gw: await publicKeyOf(gw, own.gw), node: await publicKeyOf(node, own.node) };
  const dial = (machine: OnlineMachine) => `peers: ["tls://[${machine.uplink.ipv6}]:4443"]`;
  const configure = async (alsoListen?: number) => {
    const peers = between ? dial(between) : dials === "gw" ? dial(node) : "peers: []";
    const listen = [4443, ...(alsoListen === undefined ? [] : [alsoListen])].map((port) => `"tls://[::]:${port}"`);
    await gw.write(
      CONFIG,
      `address: 10.5.0.1/32
prefix: 2a04:5b80:300:4::/96
overlay:
  type: yggdrasil
  tunnel: ${tunnel}
${daemonLine(own.gw)}  ${peers}
  listen: [${listen.join(", ")}]
  routes:
    - to: 10.0.0.0/8
      via: ${keys.node}
`,
    );
  };
  await configure();
  await node.write(
    CONFIG,
    `address: 10.1.0.1/32
overlay:
  type: yggdrasil
  tunnel: ${tunnel}
${daemonLine(own.node)}  ${between ? dial(between) : dials === "node" ? dial(gw) : `listen: ["tls://[::]:4443"]`}
  routes:
    - to: 10.5.0.0/16
      via: ${keys.gw}
`,
  );
  return { gw, node, keys, order: dials === "gw" ? [node, gw] : [gw, node], configure };
}

export const YGGDRASIL = "/etc/yggdrasil/yggdrasil.conf";

/** A config of yggdrasil's own with a key of its own, as an administrator makes it. @param edit a script of sed's */
export async function freshConf(machine: Place, edit = "", program = "yggdrasil"): Promise<void> {
  const text = `${program} -genconf | sed ${quoted(edit)}`;
  await machine.must(`umask 027; ${text} >${YGGDRASIL}; chgrp yggdrasil ${YGGDRASIL}`);
}

/** What a running yggdrasil says of itself. Its unit is up before it answers. */
export async function selfOf(machine: Place): Promise<{ key: string; address: string }> {
  return await until(`yggdrasil of ${machine.name} to answer`, 20, async () => {
    const { code, stdout } = await machine.run(["yggdrasilctl", "-json", "getSelf"]);
    // That of 0.5.12 ends with 0 as well when it cannot connect, and may say something before the JSON.
    const text = /^\{[^]*/m.exec(stdout)?.[0];
    if (code !== 0 || text === undefined) return undefined;
    const { key, address } = JSON.parse(text);
    return key && address ? { key, address } : undefined;
  });
}

/** A yggdrasil node that only passes on what others send, as Debian's package and `-genconf` make it. */
async function relayOn(lab: Lab, debian: Debian): Promise<Machine> {
  const machine = await lab.machine("relay", { debian, image: "ready", uplink: await lab.internet() });
  await freshConf(machine, 's|Listen: \\[\\]|Listen: ["tls://[::]:4443"]|');
  await machine.must(["systemctl", "start", "yggdrasil"]);
  await until(
    "the relay to listen",
    20,
    async () => (await machine.must("ss -Hltn sport = :4443")) !== "" || undefined,
  );
  return machine;
}

/** `up` on both: the one that listens does so before the other dials, see {@linkcode PairOptions.dials}. */
export async function upOnBoth(
  { order: [listener, dialler] }: { order: [Place, Place] },
  patienceSeconds = 60,
): Promise<void> {
  const first = crxn(listener, "up --yes");
  const listening = until(
    `yggdrasil of ${listener.name} to listen`,
    patienceSeconds,
    async () => (await listener.must("ss -Hltn sport = :4443")) === "" ? undefined : true,
  );
  await Promise.all([first, listening.then(() => crxn(dialler, "up --yes"))]);
}

/** What an operator tells the far end before either of them runs `up`. */
export async function publicKeyOf(machine: Place, daemon?: string): Promise<string> {
  const which = daemon === undefined ? "" : ` --daemon ${daemon}`;
  return JSON.parse((await crxn(machine, `init --key --json${which}`)).stdout).publicKey;
}

/** Puts a daemon where an administrator would put it. @returns its path on the machine */
export async function bringDaemon(
  machine: Place,
  program: string | undefined,
  path = "/usr/local/sbin/yggdrasil-of-mine",
): Promise<string | undefined> {
  if (program === undefined) return undefined;
  await machine.push(program, path, 0o755);
  return path;
}

const daemonLine = (path: string | undefined) => path === undefined ? "" : `  daemon: ${path}\n`;
