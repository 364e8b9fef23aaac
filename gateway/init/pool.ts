/** A pool that collides with nothing, and a name for the translator that nobody has. Pure. */

import { formatNetwork, host, type Network, network, overlaps, parseAddress } from "../cidr.ts";
import { DEFAULTS } from "../config/defaults.ts";
import { soft } from "../config/draft.ts";
import { instanceName } from "../config/values.ts";
import { OWN_PROTOCOL } from "../names.ts";
import { addressesOf, destinationOf, type Proposal, type Terrain } from "./terrain.ts";

/** Shared address space (RFC 6598), of which tailscale drops all that do not come from its own link. */
const SHARED = network("100.64.0.0/10");

/** Each /16 of these in turn, and at last smaller ones. RFC 6598, 1918 and 2544. */
const PLACES: [within: string, length: number][] = [
  ["100.64.0.0/10", 16],
  ["172.16.0.0/12", 16],
  ["10.0.0.0/8", 16],
  ["198.18.0.0/15", 16],
  ["192.168.0.0/16", 18],
  ["100.64.0.0/10", 20],
  ["192.168.0.0/16", 20],
];

/** What a pool must not touch: the machine's IPv4 networks and routes, and what the config says of the overlay. */
function taken({ links, routes }: Terrain, overlay: Network[]): Network[] {
  const via = routes.flatMap((r) => [r.via, ...(r.hops ?? []).map((h) => h.via)])
    .map((text) => text === undefined ? undefined : parseAddress(text));
  return [
    ...overlay,
    ...links.flatMap((l) => addressesOf(l, 4)),
    ...via.filter((a) => a?.family === 4).map((a) => host(a!)),
    ...routes.filter((r) => r.family === "inet" && r.protocol !== OWN_PROTOCOL).map(destinationOf)
      // The halves of the Internet are a VPN's default route.
      .filter((n): n is Network => n !== undefined && n.length > 1),
    ...(links.some((l) => /^tailscale/.test(l.name)) ? [SHARED] : []),
  ];
}

/** @param overlay networks and addresses of the overlay, and of `local` */
export function freePool(terrain: Terrain, overlay: Network[]): Proposal[] {
  const used = taken(terrain, overlay);
  for (const [within, length] of PLACES) {
    const outer = network(within);
    for (let n = 0; n < 2 ** (length - outer.length); n++) {
      const pool = { ...outer, value: outer.value + (BigInt(n) << BigInt(32 - length)), length };
      if (used.some((u) => overlaps(u, pool))) continue;
      const value = formatNetwork(pool);
      return [{ value, why: value === DEFAULTS.pool ? "the default" : `free here; ${DEFAULTS.pool} is not` }];
    }
  }
  return [];
}

/** A name for the translator: the default, or one after the overlay's link. */
export function freeInstance({ instances }: Terrain, link: string | undefined): Proposal[] {
  const numbered = Array.from({ length: 20 }, (_, i) => `crxn${i + 2}`);
  const value = [DEFAULTS.instance, ...(link ? [link] : []), "crxn", ...numbered]
    .find((name) => !instances.includes(name) && soft(instanceName, name) === name);
  const why = value === DEFAULTS.instance ? "the default" : `tayga@${DEFAULTS.instance} is somebody else's`;
  return value ? [{ value, why }] : [];
}
