/** Measures which size of packets passes a leg of the path. ping(8), RFC 8899 in spirit. */

import type { LegSize } from "../checks/probe_result.ts";
import { Program } from "../gateway/action.ts";
import type { Blueprint } from "../gateway/blueprint.ts";
import { deviceTo, type ProbePlan, wrappingOf } from "../gateway/probe_plan.ts";
import { SMALLEST_MTU } from "../gateway/segments.ts";
import { defaultUplink, linkOf, type Survey } from "../gateway/survey.ts";
import type { Client } from "./probe_client.ts";
import { OVERHEAD4, OVERHEAD6, parsePing, toldMtu } from "./probe_traffic.ts";
import type { Runner } from "./run.ts";

export type LegPlan = Pick<LegSize, "leg" | "device" | "to" | "full"> & {
  /** The address or device that packets leave from. */
  from?: string;
  /** Who sends them; the gateway itself if nothing is said. */
  as?: Runner;
};

/** The legs that there is somebody on to answer. */
export function legPlans(
  blueprint: Blueprint,
  survey: Survey,
  known: ProbePlan | undefined,
  client: Client | undefined,
): LegPlan[] {
  const { config, facts, nodes } = blueprint;
  const mtu = (name: string) => linkOf(survey, name)?.mtu;
  const plans: LegPlan[] = [];
  const uplink = facts.uplink.name;
  const router = defaultUplink(survey)?.via;
  if (config.nat64 && router && mtu(uplink)) {
    plans.push({ leg: "client", device: uplink, to: router, full: mtu(uplink)!, from: uplink });
  }
  if (known && known.kind !== "overlay") {
    const device = deviceTo(blueprint, known.target);
    const own = config.address.split("/")[0]!;
    // With tunnel routing the device is yggdrasil's own, which takes far more than the networks behind it have to.
    const full = Math.min(mtu(device) ?? 0, facts.overlayMtu, config.nat64 ? facts.uplink.mtu : Infinity);
    if (mtu(device)) plans.push({ leg: "overlay", device, to: known.target, full, from: own });
    if (known.kind === "prefix" && client && mtu(uplink)) {
      plans.push({ leg: "whole", device: uplink, to: known.address, full: mtu(uplink)!, as: client.runner });
    }
  }
  if (config.overlay.type === "yggdrasil" && facts.tunnel && facts.tunnel.kind !== "ckr") {
    const device = config.overlay.interface;
    const wrapping = wrappingOf(facts.tunnel.kind);
    for (const { address, device: tunnel } of nodes) {
      const full = (mtu(tunnel) ?? facts.overlayMtu) + wrapping;
      plans.push({ leg: "underlay", device, to: address, full, from: device });
    }
  }
  return plans;
}

const overhead = (to: string) => to.includes(":") ? OVERHEAD6 : OVERHEAD4;

/** Full size first; only where that does not come back, smaller ones, eight at a time, until it is known: to the byte on an Ethernet. */
export async function measureLeg(runner: Runner, { from, ...plan }: LegPlan): Promise<LegSize> {
  const send = async (size: number, count: number) => {
    const command = [
      Program.ping,
      plan.to.includes(":") ? "-6" : "-4",
      "-n",
      ...["-c", `${count}`, "-i", "0.05", "-W", "1", "-M", "do", "-s", `${size - overhead(plan.to)}`],
      ...(from ? ["-I", from] : []),
      plan.to,
    ];
    const { stdout, stderr } = await runner.run(command, { timeoutSeconds: 10 });
    const output = (stdout + stderr).trim();
    return { size, passed: parsePing(stdout, count).received > 0, told: toldMtu(output), command, output };
  };
  const [whole, small] = await Promise.all([send(plan.full, 3), send(104, 2)]);
  const { command, output, told } = whole;
  const seen = { ...plan, command, output, ...(told === undefined ? {} : { told }) };
  if (whole.passed) return { ...seen, passes: plan.full };
  if (!small.passed) return seen;
  // Who says what passes needs no searching, if it is true.
  if (told !== undefined && told < plan.full && (await send(told, 2)).passed) return { ...seen, passes: told };
  // Smaller ones need no search.
  let [low, high] = [SMALLEST_MTU, plan.full];
  for (let round = 0; round < 4 && high - low > 1; round++) {
    const step = Math.max(1, Math.ceil((high - low) / 9));
    const sizes = Array.from({ length: 8 }, (_, i) => low + (i + 1) * step).filter((s) => s < high);
    const tried = await Promise.all(sizes.map((size) => send(size, 1)));
    const good = tried.filter((t) => t.passed).map((t) => t.size);
    const best = Math.max(low, ...good);
    // The least size is taken for granted only once something larger, or it itself, has passed.
    if (round === 0 && good.length === 0 && !(await send(SMALLEST_MTU, 1)).passed) return { ...seen, passes: 104 };
    high = Math.min(high, ...tried.filter((t) => !t.passed && t.size > best).map((t) => t.size));
    low = best;
  }
  return { ...seen, passes: low };
}
