/**
 * A client of the gateway in a network namespace of its own, so that the gateway's own addresses do not flatter what is measured.
 * Nothing of it can stay: the namespace lives as long as the process that holds it, which the kernel ends together with crxn, and
 * with the namespace go the link, its address, its neighbour and its route. veth(4), network_namespaces(7).
 */

import { Program } from "../gateway/action.ts";
import type { ProbeClient } from "../gateway/probe_plan.ts";
import { type Runner, SystemRunner } from "./run.ts";

/** Any two locally administered addresses: the link has just these two ends. */
const GATEWAY_MAC = "02:64:00:00:00:01";
const CLIENT_MAC = "02:64:00:00:00:02";

export interface Client extends AsyncDisposable, ProbeClient {
  /** The gateway's end of the link. */
  device: string;
  /** Runs programs as the client. */
  runner: Runner;
}

/** @param mtu of the link, in bytes: that of the uplink, by which a real client's packets come */
export async function openClient(
  runner: Runner,
  { address, routed }: ProbeClient,
  mtu: number,
): Promise<Client | { reason: string }> {
  // ip(8) sets the namespace up from within, and holds it until its input ends.
  const holder = runner.start?.([Program.unshare, "--net", "--", Program.ip, "-batch", "-"]);
  if (!holder) return { reason: "no network namespace can be made here" };
  // Two doctors at a time must not meet.
  const device = `probe-${crypto.randomUUID().slice(0, 6)}`;
  let made = false;
  const close = async () => {
    // With the namespace it would go as well, but some time later: the next client would find its route taken.
    if (made) await runner.run([Program.ip, "link", "delete", "dev", device], { timeoutSeconds: 5 });
    await holder.end("SIGKILL");
  };
  const refuse = async (why: string) => {
    await close();
    return { reason: `no network namespace for the probe's client: ${firstLine(why)}` };
  };
  await holder.say("link set dev lo up", "link show dev lo");
  if (!await holder.says(/\blo: .*UP/, 5)) return await refuse(holder.output());
  const peer = `peer name eth0 address ${CLIENT_MAC} mtu ${mtu} netns ${holder.pid}`;
  const lines = [
    `link add name ${device} address ${GATEWAY_MAC} mtu ${mtu} type veth ${peer}`,
    // No link-local addresses, hence no neighbour discovery: both ends are told.
    `link set dev ${device} addrgenmode none`,
    `link set dev ${device} up`,
    `neighbour replace ${address} lladdr ${CLIENT_MAC} dev ${device} nud permanent`,
    `route add ${address}/128 dev ${device} proto static`,
  ];
  made = true;
  const { code, stderr } = await runner.run([Program.ip, "-batch", "-"], { stdin: lines.join("\n") + "\n" });
  if (code !== 0) return await refuse(stderr);
  await holder.say(
    "link set dev eth0 addrgenmode none",
    "link set dev eth0 up",
    `address add ${address}/128 dev eth0 nodad`,
    `neighbour replace fe80::1 lladdr ${GATEWAY_MAC} dev eth0 nud permanent`,
    "route add default via fe80::1 dev eth0",
    "link show dev eth0",
  );
  if (!await holder.says(/\beth0@?\S*: .*UP/, 5)) return await refuse(holder.output());
  return {
    address,
    routed,
    device,
    runner: new SystemRunner([Program.nsenter, `--net=/proc/${holder.pid}/ns/net`, "--"]),
    [Symbol.asyncDispose]: close,
  };
}

/** Not ip's "Command failed -:1", which comes last. */
const firstLine = (text: string): string =>
  text.split("\n").find((line) => /\S/.test(line) && !/^\d+: |^ /.test(line)) ?? "";
