/** Sends packets through the real path, small and large, ICMP and TCP, and watches them on their way. */

import type { Arrival, Leg, LegSize, ProbeResult } from "../checks/probe_result.ts";
import { Program } from "../gateway/action.ts";
import type { Blueprint } from "../gateway/blueprint.ts";
import { deviceTo, planGuess, planProbe, probeClient, type ProbePlan } from "../gateway/probe_plan.ts";
import { type Link, linkOf, type Survey } from "../gateway/survey.ts";
import { seekArrival } from "./arrival.ts";
import { readLinks } from "./ip.ts";
import { legPlans, measureLeg } from "./leg_sizes.ts";
import { mayNotPing } from "./ping.ts";
import { type Client, openClient } from "./probe_client.ts";
import { Sender } from "./probe_sender.ts";
import { parsePing } from "./probe_traffic.ts";
import type { Runner } from "./run.ts";

/** Pings sent; with 0.2 s between them and 1 s to wait for the last. */
const COUNT = 3;

export interface Probing {
  probe: ProbeResult;
  legs: LegSize[];
  /** Missing where nothing could be sent. */
  arrival?: Arrival;
}

/**
 * What device counters are to tell is sent first and alone; where nftables counts, everything goes at once. A healthy path takes
 * half a second.
 */
export async function sendProbe(
  runner: Runner,
  blueprint: Blueprint,
  survey: Survey,
  target?: string,
): Promise<Probing> {
  const plan = planProbe(blueprint, target);
  const known = "reason" in plan ? undefined : plan;
  const through = known?.kind === "prefix" ? known : planGuess(blueprint);
  const client = await clientOf(runner, blueprint, survey);
  await using open = "reason" in client ? undefined : client;
  const sender = open && through ? await Sender.create(runner, blueprint, survey, open, through) : undefined;
  await using _sender = sender;

  const asClient = sender && through && (!known || known.kind === "prefix") ? through : undefined;
  const before = await readLinks(runner).catch(() => []);
  let own = known && !asClient ? await pingFrom(runner, known.address) : undefined;
  const alone = sender && !sender.counts ? await sender.send("small") : undefined;
  const after = own || alone ? await readLinks(runner).catch(() => []) : undefined;

  const plans = legPlans(blueprint, survey, known, open);
  const [flows, legs, arrival] = await Promise.all([
    sender?.sendAll(alone),
    Promise.all(plans.map(({ as, ...leg }) => measureLeg(as ?? runner, leg))),
    open?.routed ? seekArrival(open, survey) : undefined,
  ]);
  await sender?.count();
  const last = after ?? await readLinks(runner).catch(() => []);
  const found = sender && flows ? await sender.explain(flows) : undefined;
  const seen = found?.doubt ? undefined : found;
  const rest = { legs, ...(arrival ? { arrival: { ...arrival, ...sender?.arrived() } } : {}) };
  const reason = found?.doubt ?? ("reason" in client && blueprint.config.nat64 ? client.reason : undefined);
  const probed = (p: ProbePlan) => ({
    ran: true as const,
    ...p,
    ...legOf("translator", blueprint.workers.map((w) => w.device), before, last),
    ...legOf("overlay", [overlayOf(blueprint, p)], before, last),
    ...(seen ? { through: seen } : {}),
    ...(reason ? { noClient: reason } : {}),
  });
  if (asClient && seen?.flows.small) {
    const { sent, back, command, output } = seen.flows.small;
    return {
      probe: { ...probed(asClient), ...parsePing(output, sent), sent, received: back, command, output },
      ...rest,
    };
  }
  if ("reason" in plan) return { probe: { ran: false, reason: plan.reason }, ...rest };
  own ??= await pingFrom(runner, plan.address);
  if (own.code === 127) return { probe: { ran: false, reason: "there is no ping on this machine" }, ...rest };
  const output = (own.stdout + own.stderr).trim();
  if (mayNotPing(output)) return { probe: { ran: false, reason: "only root can ping on this machine" }, ...rest };
  return { probe: { ...probed(plan), ...parsePing(own.stdout, COUNT), command: own.argv, output }, ...rest };
}

const overlayOf = (blueprint: Blueprint, plan: ProbePlan): string =>
  plan.kind === "overlay" && blueprint.config.overlay.type === "yggdrasil"
    ? blueprint.config.overlay.interface
    : deviceTo(blueprint, plan.target);

async function clientOf(runner: Runner, blueprint: Blueprint, survey: Survey): Promise<Client | { reason: string }> {
  const { config, facts } = blueprint;
  if (!survey.root) return { reason: "only root can make a network namespace" };
  const uplink = linkOf(survey, facts.uplink.name);
  const plan = probeClient(config, uplink);
  return "reason" in plan ? plan : await openClient(runner, plan, uplink?.mtu ?? facts.uplink.mtu);
}

/** A ping from the gateway itself, with the addresses that it has. */
const pingFrom = (runner: Runner, address: string) =>
  runner.run(
    [Program.ping, address.includes(":") ? "-6" : "-4", "-n", "-c", `${COUNT}`, "-i", "0.2", "-W", "1", address],
    { timeoutSeconds: 15 },
  );

/** Of several devices, by which the client's packets may have gone, the one that had most. */
function legOf<K extends string>(
  key: K,
  devices: (string | undefined)[],
  before: Link[],
  after: Link[],
): Partial<Record<K, Leg>> {
  const legs = devices.flatMap((device): Leg[] => {
    const [was, is] = [before, after].map((links) => links.find((l) => l.name === device));
    if (!was || !is) return [];
    return [{ device: is.name, rx: is.rx.packets - was.rx.packets, tx: is.tx.packets - was.tx.packets }];
  });
  const [leg] = legs.sort((a, b) => b.tx - a.tx);
  return (leg ? { [key]: leg } : {}) as Partial<Record<K, Leg>>;
}
