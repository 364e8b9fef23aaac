/** A packet's way through all chains that it meets: the first one that drops it has the last word. Pure. */

import { type BaseChain, PATHS } from "./base_chains.ts";
import { type Decision, isDoubtful, isDrop, type Packet } from "./packet.ts";
import type { PacketKind } from "./packets.ts";

export interface Verdict {
  base: BaseChain;
  decision: Decision;
}

/** Below it connection tracking has not seen the packet (NF_IP_PRI_CONNTRACK), and up to the other NAT has not changed it. */
const [CONNTRACK, NAT_IN, NAT_OUT] = [-200, -100, 100];

/** The packet as a chain sees it there; undefined where it does not come by. */
export function packetAt(
  { packet, before, after, path }: PacketKind,
  { hook, priority, type }: BaseChain,
): Packet | undefined {
  // NAT is asked about the first packet of a connection only.
  if (type === "nat" && packet.state !== "NEW") return undefined;
  const early = hook === "ingress" || (hook === "prerouting" && priority <= NAT_IN);
  const untracked = hook === "ingress" || ((hook === "prerouting" || hook === "output") && priority < CONNTRACK);
  const late = hook === "egress" || (hook === "postrouting" && priority > NAT_OUT);
  const forwarded = path === "forward" && (hook === "ingress" || hook === "prerouting");
  return {
    ...packet,
    ...(forwarded ? { forwarded } : {}),
    ...(early ? before : {}),
    ...(late ? after : {}),
    ...(untracked ? { state: "INVALID" as const } : {}),
    ...(hook === "ingress" || hook === "prerouting" || hook === "input" ? { out: "" } : {}),
    ...(hook === "output" ? { in: "" } : {}),
  };
}

/** What each chain on the packet's way decides, in order. */
export function verdicts(chains: BaseChain[], kind: PacketKind): Verdict[] {
  const hooks: readonly string[] = PATHS[kind.path];
  return chains.filter(({ hook }) => hooks.includes(hook)).flatMap((base) => {
    const packet = packetAt(kind, base);
    const device = base.hook === "ingress" ? packet?.in : packet?.out;
    const elsewhere = base.devices && !base.devices.includes(device ?? "");
    const decision = !packet || elsewhere ? undefined : decided(base, kind, packet);
    if (!decision) return [];
    const where = (base.hook === "ingress" || base.hook === "egress") && !base.devices;
    // A chain of one device, of which nft does not tell which.
    return [{ base, decision: where ? { ...decision, doubts: [...decision.doubts, "ACCEPT"] } : decision }];
  });
}

/** Several checks ask what becomes of the same packets. */
const decisions = new WeakMap<PacketKind, Map<BaseChain, Decision | undefined>>();

function decided(base: BaseChain, kind: PacketKind, packet: Packet): Decision | undefined {
  let known = decisions.get(kind);
  if (!known) decisions.set(kind, known = new Map());
  if (!known.has(base)) known.set(base, base.decide(packet));
  return known.get(base);
}

/** crxn's own chains drop what must not pass; whether they are as they should be is asked elsewhere. */
const isOwn = ({ decision }: Verdict) => decision.chain.startsWith("CRXN-");

/** @returns the first that drops it for certain, or else the first that may */
export function dropOf(chains: BaseChain[], kind: PacketKind): Verdict | undefined {
  const drops = verdicts(chains, kind).filter((v) => isDrop(v.decision) && !isOwn(v));
  return drops.find(({ decision }) => !isDoubtful(decision)) ?? drops[0];
}
