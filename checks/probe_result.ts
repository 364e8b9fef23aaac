/** What a probe of the path saw. Made by `machine/probe.ts`, judged by the checks `probe`, `path-mtu` and `prefix-routed`. */

import type { PathLeg } from "../gateway/segments.ts";

/** Packets that a device took in and sent out during the probe. On a busy gateway other traffic is among them. */
export interface Leg {
  device: string;
  rx: number;
  tx: number;
}

/**
 * `prefix`: an overlay host by its address in the prefix, through the whole gateway. `overlay`: the far yggdrasil node itself, so only
 * the overlay's own leg. `direct`: an overlay host by its IPv4 address, from a node without NAT64. `guess`: like `prefix`, to a host
 * that may not be there, so that only the way out of this machine is judged.
 */
export type ProbeKind = "prefix" | "overlay" | "direct" | "guess";

/** `small`: pings of usual size. `large`: pings as large as the smallest link, not to be fragmented. `tcp`: a connection. */
export const FLOWS = ["small", "large", "tcp"] as const;
export type FlowName = typeof FLOWS[number];

/** Packets of one kind, from the probe's client. */
export interface Flow {
  sent: number;
  /** Answers that came back to the client; for TCP a reset is one, too. */
  back: number;
  /** Bytes of one packet (ICMP). */
  size?: number;
  /** An ICMP error that came back instead, in ping's words. */
  error?: string;
  command: string[];
  output: string;
}

/** How often each point of the path saw packets of each flow: ids of `POINTS` (probe_points.ts). */
export type Counts = Partial<Record<FlowName, Record<string, number>>>;

/** What dropped a packet, as the kernel's trace tells (nft(8), `monitor trace`). */
export interface Dropped {
  /** E.g. "ip filter". */
  table: string;
  chain: string;
  /** The rule in nft's words; missing when the chain's policy decided. */
  rule?: string;
}

/** The probe's client in a network namespace of its own, and what its packets met. */
export interface Through {
  client: string;
  /** The gateway's end of the link to it. */
  device: string;
  target: string;
  mapped: string;
  translator: string;
  overlay: string;
  flows: Partial<Record<FlowName, Flow>>;
  /** Missing where nft could not count. */
  counts?: Counts;
  /** Packets of the tunnel that the overlay's device is, to and from the far node (`TUNNEL_POINTS`). */
  tunnel?: { device: string } & Record<"t-sent" | "t-out" | "t-in" | "t-taken", number>;
  /** What the trace of one more packet of a lost flow told, and of which. */
  dropped?: Dropped & { flow: FlowName };
  /** Why that need not happen to a real client. */
  doubt?: string;
  /** What the kernel says about the route of a packet that got lost between two hooks. */
  route?: { command: string[]; output: string };
  /** The kernel's IPsec policies, which it asks between the same two; missing where there are none. */
  ipsec?: { command: string[]; output: string };
}

export interface Probed {
  ran: true;
  kind: ProbeKind;
  /** As the person names it: an IPv4 address, or the far node's address. */
  target: string;
  /** The address that was pinged. */
  address: string;
  sent: number;
  received: number;
  /** Average round trip in milliseconds. */
  rtt?: number;
  command: string[];
  output: string;
  translator?: Leg;
  overlay?: Leg;
  /** The path as a client from outside sees it. */
  through?: Through;
  /** Why there is no such client: the gateway has sent the packets itself. */
  noClient?: string;
}

/** A ping to a far yggdrasil node's own address, over yggdrasil alone. */
export interface Reach {
  key: string;
  address: string;
  networks: string[];
  received: number;
  /** The key cannot be one of this daemon's generation. */
  foreign: boolean;
  command: string[];
  output: string;
}

/** The size of packets that pass one leg of the path. */
export interface LegSize {
  leg: PathLeg;
  /** The device that packets leave by. */
  device: string;
  to: string;
  /** Bytes that the link can take, by its MTU; of IPv6 for `client`, `underlay` and `whole`, of IPv4 for `overlay`. */
  full: number;
  /** The largest that came back; undefined when not even small ones did. */
  passes?: number;
  /** The size that an ICMP error named: whoever cannot pass more says so. */
  told?: number;
  command: string[];
  output: string;
}

/** What came of a packet that the provider's first router has to answer, to an address in `routed`. */
export interface Arrival {
  address: string;
  /** Who answered; undefined when nobody did. */
  answeredBy?: string;
  /** Neighbour solicitations for the address on the uplink; undefined where nobody could count them. */
  solicited?: number;
  /** Packets of the client's that left by the uplink; undefined as well. */
  left?: number;
  command: string[];
  output: string;
}

export type ProbeResult = { ran: false; reason: string } | Probed;
