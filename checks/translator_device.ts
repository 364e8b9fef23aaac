import { Program, run } from "../gateway/action.ts";
import type { LinkItem } from "../gateway/item.ts";
import { linkOf } from "../gateway/survey.ts";
import type { Check, CheckInput } from "./check.ts";
import { restart, withDependents } from "./device.ts";
import { itemsOf } from "./owner.ts";
import { itemProblems, outcomeOf, type Problem } from "./problem.ts";

/** tayga's TUN device. */
export const translatorDevice: Check = {
  id: "translator-device",
  title: "The translator's device is there and up",
  hop: "translator",
  only: "gateway",
  needs: [],
  looksAt:
    "The link nat64-INSTANCE: that it exists, is a persistent TUN device, is up, and has the usual MTU and a queue.",
  why: "Packets reach tayga through it. It outlives the daemon, so that routes on it survive a crash.",
  cure:
    "`ip link set dev nat64-INSTANCE up`, or `systemctl restart tayga@INSTANCE`, which makes it anew with its routes.",
  run: (input) => {
    const links = itemsOf("translator-device", input.blueprint).flatMap((i) => i.kind === "link" ? [i] : []);
    const problems = links.flatMap((l) => itemProblems([l], input).map((p) => withDependents(p, l, input)));
    const more = () => links.flatMap((l) => [...unheld(l, input), ...queueless(l, input), ...narrow(l, input)]);
    return outcomeOf(problems.length > 0 ? problems : more(), input);
  },
};

/** What a TUN device is made with. */
const MTU = 1500;

/** tayga reads the MTU at its start, and cannot send what has become too large for the device since then. */
function narrow({ name, holder }: LinkItem, { survey, blueprint }: CheckInput): Problem[] {
  const mtu = linkOf(survey, name)?.mtu ?? MTU;
  if (mtu >= Math.min(MTU, blueprint.facts.uplink.mtu)) return [];
  const set = run([Program.ip, "link", "set", "dev", name, "mtu", String(MTU)]);
  return [{
    found: `${name} has an MTU of ${mtu} bytes: large packets do not get through`,
    want: `${name} with an MTU of ${MTU}`,
    steps: [{ title: `set the MTU of ${name}`, actions: [set] }, ...(holder ? [restart(holder)] : [])],
    carries: true,
  }];
}

/** What a TUN device is made with (TUN_READQ_SIZE in the kernel's tun.c). */
const QUEUE = 500;

/** Where no packet may wait for tayga to read it, each is lost. A restart leaves a persistent device as it is. */
function queueless({ name }: LinkItem, { survey }: CheckInput): Problem[] {
  if (linkOf(survey, name)?.queue !== 0) return [];
  const set = run([Program.ip, "link", "set", "dev", name, "txqueuelen", String(QUEUE)]);
  return [{
    found: `${name} keeps no packet for tayga to read (txqueuelen 0): each is lost`,
    want: `${name} with a queue of ${QUEUE} packets`,
    steps: [{ title: `set the queue of ${name}`, actions: [set] }],
  }];
}

/** A TUN device that no process has open has no carrier. */
function unheld({ name, holder }: LinkItem, { survey, probe }: CheckInput): Problem[] {
  // Just after its start a daemon has no device for some milliseconds: a ping that came through counts more.
  if (probe?.ran && probe.received > 0) return [];
  if (!holder || linkOf(survey, name)?.carrier !== false || survey.units[holder]?.active !== "active") return [];
  return [{
    found: `nobody has ${name} open, although ${holder} runs: it holds a device that was deleted`,
    want: `${name} held by tayga`,
    steps: [restart(holder)],
  }];
}
