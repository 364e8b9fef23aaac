import { installProduct, type Lab, type Machine, type Namespace, type OverlayHost } from "../rig/mod.ts";
import type { Debian } from "../rig/images.ts";
import { CONFIG, INTERFACE_GATEWAY, ROUTED } from "./story.ts";

// A gateway whose overlay is a real WireGuard link, made by wg-quick, to a machine with a host behind it. The rig's kernel
// need not have WireGuard: wg-quick falls back to wireguard-go, which makes the same link in user space.

export interface WireguardScene {
  client: Namespace;
  gw: Machine;
  node: Machine;
  host: OverlayHost;
  /** Writes the gateway's /etc/wireguard/wg0.conf; `more` are lines of its [Interface]. */
  configure(more?: string): Promise<void>;
}

const PORT = 51820;

/** Sets the scene: the link is up, crxn is there and has not been run. */
export async function wireguardOf(lab: Lab, debian: Debian): Promise<WireguardScene> {
  const net = await lab.internet();
  const client = await net.client();
  const machine = (name: string) => lab.machine(name, { debian, image: "ready", uplink: net });
  const [gw, node] = await Promise.all([machine("gw"), machine("node")]);
  const host = await lab.overlayHost(node, "lan0", {
    addresses: ["10.1.0.3/16"],
    machineAddress: "10.1.0.1/16",
    routes: ["10.5.0.0/16 via 10.1.0.1"],
  });
  await net.route(ROUTED, gw);
  const packages = "wireguard-tools wireguard-go";
  const install = `apt-get -qq update; DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install`;
  await Promise.all([gw, node].map((m) => m.must(`${install} ${packages} >/dev/null`)));
  const keys = await Promise.all([gw, node].map(async (m) => {
    const [own, open] = (await m.must("key=$(wg genkey); echo $key; echo $key | wg pubkey")).trim().split("\n");
    return { own: own!, open: open! };
  }));
  const [gwKey, nodeKey] = keys as [typeof keys[0], typeof keys[0]];
  const write = (m: Machine, key: string, interfaceLines: string, peer: string) =>
    m.write(
      "/etc/wireguard/wg0.conf",
      `[Interface]\nPrivateKey = ${key}\nListenPort = ${PORT}\n${interfaceLines}\n[Peer]\n${peer}\n`,
      0o600,
    );
  await write(node, nodeKey.own, "Address = 10.9.0.2/32", `PublicKey = ${gwKey.open}\nAllowedIPs = 10.5.0.0/16`);
  await node.must("sysctl -qw net.ipv4.ip_forward=1; systemctl enable --now wg-quick@wg0 2>/dev/null");
  const configure = (more = "") =>
    write(
      gw,
      gwKey.own,
      more,
      `PublicKey = ${nodeKey.open}\nAllowedIPs = 10.0.0.0/8\nEndpoint = ${node.uplink.ipv4}:${PORT}`,
    );
  await configure("Table = off");
  await gw.must("systemctl enable --now wg-quick@wg0 2>/dev/null");
  await installProduct(gw);
  await gw.write(CONFIG, INTERFACE_GATEWAY.replace("ovl0", "wg0"));
  return { client, gw, node, host, configure };
}

/**
 * What leaves by the gateway's uplink for the overlay, or out of the pool, while `body` runs, in the words of tcpdump.
 * WireGuard's own packets are for the other machine's address, and not among them.
 */
export async function leaksDuring(gw: Machine, body: () => Promise<unknown>): Promise<string[]> {
  const filter = "ip and (dst net 10.0.0.0/8 or src net 100.64.0.0/10 or src net 10.0.0.0/8)";
  await gw.must(
    `tcpdump -lni eth0 -Q out "${filter}" >/run/leaks 2>/run/leaks.err & echo $! >/run/leaks.pid
    until grep -q listening /run/leaks.err; do sleep 0.05; done`,
  );
  await body();
  await gw.must(
    "sleep 0.3; kill $(cat /run/leaks.pid); while kill -0 $(cat /run/leaks.pid) 2>/dev/null; do sleep 0.05; done",
  );
  return (await gw.read("/run/leaks")).split("\n").filter((line) => line !== "");
}
