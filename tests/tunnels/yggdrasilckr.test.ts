import { assertEquals } from "@std/assert";
import { daemon, type DaemonName, daemonStandIn } from "../rig/daemons.ts";
import { tellPair, tunnelOnNode } from "./pair_story.ts";

// yggdrasilckr: today's yggdrasil with tunnel routing, in the three generations of its config.

const SCHEMAS = {
  "yggdrasilckr-0.5.5": "TunnelRouting with Enable, IPv4RemoteSubnets",
  "yggdrasilckr-0.5.12": "TunnelRouting with Enable, RemoteSubnets, InstallRoutes, YggdrasilRouting",
  "yggdrasilckr-newest": "TunnelRouting with RemoteSubnets, InstallRoutes, YggdrasilRouting, Addresses",
} as const satisfies Partial<Record<DaemonName, string>>;

/** A test says by its name which program it was told with. */
async function nameOf(name: DaemonName): Promise<string> {
  return (await daemonStandIn(name)) === undefined ? name : `${name} (played by the rig's own ckrd)`;
}

for (const name of Object.keys(SCHEMAS) as (keyof typeof SCHEMAS)[]) {
  tellPair(
    `ckr: ${await nameOf(name)} carries IPv4 by itself, trixie`,
    async () => ({ debian: "trixie", image: "ready", tunnel: "auto", daemon: await daemon(name) }),
    { kind: "ckr", says: SCHEMAS[name], nodeDevice: () => "ygg" },
  );
}

tellPair(
  `ckr: ${await nameOf("yggdrasilckr-0.5.12")} on both ends, Debian's yggdrasil 0.5.12 between them, trixie`,
  async () => ({
    debian: "trixie",
    image: "ready",
    tunnel: "ckr",
    relay: true,
    daemon: await daemon("yggdrasilckr-0.5.12"),
  }),
  {
    kind: "ckr",
    says: SCHEMAS["yggdrasilckr-0.5.12"],
    nodeDevice: () => "ygg",
    // The two do not know each other: what passes has passed the stock node.
    more: async ({ gw, node }) => {
      const { peers } = JSON.parse(await gw.must("yggdrasilctl -json getPeers")) as { peers: { remote: string }[] };
      assertEquals(peers.some((p) => p.remote?.includes(node.uplink.ipv6)), false);
    },
  },
);

tellPair(
  `vxlan: a gateway with ${await nameOf("yggdrasilckr-0.5.12")}, a node with Debian's yggdrasil, trixie`,
  async () => ({
    debian: "trixie",
    image: "ready",
    tunnel: "vxlan",
    daemon: { gw: await daemon("yggdrasilckr-0.5.12") },
  }),
  { kind: "vxlan", says: SCHEMAS["yggdrasilckr-0.5.12"], nodeDevice: tunnelOnNode },
);
