/** Devices and what is on them: what goes with a device is the device's fault, not its own. */

import { Program, run } from "../gateway/action.ts";
import type { Blueprint } from "../gateway/blueprint.ts";
import { devicesUnder } from "../gateway/devices_under.ts";
import type { Step } from "../gateway/step.ts";
import type { Item, LinkItem } from "../gateway/item.ts";
import { Unit } from "../gateway/names.ts";
import { see } from "../gateway/see.ts";
import { linkOf } from "../gateway/survey.ts";
import type { CheckInput } from "./check.ts";
import { withoutIpv6 } from "./disabled_ipv6.ts";
import { takenByNetworkd } from "./networkd.ts";
import type { Problem } from "./problem.ts";

const systemctl = (verb: "start" | "stop" | "restart", unit: string): Step => ({
  title: `${verb} ${unit}`,
  actions: [run([Program.systemctl, verb, unit])],
});

export const restart = (unit: string): Step => systemctl("restart", unit);

/** Why nothing can be on the device, if so. The kernel takes routes off a device that goes down. */
export function deviceTrouble(device: string, { survey }: CheckInput): string | undefined {
  const link = linkOf(survey, device);
  if (!link) return `the device ${device} is missing`;
  return link.up ? undefined : `the device ${device} is down`;
}

/** What is put on a device. */
export const itemsOn = (device: string, { items }: Blueprint): Item[] =>
  items.filter((i) => i.kind !== "sysctl" && devicesUnder(i).includes(device));

/** Why a link of somebody else that came up anew has nothing on it, if so. */
export function followerTrouble({ blueprint, survey }: CheckInput): string | undefined {
  const wanted = blueprint.items.some((i) => i.kind === "service" && i.unit === Unit.link);
  if (!wanted || !survey.units[Unit.link] || survey.units[Unit.link]?.active === "active") return undefined;
  return `${Unit.link} does not run, which puts address and routes on ${blueprint.overlayDevice}`;
}

/** For `itemProblems`: items on a device that is not there or not up. */
export const excusedByDevice = (input: CheckInput) => (item: Item): string | undefined => {
  const under = devicesUnder(item);
  const device = under.find((name) => !linkOf(input.survey, name)?.up) ?? under[0];
  const taken = takenByNetworkd(item, input);
  if (taken) return taken;
  if (item.kind === "route" && item.family === "inet6") {
    const off = withoutIpv6(device ?? "lo", input);
    if (off) return off;
  }
  if (device === undefined) return undefined;
  // An address stays on a device that is down.
  const gone = linkOf(input.survey, device) === undefined;
  return item.kind === "route" || gone ? deviceTrouble(device, input) : undefined;
};

/** A link to be made anew takes its addresses and routes with it; the daemon that holds it has to let go. */
export function withDependents(problem: Problem, item: LinkItem, { blueprint, survey }: CheckInput): Problem {
  if (!problem.items) return problem;
  const above = blueprint.items.flatMap((i) =>
    i.kind === "link" && "underlay" in i.spec && i.spec.underlay === item.name && see(i, survey).is !== "foreign"
      ? [i]
      : []
  );
  const names = [item.name, ...above.map((l) => l.name)];
  const dependents = blueprint.items.filter((i) =>
    devicesUnder(i).some((name) => names.includes(name)) ||
    (i.kind === "service" && i.unit === item.holder)
  );
  // A daemon keeps hold of a device that was deleted under it, and makes or takes the new one only when it starts.
  const { holder } = item;
  if (holder && linkOf(survey, item.name) === undefined && survey.units[holder]?.active === "active") {
    // The overlay's unit makes device, tunnel, address and routes, and has to come before the daemon.
    if (holder === Unit.yggdrasil) {
      const steps = [systemctl("stop", holder), systemctl("restart", Unit.overlay), systemctl("start", holder)];
      return { ...problem, items: [], steps };
    }
    return { ...problem, items: dependents.filter((i) => i.kind !== "service"), steps: [restart(holder)] };
  }
  return { ...problem, items: [...problem.items, ...above, ...dependents] };
}
