/** Status as metrics, in Prometheus' text format 0.0.4: for node_exporter's textfile collector. Pure. */

import { VERSION } from "./version.ts";
import type { Status } from "./status_data.ts";

type Labels = Record<string, string>;

/** What of the status is a number. */
type Measured = Pick<
  Status,
  "state" | "hops" | "services" | "peers" | "pool" | "faults" | "lastFault" | "tracking" | "confirm"
>;

/** Where there is neither a config nor a gateway. */
export const NOTHING: Measured = { state: "down", hops: [], services: [], peers: [], faults: [] };

interface Metric {
  name: string;
  type: "gauge" | "counter";
  help: string;
  samples: [Labels, number][];
}

/** A backslash, a quote and a line's end have to be escaped in a label's value. */
const quoted = (value: string) => `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;

function sampleLine(name: string, [labels, value]: [Labels, number]): string {
  const pairs = Object.entries(labels).map(([key, text]) => `${key}=${quoted(text)}`);
  return `${name}${pairs.length > 0 ? `{${pairs.join(",")}}` : ""} ${value}`;
}

/** One family of samples after the other, each with what it is; families without samples are left out. */
export function metricsText(status: Measured): string {
  return metricsOf(status).filter((m) => m.samples.length > 0).flatMap(({ name, type, help, samples }) => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...samples.map((s) => sampleLine(name, s)),
  ]).join("\n");
}

const flag = (value: boolean) => value ? 1 : 0;

function metricsOf(status: Measured): Metric[] {
  const { state, hops, services, peers: all, pool, faults, lastFault, tracking, confirm } = status;
  // No two samples may have the same labels: of several connections to one peer that counts which is up.
  const peers = [...Map.groupBy(all, (p) => p.uri).values()].map((same) => same.find((p) => p.up) ?? same[0]!);
  const gauge = (name: string, help: string, samples: [Labels, number][]): Metric => ({
    name: `crxn_${name}`,
    type: "gauge",
    help,
    samples,
  });
  const counter = (name: string, help: string, samples: [Labels, number][]): Metric => ({
    ...gauge(`${name}_total`, help, samples),
    type: "counter",
  });
  const ofHops = (value: (hop: Status["hops"][number]) => number) =>
    hops.map((h): [Labels, number] => [{ hop: h.name, device: h.device }, value(h)]);
  return [
    gauge("build_info", "The version of crxn.", [[{ version: VERSION }, 1]]),
    gauge("state", "Whether the gateway is in this state.", [
      ...(["up", "degraded", "down"] as const).map((s): [Labels, number] => [{ state: s }, flag(s === state)]),
    ]),
    gauge("fault", "Checks of crxn doctor that fail now.", faults.map(({ id }) => [{ check: id }, 1])),
    gauge(
      "last_fault_timestamp_seconds",
      "When the timer of upkeep.mend found its last fault, and whether it mended it.",
      lastFault ? [[{ check: lastFault.id, mended: String(lastFault.mended) }, Date.parse(lastFault.at) / 1000]] : [],
    ),
    gauge("confirm_pending", "Whether crxn up --confirm waits for crxn confirm.", [[{}, flag(confirm !== undefined)]]),
    gauge(
      "confirm_until_timestamp_seconds",
      "Until when it waits.",
      confirm ? [[{}, Date.parse(confirm.until) / 1000]] : [],
    ),
    gauge(
      "hop_up",
      "Whether a device on the path is there and up, with no fault.",
      ofHops((h) => flag(h.state === "up")),
    ),
    counter("hop_receive_bytes", "Bytes that came in by a device on the path.", ofHops((h) => h.rx.bytes)),
    counter("hop_receive_packets", "Packets that came in by a device on the path.", ofHops((h) => h.rx.packets)),
    counter("hop_transmit_bytes", "Bytes that went out by a device on the path.", ofHops((h) => h.tx.bytes)),
    counter("hop_transmit_packets", "Packets that went out by a device on the path.", ofHops((h) => h.tx.packets)),
    gauge(
      "service_up",
      "Whether a unit is active.",
      services.map((s) => [{ unit: s.unit }, flag(s.state === "active")]),
    ),
    counter("service_restarts", "Restarts of a unit by systemd.", services.map((s) => [{ unit: s.unit }, s.restarts])),
    gauge("peer_up", "Whether a peer of the overlay is connected.", peers.map((p) => [{ uri: p.uri }, flag(p.up)])),
    gauge(
      "peer_latency_seconds",
      "Round trip to a peer of the overlay.",
      peers.flatMap((p): [Labels, number][] => p.latency === undefined ? [] : [[{ uri: p.uri }, p.latency / 1000]]),
    ),
    gauge("pool_addresses", "IPv4 addresses in the pool.", pool ? [[{ pool: pool.network }, pool.size]] : []),
    gauge(
      "pool_addresses_used",
      "IPv4 addresses of the pool that clients have.",
      pool && pool.used !== null ? [[{ pool: pool.network }, pool.used]] : [],
    ),
    gauge(
      "clients",
      "IPv6 clients that tayga keeps an address for because they were here a while ago at most.",
      pool?.clients === undefined ? [] : [[{}, pool.clients]],
    ),
    gauge(
      "tracked_connections",
      "Connections that the kernel tracks, those of crxn's NAT among them.",
      tracking ? [[{}, tracking.entries]] : [],
    ),
    gauge("tracked_connections_limit", "How many it can track.", tracking ? [[{}, tracking.limit]] : []),
    counter(
      "tracking_dropped_packets",
      "Packets that the kernel dropped for want of room to track them.",
      tracking ? [[{}, tracking.dropped]] : [],
    ),
  ];
}
