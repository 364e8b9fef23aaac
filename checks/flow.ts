/** Packets as the kernel's route lookup sees them, and what it answers. Types only: `legs.ts` makes them, the machine asks. */

import type { Family } from "../gateway/item.ts";

export interface Flow {
  family: Family;
  to: string;
  from?: string;
  /** The device that it comes in by; without it the packet is the machine's own. */
  iif?: string;
  /** As rules of the firewall set it before the lookup. */
  mark?: number;
  /** Further words of `ip route get`. */
  also?: string[];
}

/** What `ip route get` says of a flow: a route, or an error in the kernel's words. */
export interface RouteAnswer {
  flow: Flow;
  /** `unicast`, `local`, ...; missing with an error. */
  type?: string;
  device?: string;
  via?: string;
  table?: string;
  error?: string;
}

/** The arguments of `ip -4|-6 route get`. */
export const flowWords = ({ to, from, iif, mark, also }: Flow): string[] => [
  to,
  ...(from ? ["from", from] : []),
  ...(iif ? ["iif", iif] : []),
  ...(mark ? ["mark", String(mark)] : []),
  ...(also ?? []),
];

export const sameFlow = (a: Flow, b: Flow): boolean => flowWords(a).join(" ") === flowWords(b).join(" ");
