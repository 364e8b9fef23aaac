import { assert, assertEquals } from "@std/assert";
import type { Machine } from "../rig/mod.ts";

// Negative controls: packets that must not pass, counted by rules of the test's own.

/** A rule that only counts, at the top of a chain. */
interface Counter {
  machine: Machine;
  table: "raw" | "filter";
  chain: string;
  /** What it counts: `-s 10.0.0.1 -i ygg`. */
  match: string;
}

/** Counts packets that match while `work` runs. */
async function counted({ machine, table, chain, match }: Counter, work: () => Promise<unknown>): Promise<number> {
  const rule = `${match} -m comment --comment test-counter`;
  await machine.must(`iptables -w -t ${table} -I ${chain} 1 ${rule}`);
  try {
    await work();
    const list = await machine.must(`iptables -w -t ${table} -nvxL ${chain} 1`);
    return Number(list.trim().split(/\s+/)[0]);
  } finally {
    await machine.must(`iptables -w -t ${table} -D ${chain} ${rule}`);
  }
}

/** Pings once with that source, which is given to the loopback device for as long as it takes. */
async function pingFrom(machine: Machine, source: string, target: string, borrowed: boolean): Promise<void> {
  if (borrowed) await machine.must(`ip address add ${source}/32 dev lo`);
  await machine.run(["ping", "-n", "-c", "3", "-i", "0.2", "-W", "1", "-I", source, target]);
  if (borrowed) await machine.must(`ip address del ${source}/32 dev lo`);
}

/**
 * A far node that sends with a source outside of its routes does not get in; with its own address it does, which proves
 * that the counter would have seen it.
 * @param own an address of the node inside its routes
 */
export async function assertForgedStaysOut(
  { gw, node, own, forged = "172.30.0.1", target = "10.5.0.1" }: {
    gw: Machine;
    node: Machine;
    own: string;
    forged?: string;
    target?: string;
  },
): Promise<void> {
  const arrived = (source: string, borrowed: boolean) =>
    counted(
      { machine: gw, table: "filter", chain: "INPUT", match: `-s ${source} -d ${target}` },
      () => pingFrom(node, source, target, borrowed),
    );
  assert(await arrived(own, false) > 0, `nothing from ${own} arrived at ${gw.name}: the control proves nothing`);
  assertEquals(await arrived(forged, true), 0, `packets from ${forged} came in by ${node.name}`);
}

/**
 * What the gateway sends with a source that is not of this side does not leave by the tunnel; with its overlay address it
 * does.
 */
export async function assertStrangerStaysIn(
  { gw, node, device, target }: { gw: Machine; node: Machine; device: string; target: string },
): Promise<void> {
  const left = (source: string) =>
    counted(
      { machine: node, table: "raw", chain: "PREROUTING", match: `-s ${source} -i ${device}` },
      () => pingFrom(gw, source, target, false),
    );
  assert(await left("10.5.0.1") > 0, `nothing from 10.5.0.1 arrived at ${node.name}: the control proves nothing`);
  assertEquals(await left(gw.uplink.ipv4), 0, `packets from ${gw.uplink.ipv4} left ${gw.name} by the tunnel`);
}
