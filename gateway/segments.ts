/** How large TCP's segments may be on the whole path: what links say, or what was measured. Pure. */

import type { Config } from "./config/types.ts";
import type { Facts } from "./facts.ts";
import type { Journal } from "./journal.ts";
import { wrappingOf } from "./probe_plan.ts";
import { tag } from "./rule.ts";

/** A part of the path that packets are measured on. */
export type PathLeg = "client" | "overlay" | "underlay" | "whole";

export const LEG_NAMES: Record<PathLeg, string> = {
  client: "to the IPv6 router",
  overlay: "over the overlay",
  underlay: "over yggdrasil",
  whole: "from client to target",
};

/** Bytes of headers in front of TCP's data (RFC 791, RFC 8200, RFC 9293), options aside. */
export const HEADERS = { inet: 40, inet6: 60 } as const;

/** What is around TCP's data in a packet of a leg: over yggdrasil the wrapping of its tunnel as well. */
export const headersOf = (leg: PathLeg, facts: Pick<Facts, "tunnel">): number =>
  leg === "overlay" ? HEADERS.inet : leg === "underlay" ? HEADERS.inet + wrappingOf(facts.tunnel?.kind) : HEADERS.inet6;

/** Bytes: no path's MTU is smaller in practice, for every host has to take packets as large (RFC 791, 3.1). */
export const SMALLEST_MTU = 576;

/** No segment is smaller: RFC 9293, 3.7.1. */
const LEAST = 536;

/** What the MTU of the links on both sides leaves, and no more than fits an Ethernet on the Internet. */
const assumed = ({ overlayMtu, uplink }: Facts): number =>
  Math.min(overlayMtu - HEADERS.inet, uplink.mtu - HEADERS.inet6, 1500 - HEADERS.inet6);

/**
 * The largest TCP payload that passes both sides whole, in bytes (RFC 6691).
 * Set on both sides, so that it does not matter which of them is smaller; TCPMSS never raises a value.
 */
export function mssOf({ nat64 }: Config, facts: Facts): number | undefined {
  if (!nat64 || nat64.mss === "off") return undefined;
  if (nat64.mss !== "auto") return nat64.mss;
  return Math.min(assumed(facts), facts.measuredMss ?? Infinity);
}

/** A leg's size as it was measured: the largest packet, in bytes, that came back, and the headers around TCP's data in it. */
export interface MeasuredLeg {
  passes?: number;
  headers: number;
}

/**
 * What measured legs leave for TCP's data, where that is less than the links say.
 * @param former what an earlier measurement gave: it stands where nobody answered this time
 */
export function measuredMss(facts: Facts, legs: MeasuredLeg[], former: number | undefined): number | undefined {
  const sizes = legs.flatMap(({ passes, headers }) => passes === undefined ? [] : [passes - headers]);
  if (sizes.length === 0) return former;
  const least = Math.max(LEAST, Math.min(...sizes));
  const silent = sizes.length < legs.length && former !== undefined;
  const known = silent ? Math.min(least, former) : least;
  return known < assumed(facts) ? known : undefined;
}

/** The clamp's comment tells whoever lists the rules, and the next `up`, where its value is from. */
export const clampTag = (facts: Facts): string[] =>
  tag(facts.measuredMss !== undefined && facts.measuredMss < assumed(facts) ? "mss-measured" : "mss");

/** What the clamp of an earlier `up` was measured to be, in bytes. */
export function mssMade({ entries }: Pick<Journal, "entries">): number | undefined {
  for (const { item } of entries.values()) {
    if (item.kind !== "chain" || item.table !== "mangle") continue;
    const rule = item.rules.find((words) => words.includes("crxn:mss-measured"));
    const mss = rule && Number(rule[rule.indexOf("--set-mss") + 1]);
    if (mss) return mss;
  }
  return undefined;
}
