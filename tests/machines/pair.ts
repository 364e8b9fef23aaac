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
  tunnel: "auto" | "vxlan";
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
  return { client, host, ...await joined(net, gw, node, join) };
}

/** Routes the prefix to the gateway, and puts crxn and the configs on both machines. */
export async function joined<M extends OnlineMachine>(
  net: Net,
  gw: M,
  node: M,
  { tunnel, dials = "node" }: Join,
): Promise<Omit<Pair<M>, "client" | "host">> {
  await net.route(ROUTED, gw);
  for (const machine of [gw, node]) await installProduct(machine);
  const keys = { gw: await publicKeyOf(gw), node: await publicKeyOf(node) };
  const configure = async (alsoListen?: number) => {
    const peers = dials === "gw" ? `peers: ["tls://[${node.uplink.ipv6}]:4443"]` : "peers: []";
    const listen = [4443, ...(alsoListen === undefined ? [] : [alsoListen])].map((port) => `"tls://[::]:${port}"`);
    await gw.write(
      CONFIG,
      `address: 10.5.0.1/32
prefix: 2a04:5b80:300:4::/96
overlay:
  type: yggdrasil
  tunnel: ${tunnel}
  ${peers}
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
  ${dials === "node" ? `peers: ["tls://[${gw.uplink.ipv6}]:4443"]` : `listen: ["tls://[::]:4443"]`}
  routes:
    - to: 10.5.0.0/16
      via: ${keys.gw}
`,
  );
  return { gw, node, keys, order: dials === "gw" ? [node, gw] : [gw, node], configure };
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
export async function publicKeyOf(machine: Place): Promise<string> {
  return JSON.parse((await crxn(machine, "init --key --json")).stdout).publicKey;
}
