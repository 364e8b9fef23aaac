/** Pings through the real path, with the devices' packet counters before and after. ping(8). */

import type { Leg, ProbeKind, ProbeResult, Reach } from "../checks/probe_result.ts";
import { Program } from "../gateway/action.ts";
import { embed } from "../gateway/address.ts";
import type { Blueprint } from "../gateway/blueprint.ts";
import { contains, host, network, parseAddress } from "../gateway/cidr.ts";
import { foreignKeys } from "../gateway/config/key_warnings.ts";
import type { Link } from "../gateway/survey.ts";
import { readLinks } from "./ip.ts";
import { ping } from "./ping.ts";
import type { Runner } from "./run.ts";

/** Pings sent; with 0.2 s between them and 1 s to wait for the last. */
const COUNT = 3;

interface Plan {
  kind: ProbeKind;
  target: string;
  address: string;
}

/** Whether an address lies in one of the overlay's networks. */
export const inOverlay = ({ config }: Blueprint, address: string): boolean => {
  const parsed = parseAddress(address);
  return parsed !== undefined && config.overlay.routes.some((r) => contains(network(r.to), host(parsed)));
};

/** What to ping: the target if there is one, else what is known of the far end. Pure. */
export function planProbe(blueprint: Blueprint, target?: string): Plan | { reason: string } {
  const { config } = blueprint;
  const through = (address: string): Plan =>
    config.prefix
      ? { kind: "prefix", target: address, address: embed(config.prefix, address) }
      : { kind: "direct", target: address, address };
  if (target !== undefined) return through(target);
  const { overlay } = config;
  if (overlay.type === "yggdrasil") {
    const [far] = blueprint.nodes;
    if (!far) return { reason: "no target: crxn.yaml names no far node (overlay.routes)" };
    return { kind: "overlay", target: far.address, address: far.address };
  }
  const hop = overlay.routes.map((r) => r.via).find((via) => via !== undefined);
  if (!hop) return { reason: "no target: name a host in the overlay with --target IPV4" };
  // A next hop outside the overlay's networks has no address in the routed slices.
  return inOverlay(blueprint, hop) ? through(hop) : { kind: "direct", target: hop, address: hop };
}

export async function sendProbe(runner: Runner, blueprint: Blueprint, target?: string): Promise<ProbeResult> {
  const plan = planProbe(blueprint, target);
  if ("reason" in plan) return { ran: false, reason: plan.reason };
  const flag = plan.address.includes(":") ? "-6" : "-4";
  const command = [Program.ping, flag, "-n", "-c", String(COUNT), "-i", "0.2", "-W", "1", plan.address];
  const before = await readLinks(runner).catch(() => []);
  const { code, stdout, stderr } = await runner.run(command, { timeoutSeconds: 15 });
  if (code === 127) return { ran: false, reason: "there is no ping on this machine" };
  const after = await readLinks(runner).catch(() => []);
  const leg = (device: string | undefined): Leg | undefined =>
    device === undefined ? undefined : legOf(device, before, after);
  const translator = leg(blueprint.translatorDevice);
  const overlay = leg(
    plan.kind === "overlay" && blueprint.config.overlay.type === "yggdrasil"
      ? blueprint.config.overlay.interface
      : deviceTo(blueprint, plan.target),
  );
  return {
    ran: true,
    ...plan,
    ...parsePing(stdout),
    command,
    output: (stdout + stderr).trim(),
    ...(translator ? { translator } : {}),
    ...(overlay ? { overlay } : {}),
  };
}

/** Pings each far node over yggdrasil, all at once. */
export async function reachNodes(runner: Runner, { config, nodes, facts }: Blueprint): Promise<Reach[]> {
  const asked = await Promise.all(nodes.map(async ({ key, address, networks }) => {
    const { received, argv: command, output } = await ping(runner, address);
    return { key, address, networks, received, command, output, foreign: false };
  }));
  if (asked.every((r) => r.received > 0)) return asked;
  const foreign = await foreignKeys(config, facts.daemon?.generation ?? "0.5");
  return asked.map((r) => ({ ...r, foreign: foreign.includes(r.key) }));
}

/** The device by which an overlay host is reached: of overlapping networks the longest prefix counts. */
function deviceTo({ ways, overlayDevice }: Blueprint, target: string): string {
  const parsed = parseAddress(target);
  const ranked = ways.flatMap(({ device, networks }) => networks.map((to) => ({ device, to: network(to) })))
    .filter(({ to }) => parsed && contains(to, host(parsed)))
    .sort((a, b) => b.to.length - a.to.length);
  return ranked[0]?.device ?? overlayDevice;
}

function legOf(device: string, before: Link[], after: Link[]): Leg | undefined {
  const [was, is] = [before, after].map((links) => links.find((l) => l.name === device));
  if (!was || !is) return undefined;
  return { device, rx: is.rx.packets - was.rx.packets, tx: is.tx.packets - was.tx.packets };
}

/** "3 packets transmitted, 2 received, ..." and "rtt min/avg/max/mdev = 0.1/0.2/0.3/0.0 ms". */
export function parsePing(output: string): { sent: number; received: number; rtt?: number } {
  const counts = /(\d+) packets transmitted, (\d+) received/.exec(output);
  const rtt = /= [\d.]+\/([\d.]+)\//.exec(output)?.[1];
  return {
    sent: Number(counts?.[1] ?? COUNT),
    received: Number(counts?.[2] ?? 0),
    ...(rtt ? { rtt: Number(rtt) } : {}),
  };
}
