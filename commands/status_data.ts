/** What `crxn status` says of a machine, as data. Pure. */

import type { CheckInput, Finding, Hop } from "../checks/check.ts";
import { CHECKS } from "../checks/list.ts";
import { poolSize } from "../checks/pool.ts";
import { isStandIn } from "../checks/settle.ts";
import { isBare } from "../checks/run.ts";
import { Unit } from "../gateway/names.ts";
import { type Link, linkOf } from "../gateway/survey.ts";

type State = "up" | "degraded" | "down";

interface Counters {
  packets: number;
  bytes: number;
}

interface StatusHop {
  name: Hop | "underlay";
  device: string;
  /** `faulty`: the device is up, and a check of this hop fails. */
  state: "up" | "faulty" | "down" | "missing";
  rx: Counters;
  tx: Counters;
}

/** The document `crxn.status/1`. */
export interface Status {
  schema: "crxn.status/1";
  state: State;
  gateway: {
    role: "gateway" | "node";
    address: string;
    prefix?: string;
    routed?: string;
    overlay: string;
    networks: string[];
  };
  hops: StatusHop[];
  /** `since` in milliseconds since the epoch, 0 when it never ran. */
  services: { unit: string; state: string; enabled: boolean; since: number; restarts: number }[];
  /** `latency` in milliseconds. */
  peers: { uri: string; up: boolean; inbound: boolean; latency?: number; error?: string }[];
  /** `used` is null while it cannot be told; `clients` are those of it who were here within two hours and a bit. */
  pool?: { network: string; size: number; used: number | null; clients?: number };
  self: { publicKey?: string; address?: string; overlay: string; moreAddresses?: string[] };
  tunnel?: { device: string; kind: string; why: string };
  /** The far nodes of a yggdrasil overlay; each address follows from its key. */
  nodes?: { key: string; address: string; device: string; networks: string[] }[];
  faults: { id: string; title: string; found: string }[];
  /** The last one that the timer of `upkeep.mend` found, of this boot (ISO 8601). */
  lastFault?: { at: string; id: string; found: string; mended: boolean };
  /** Connections that the kernel tracks, of the whole machine; `dropped` packets for want of room. */
  tracking?: { entries: number; limit: number; dropped: number };
  /** `up --confirm` waits to be confirmed until then (ISO 8601). */
  confirm?: { until: string; seconds: number };
}

/** @param findings of the checks, without the probe */
export function statusOf(input: CheckInput, findings: Finding[]): Status {
  const { blueprint, survey } = input;
  const { config, facts, overlayDevice } = blueprint;
  const faults = findings.filter((f) => f.verdict === "fail").map(({ id, title, found }) => ({
    id,
    title,
    found: found ?? "",
  }));
  const tunnel = config.overlay.type === "yggdrasil" && config.overlay.routes.length > 0 ? facts.tunnel : undefined;
  return {
    schema: "crxn.status/1",
    state: isBare(input) ? "down" : faults.length > 0 ? "degraded" : "up",
    gateway: {
      role: config.nat64 ? "gateway" : "node",
      address: config.address,
      ...(config.prefix ? { prefix: config.prefix } : {}),
      ...(config.routed ? { routed: config.routed } : {}),
      overlay: config.overlay.type,
      networks: config.overlay.routes.map((r) => r.to),
    },
    hops: hopsOf(input, findings),
    services: servicesOf(input),
    peers: (survey.overlay?.peers ?? []).map(({ uri, up, inbound, latency, error }) => ({
      uri,
      up,
      inbound,
      ...(latency === undefined ? {} : { latency }),
      ...(error ? { error } : {}),
    })),
    ...(config.nat64 ? { pool: poolOf(config.nat64.pool, input) } : {}),
    self: {
      ...(facts.identity && !isStandIn(facts.identity) ? { publicKey: facts.identity.publicKey } : {}),
      ...(facts.identity ? { address: facts.identity.address } : {}),
      overlay: config.address,
      ...(config.moreAddresses ? { moreAddresses: config.moreAddresses } : {}),
    },
    ...(tunnel ? { tunnel: { device: overlayDevice, kind: tunnel.kind, why: tunnel.why } } : {}),
    ...(blueprint.nodes.length > 0
      ? { nodes: blueprint.nodes.map(({ key, address, device, networks }) => ({ key, address, device, networks })) }
      : {}),
    faults,
    ...lastFaultOf(input, findings),
    ...(input.host?.tracking
      ? {
        tracking: {
          entries: input.host.tracking.entries,
          limit: input.host.tracking.limit,
          dropped: input.host.tracking.dropped,
        },
      }
      : {}),
  };
}

/** By the log of the timer's service (upkeep.ts of the commands). What was not mended by it, and is well now, somebody else has. */
function lastFaultOf({ host }: CheckInput, findings: Finding[]): Pick<Status, "lastFault"> {
  for (const { unit, message, at } of (host?.log ?? []).toReversed()) {
    const [, not, id, found = ""] = unit === Unit.mend ? /^(not )?mended: ([a-z-]+): (.*)$/.exec(message) ?? [] : [];
    if (!id) continue;
    if (not && findings.some((f) => f.id === id && f.verdict === "pass")) return {};
    return { lastFault: { at: new Date(at).toISOString(), id, found, mended: not === undefined } };
  }
  return {};
}

const poolOf = (network: string, { survey: { poolUsed, root }, host }: CheckInput) => ({
  network,
  size: poolSize(network),
  // No list yet means that nobody has come; without root it may only be out of reach.
  used: poolUsed ?? (root ? 0 : null),
  ...(host?.pool ? { clients: host.pool.held } : {}),
});

function hopsOf({ blueprint, survey }: CheckInput, findings: Finding[]): StatusHop[] {
  const { config, facts, ways, workers } = blueprint;
  const hop = (name: StatusHop["name"], device: string, check: Hop): StatusHop => {
    const link = linkOf(survey, device);
    const faulty = findings.some((f) => f.verdict === "fail" && (f.hop ?? hopOf(f.id)) === check);
    return { name, device, state: stateOf(link, faulty), rx: counters(link?.rx), tx: counters(link?.tx) };
  };
  const { overlay } = config;
  const underlay = overlay.type === "yggdrasil" && !ways.some((w) => w.device === overlay.interface)
    ? [hop("underlay", overlay.interface, "overlay")]
    : [];
  return [
    ...(workers.length > 0 ? [hop("uplink", facts.uplink.name, "uplink")] : []),
    ...workers.map((w) => hop("translator", w.device, "translator")),
    ...ways.map((w) => hop("overlay", w.device, "overlay")),
    ...underlay,
  ];
}

function stateOf(link: Link | undefined, faulty: boolean): StatusHop["state"] {
  if (!link) return "missing";
  return link.up ? (faulty ? "faulty" : "up") : "down";
}

const hopOf = (id: string) => CHECKS.find((c) => c.id === id)?.hop;

const counters = (of?: Counters): Counters => ({ packets: of?.packets ?? 0, bytes: of?.bytes ?? 0 });

const servicesOf = ({ blueprint, survey }: CheckInput): Status["services"] =>
  blueprint.items.flatMap((item) => {
    if (item.kind !== "service") return [];
    const unit = survey.units[item.unit];
    const missing = !unit || unit.load === "not-found";
    return [{
      unit: item.unit,
      state: missing ? "missing" : unit.sub === "auto-restart" ? "restarting" : unit.active,
      enabled: unit?.enabled === "enabled",
      since: unit?.active === "active" ? unit.since : 0,
      restarts: unit?.restarts ?? 0,
    }];
  });
