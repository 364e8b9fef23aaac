/** tayga.conf(5), as far as it says what is translated. Pure. */

import { canonicalNetwork } from "./networks.ts";

export interface TaygaConfig {
  device?: string;
  /** tayga's own address. */
  ipv4?: string;
  prefix?: string;
  pool?: string;
  /** Where it keeps its list of clients. */
  data?: string;
  maps: { ipv4: string; ipv6: string }[];
  /** Lines that say something else. */
  other: string[];
}

export function readTaygaConfig(text: string): TaygaConfig {
  const config: TaygaConfig = { maps: [], other: [] };
  for (const line of text.split("\n")) {
    const words = line.replace(/#.*/, "").trim().split(/\s+/);
    const [key = "", value, second] = words;
    if (key === "") continue;
    if (key === "tun-device" && value) config.device = value;
    else if (key === "ipv4-addr" && value) config.ipv4 = value;
    else if (key === "prefix" && value) config.prefix = canonicalNetwork(value);
    else if (key === "dynamic-pool" && value) config.pool = canonicalNetwork(value);
    else if (key === "data-dir" && value) config.data = value;
    else if (key === "map" && value && second) {
      config.maps.push({ ipv4: canonicalNetwork(value), ipv6: canonicalNetwork(second) });
    } // Its own IPv6 address is nothing but the source of its error messages.
    else if (key !== "ipv6-addr") config.other.push(words.join(" "));
  }
  return config;
}

/**
 * Whether tayga does the same with either: it may go on with the one while the other lies in its place. Where the list of
 * clients is kept is no part of that; at its next start it begins an empty one.
 */
export function translatesAlike(one: string, other: string): boolean {
  const words = (text: string) => {
    const { device, ipv4, prefix, pool, maps, other } = readTaygaConfig(text);
    const pairs = maps.map((m) => `${m.ipv4} ${m.ipv6}`).sort();
    return JSON.stringify([device, ipv4, prefix, pool, pairs, other.sort()]);
  };
  return words(one) === words(other);
}
