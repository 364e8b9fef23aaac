/** The points of the path at which the probe's packets are counted, and the nftables table that does it. Pure. nft(8). */

import { type FlowName, FLOWS } from "../checks/probe_result.ts";
import { parseAddress } from "./cidr.ts";

/** What is to be recognised. */
export interface Watch {
  client: string;
  mapped: string;
  target: string;
  /** Devices: the gateway's end of the link to the client, those of the translators, the overlay's, the uplink. */
  device: string;
  translators: string[];
  overlay: string;
  uplink: string;
  /** ICMP identifiers (ping -e) and the TCP port of the target. */
  small: number;
  large: number;
  port: number;
  /** Where the overlay's device is a tunnel over yggdrasil: the daemon's device, the far node, and the tunnel's protocol. */
  tunnel?: { device: string; far: string; protocol: "udp" | "gre" };
}

export type Side = "request6" | "request4" | "answer4" | "answer6";
type Device = "device" | "translator" | "overlay";
type Hook = "output" | "prerouting" | "input" | "forward" | "postrouting";

export interface Point {
  id: string;
  side: Side;
  hook: Hook;
  /** Before or behind everybody else's chains of the hook. */
  edge: "first" | "last";
  /** Devices that the packet must come in and go out by. */
  in?: Device;
  out?: Device;
  /** Not on the path: where packets turn up that went astray. */
  aside?: true;
}

/** Each side of the path has the same five points: between them are PREROUTING, routing, FORWARD and POSTROUTING. */
const side = (name: Side, prefix: string, from: Device, to: Device): Point[] => [
  { id: `${prefix}-in`, side: name, hook: "prerouting", edge: "first", in: from },
  { id: `${prefix}-prerouted`, side: name, hook: "prerouting", edge: "last", in: from },
  { id: `${prefix}-routed`, side: name, hook: "forward", edge: "first", in: from, out: to },
  { id: `${prefix}-forwarded`, side: name, hook: "forward", edge: "last", in: from, out: to },
  { id: `${prefix}-out`, side: name, hook: "postrouting", edge: "last", out: to },
  { id: `${prefix}-astray`, side: name, hook: "forward", edge: "first", in: from, aside: true },
  { id: `${prefix}-local`, side: name, hook: "input", edge: "first", in: from, aside: true },
];

export const SIDES = { request6: "q6", request4: "q4", answer4: "a4", answer6: "a6" } as const;

/** In the order in which a packet and its answer meet them. */
export const POINTS: readonly Point[] = [
  ...side("request6", "q6", "device", "translator"),
  ...side("request4", "q4", "translator", "overlay"),
  ...side("answer4", "a4", "overlay", "translator"),
  ...side("answer6", "a6", "translator", "device"),
  // Answers that came by another device than the request went.
  { id: "a4-elsewhere", side: "answer4", hook: "prerouting", edge: "first", aside: true },
];

/** Those on the path itself. */
export const PATH: readonly Point[] = POINTS.filter((p) => !p.aside);

/** Those of the tunnel's own packets, of which it cannot be told which flow they carry: out of this machine, and back into it. */
export const TUNNEL_POINTS = [
  { id: "t-sent", way: "out", hook: "output", edge: "first" },
  { id: "t-out", way: "out", hook: "postrouting", edge: "last" },
  { id: "t-in", way: "back", hook: "prerouting", edge: "first" },
  { id: "t-taken", way: "back", hook: "input", edge: "last" },
] as const;

const tunnelMatch = ({ far, protocol }: NonNullable<Watch["tunnel"]>, way: "out" | "back") =>
  `ip6 ${way === "out" ? "daddr" : "saddr"} ${far} meta l4proto ${protocol}`;

function match(side: Side, flow: FlowName, w: Watch): string {
  const id = flow === "small" ? w.small : w.large;
  const icmp = (protocol: string, type: string) => `${protocol} type ${type} ${protocol} id ${id}`;
  switch (side) {
    case "request6":
      return `ip6 saddr ${w.client} ip6 daddr ${w.mapped} ` +
        (flow === "tcp" ? `tcp dport ${w.port}` : icmp("icmpv6", "echo-request"));
    case "request4":
      return `ip daddr ${w.target} ` + (flow === "tcp" ? `tcp dport ${w.port}` : icmp("icmp", "echo-request"));
    case "answer4":
      return `ip saddr ${w.target} ` + (flow === "tcp" ? `tcp sport ${w.port}` : icmp("icmp", "echo-reply"));
    case "answer6":
      return `ip6 saddr ${w.mapped} ip6 daddr ${w.client} ` +
        (flow === "tcp" ? `tcp sport ${w.port}` : icmp("icmpv6", "echo-reply"));
  }
}

/** The lowest and the highest priority that stand around everybody else's, connection tracking's defragmentation included. */
const PRIORITY = { first: -450, last: 450 };
/** Before even that: what is traced must be marked before any chain that may drop it. */
const TRACE = -451;

const chainOf = ({ hook, edge }: Pick<Point, "hook" | "edge">) => `${hook}_${edge}`;
const CHAINS: [Hook, "first" | "last"][] = [
  ["output", "first"],
  ["prerouting", "first"],
  ["prerouting", "last"],
  ["input", "first"],
  ["input", "last"],
  ["forward", "first"],
  ["forward", "last"],
  ["postrouting", "last"],
];

