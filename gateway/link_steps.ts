/** The steps of a network device: made, tuned, or made anew with whatever stands in its way taken out first. Pure. */

import { type Action, Program, run } from "./action.ts";
import { makeCommands } from "./commands.ts";
import type { LinkItem } from "./item.ts";
import { isRebuild } from "./see.ts";
import type { State } from "./state.ts";
import type { Done, Step } from "./step.ts";
import { linkOf, type Survey } from "./survey.ts";

/**
 * @param anew another program is going to hold the device
 * @param ours names of all devices of ours, those that go included
 */
export function linkSteps(
  item: LinkItem,
  state: State,
  anew: boolean,
  survey: Survey,
  ours: string[],
  done: Done,
): Step[] {
  const there = linkOf(survey, item.name);
  const rebuild = there !== undefined && (anew || (state.is === "differs" && isRebuild(state.how)));
  // A tunnel goes with the device below it.
  const underlay = "underlay" in item.spec && done.devices.has(item.spec.underlay);
  if (there && !rebuild && !underlay) {
    return [{
      title: `set ${item.id} (${state.is === "differs" ? state.how : ""})`,
      item,
      actions: makeCommands(item).slice(1),
    }];
  }
  const actions: Action[] = [];
  const steps: Step[] = [];
  // A daemon goes on with the device that it has opened, even when that is deleted under it.
  if (item.holder && survey.units[item.holder]?.active === "active") {
    steps.push({
      title: `stop ${item.holder}: its device is made anew`,
      actions: [run([Program.systemctl, "stop", item.holder])],
      interrupts: "what goes over this device",
    });
    done.stopped.add(item.holder);
  }
  // One that was not persistent is gone with its daemon.
  if (there) actions.push(run([Program.ip, "link", "del", "dev", item.name], { also: [1] }));
  for (const rival of rivals(item, survey, ours, done.devices)) {
    actions.push(run([Program.ip, "link", "del", "dev", rival]));
    done.devices.add(rival);
  }
  done.devices.add(item.name);
  // A VXLAN device goes with the one below it, and is made anew in its turn if it is still wanted.
  if (there) {
    for (const { name, kind, data } of survey.links) {
      if (kind === "vxlan" && data["link"] === item.name) done.devices.add(name);
    }
  }
  return [...steps, { title: `add ${item.id}`, item, actions: [...actions, ...makeCommands(item)] }];
}

/** VXLAN devices of ours that have the same id and port now: the kernel allows only one. Those that stay get another port. */
function rivals({ name, spec }: LinkItem, survey: Survey, ours: string[], done: Set<string>): string[] {
  if (spec.type !== "vxlan") return [];
  return survey.links
    .filter((l) => l.name !== name && ours.includes(l.name) && l.kind === "vxlan" && !done.has(l.name))
    .filter((l) => l.data["id"] === spec.vni && l.data["port"] === spec.port)
    .map((l) => l.name);
}
