/** The rehearsal itself, step by step: cables, machines, a ping that must fail, tayga, and all that must work then. */

import type { Config } from "../gateway/config/types.ts";
import type { Identity } from "../gateway/facts.ts";
import type { Rehearsal } from "../gateway/rehearsal.ts";
import type { Findings } from "../gateway/rehearsal_report.ts";
import { answers, build, countHops, design, layCables, type Machine, meet, staysSilent } from "./rehearsal.ts";
import type { Stage } from "./rehearsal_stage.ts";
import { ping, pingWhole, transfer } from "./rehearsal_traffic.ts";

/** Called around each step. */
export type Step = <T>(name: string, doing: string, work: () => Promise<T>, done: (result: T) => string) => Promise<T>;

const BYTES = 8 * 1024 * 1024;

/** @param findings filled as the steps go, so that a failure does not lose what came before it */
export async function play(
  stage: Stage,
  rehearsal: Rehearsal,
  identities: { gateway: Identity; node: Identity },
  findings: Findings,
  step: Step,
): Promise<void> {
  await step("networks", "making network namespaces", async () => {
    await stage.open();
    await layCables(stage, rehearsal);
  }, () => `${sentence(rehearsal)}, joined by cables`);

  const machines = await step("design", "computing both ends from the config", async () => {
    const gateway = await design(stage, "gateway", rehearsal.config, identities.gateway);
    const node = rehearsal.node &&
      await design(stage, "node", rehearsal.node, identities.node, gateway.blueprint.facts.tunnel);
    return { gateway, node };
  }, ({ gateway }) => describeDesign(rehearsal.config, gateway));
  const all = [machines.gateway, ...(machines.node ? [machines.node] : [])];
  const [worker] = machines.gateway.blueprint.workers;
  if (worker) findings.translator = worker.device;
  try {
    await perform(stage, rehearsal, machines, findings, step);
  } finally {
    // Also after a failure: the counters show how far the packets came.
    if (!stage.signal.aborted) findings.hops = await countHops(stage, rehearsal, all).catch(() => []);
  }
}

async function perform(
  stage: Stage,
  rehearsal: Rehearsal,
  { gateway, node }: { gateway: Machine; node: Machine | undefined },
  findings: Findings,
  step: Step,
): Promise<void> {
  const { from, target, host } = rehearsal;
  const own = rehearsal.client ? "gateway" : "machine";
  const made = ({ relocated }: Machine) => () => contentsOf(relocated);
  if (node) await step("node", "building the far node", () => build(stage, node), made(node));
  await step(own, `building the ${own}`, () => build(stage, gateway), made(gateway));
  await step("overlay", "waiting for the overlay", async () => {
    if (node) await meet(stage);
    await answers(stage, "gateway", host, `The ${own} got no answer from ${host} over the overlay`);
  }, () => `${node ? "yggdrasil is connected; " : ""}${host} answers the ${own}`);

  if (gateway.relocated.translators.length > 0) {
    findings.control = await step(
      "control",
      "trying without tayga",
      () => staysSilent(stage, rehearsal),
      ({ sent }) => `tayga is not running yet, and ${sent} of ${sent} pings are lost: good`,
    );
    await step("translator", "starting tayga", async () => {
      for (const service of gateway.relocated.translators) stage.start("gateway", service);
      await answers(stage, from, target, `The ${from} got no answer from ${target}`, 10);
    }, () => "running; the client's ping is answered");
  }
  findings.ping = await step(
    "ping",
    `pinging ${target}`,
    // Without a daemon in the path nothing has to settle.
    () => pingWhole(stage.runnerIn(from), target, node ? 5 : 1),
    ({ sent, received, rtt }) => `${received} of ${sent} answered, ${rtt?.avg.toFixed(1)} ms`,
  );
  if (rehearsal.client?.maps.length) {
    findings.maps = await step(
      "maps",
      "pinging the mapped hosts",
      () => pingMaps(stage, rehearsal),
      (maps) => `${maps.length} IPv6 host${maps.length > 1 ? "s" : ""} answer the overlay under fixed addresses`,
    );
  }
  findings.transfer = await step("transfer", "sending data both ways over TCP", () =>
    transfer(
      { client: stage.runnerIn(from), host: stage.runnerIn("host") },
      { host, to: target },
      BYTES,
    ), ({ toHost }) => `${toHost.bytes / 1048576} MiB each way, checksums right`);
}

async function pingMaps(stage: Stage, rehearsal: Rehearsal): Promise<NonNullable<Findings["maps"]>> {
  const found: NonNullable<Findings["maps"]> = [];
  for (const { ipv4, ipv6 } of rehearsal.client!.maps) {
    await answers(stage, "host", ipv4, `The overlay host got no answer from ${ipv4}, which is mapped to ${ipv6}`, 5);
    found.push({ ipv4, ipv6, ping: await ping(stage.runnerIn("host"), ipv4, 2, 1) });
  }
  return found;
}

function describeDesign({ overlay, nat64 }: Config, { blueprint: { facts } }: Machine): string {
  const link = overlay.type === "yggdrasil" ? `${facts.tunnel?.kind} over yggdrasil` : `the link ${overlay.interface}`;
  return `overlay: ${link}${nat64 ? `; uplink: ${facts.uplink.name}, MTU ${facts.uplink.mtu}` : ""}`;
}

/** "3 devices, 1 address, 4 routes, 5 chains, 3 sysctls" */
function contentsOf({ items }: Machine["relocated"]): string {
  const names = {
    link: "device",
    address: "address",
    route: "route",
    chain: "chain",
    table: "table",
    sysctl: "sysctl",
  } as const;
  return Object.entries(names).flatMap(([kind, name]) => {
    const count = items.filter((i) => i.kind === kind).length;
    return count === 0 ? [] : [`${count} ${name}${count === 1 ? "" : name === "address" ? "es" : "s"}`];
  }).join(", ");
}

function sentence({ places, client }: Rehearsal): string {
  const words = places.map((p) => p === "gateway" && !client ? "machine" : p);
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}