/** The counter of neighbour solicitations (RFC 4861, 4.3) on the uplink for the client's address. */
export const SOLICITED = "solicited";
/** The counter of packets of the client's that have left by the uplink. */
export const LEFT = "left";
/** Any of these, as nft(8) has it. */
const nameSet = (names: string[]) =>
  names.length === 1 ? `"${names[0]}"` : `{ ${names.map((name) => `"${name}"`).join(", ")} }`;
const counterOf = (flow: FlowName, point: Point) => `${flow}-${point.id}`;

/**
 * The table as one line of nft's language, for `nft -i`. `flags owner`: it belongs to the nft that made it, nobody else can change
 * it, and it goes with that process, however that ends (kernel 5.12).
 */
export function watchTable(name: string, w: Watch): string {
  const rules = new Map(CHAINS.map(([hook, edge]) => [chainOf({ hook, edge }), [] as string[]]));
  const counters: string[] = [SOLICITED, LEFT];
  const named = (device: Device) => nameSet(device === "translator" ? w.translators : [w[device]]);
  for (const point of POINTS) {
    const devices = (point.in ? `iifname ${named(point.in)} ` : "") + (point.out ? `oifname ${named(point.out)} ` : "");
    for (const flow of FLOWS) {
      counters.push(counterOf(flow, point));
      rules.get(chainOf(point))!.push(
        `${devices}${match(point.side, flow, w)} counter name "${counterOf(flow, point)}"`,
      );
    }
  }
  // The target address begins 8 bytes behind the ICMPv6 header's start; nft 1.0.6 has no name for it.
  rules.get("prerouting_first")!.push(
    `iifname "${w.uplink}" icmpv6 type nd-neighbor-solicit @th,64,128 ${hexOf(w.client)} counter name "${SOLICITED}"`,
  );
  for (const { id, way, ...place } of w.tunnel ? TUNNEL_POINTS : []) {
    counters.push(id);
    rules.get(chainOf(place))!.push(`${tunnelMatch(w.tunnel!, way)} counter name "${id}"`);
  }
  rules.get("postrouting_last")!.push(`oifname "${w.uplink}" ip6 saddr ${w.client} counter name "${LEFT}"`);
  const chains = CHAINS.map(([hook, edge]) => {
    const head = `type filter hook ${hook} priority ${PRIORITY[edge]}; policy accept;`;
    const body = rules.get(chainOf({ hook, edge }))!.map((rule) => ` ${rule};`).join("");
    return `chain ${chainOf({ hook, edge })} { ${head}${body} }`;
  });
  return `table inet ${name} { flags owner; ${counters.map((c) => `counter ${c} { };`).join(" ")} ${
    chains.map((c) => `${c};`).join(" ")
  } }`;
}

/** Lines that mark all packets of a flow for `nft monitor trace`, on each side of the translator. */
export function traceLines(name: string, flow: FlowName, w: Watch): string[] {
  return [
    `add chain inet ${name} trace { type filter hook prerouting priority ${TRACE}; policy accept; }`,
    ...(Object.keys(SIDES) as Side[]).map((s) => `add rule inet ${name} trace ${match(s, flow, w)} meta nftrace set 1`),
  ];
}

/** The same for the packets of the tunnel, on their way out of this machine or back into it. */
export function tunnelTraceLines(name: string, way: "out" | "back", { tunnel }: Watch): string[] {
  if (!tunnel) return [];
  const hook = way === "out" ? "output" : "prerouting";
  return [
    `add chain inet ${name} trace { type filter hook ${hook} priority ${TRACE}; policy accept; }`,
    `add rule inet ${name} trace ${tunnelMatch(tunnel, way)} meta nftrace set 1`,
  ];
}

/** An IPv6 address as nft wants raw bits: 0x and 32 digits. */
function hexOf(address: string): string {
  return `0x${parseAddress(address)!.value.toString(16).padStart(32, "0")}`;
}

export interface Counted {
  flows: Partial<Record<FlowName, Record<string, number>>>;
  solicited: number;
  left: number;
  /** By ids of `TUNNEL_POINTS`; missing where there is no tunnel. */
  tunnel?: Record<typeof TUNNEL_POINTS[number]["id"], number>;
}

/** `nft -j list counters table inet NAME`. @returns undefined when that is not what it is */
export function parseCounters(json: string): Counted | undefined {
  let items: unknown;
  try {
    items = (JSON.parse(json) as { nftables?: unknown }).nftables;
  } catch {
    return undefined;
  }
  if (!Array.isArray(items)) return undefined;
  const packets = new Map<string, number>();
  for (const item of items as ({ counter?: { name?: string; packets?: number } } | null)[]) {
    if (item?.counter?.name !== undefined) packets.set(item.counter.name, item.counter.packets ?? 0);
  }
  if (!packets.has(SOLICITED)) return undefined;
  return {
    solicited: packets.get(SOLICITED)!,
    left: packets.get(LEFT) ?? 0,
    ...(packets.has("t-sent")
      ? { tunnel: Object.fromEntries(TUNNEL_POINTS.map((p) => [p.id, packets.get(p.id) ?? 0])) as Counted["tunnel"] }
      : {}),
    flows: Object.fromEntries(
      FLOWS.map((flow) => [flow, Object.fromEntries(POINTS.map((p) => [p.id, packets.get(counterOf(flow, p)) ?? 0]))]),
    ),
  };
}
