/** What a probe of the path saw. Made by `machine/probe.ts`, judged by the check `probe`. */

/** Packets that a device took in and sent out during the probe. On a busy gateway other traffic is among them. */
export interface Leg {
  device: string;
  rx: number;
  tx: number;
}

/**
 * `prefix`: an overlay host by its address in the prefix, through the whole gateway. `overlay`: the far yggdrasil node itself, so only
 * the overlay's own leg. `direct`: an overlay host by its IPv4 address, from a node without NAT64.
 */
export type ProbeKind = "prefix" | "overlay" | "direct";

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

export type ProbeResult = { ran: false; reason: string } | Probed;
