import type { Debian } from "../rig/images.ts";
import type { Lab, VirtualMachine } from "../rig/mod.ts";
import { type Join, joined, LAN, type Pair } from "../machines/pair.ts";

/** The pair of machines/pair.ts as virtual machines: booted at the same time, configs are written, nothing is up. */
export async function virtualPairOf(lab: Lab, debian: Debian, join: Join): Promise<Pair<VirtualMachine>> {
  const net = await lab.internet();
  const client = await net.client();
  const [gw, node] = await Promise.all([
    lab.virtualMachine("gw", { debian, uplink: net }),
    lab.virtualMachine("node", { debian, uplink: net }),
  ]);
  const host = await lab.overlayHost(node, "eth1", LAN);
  await Promise.all([gw.start(), node.start()]);
  return { client, host, ...await joined(net, gw, node, join) };
}
