/** What `crxn init` looks at on a machine before it proposes a config, as plain data. */

import type { Generation } from "../capability.ts";
import { type Network, overlaps, parseEither, parseNetwork } from "../cidr.ts";
import type { Neighbour } from "../host.ts";
import type { Family } from "../item.ts";
import { defaultRoutes, type Link, type RouteSeen } from "../survey.ts";

export interface Terrain {
  links: Link[];
  /** Of both families and all tables. */
  routes: RouteSeen[];
  /** IPv6 hosts that this machine has heard of. */
  neighbours: Neighbour[];
  /** The machine's own networks, without what crxn put there: what `up` compares a config with. */
  networks: { network: string; device: string }[];
  /** Names of tayga's instances that are somebody else's. */
  instances: string[];
  /** Of a yggdrasil.conf that is there already. */
  yggdrasil: { peers: string[]; listen: string[] };
  /** Of the yggdrasil daemon that the config is for. */
  generation: Generation;
  /** This machine's public key there, where it is known. */
  ownKey?: string;
}

/** A value that the machine suggests, and what suggests it. */
export interface Proposal {
  /** As a person would type it. */
  value: string;
  why: string;
}

/** Links of containers and virtual machines: what is behind them lives on this machine. */
const INSIDE =
  /^(docker|br-|virbr|veth|vnet|lxc|lxdbr|incusbr|podman|cni|flannel|cali|cilium|vxlan\.calico|kube|fwbr|tap\d+i)/;

/** Whether a link leads to containers or virtual machines of this machine. */
export const isInside = (link: Link): boolean => INSIDE.test(link.name) || link.master !== undefined;

/** Translators, and crxn's own tunnels. */
const TRANSLATOR = /^(nat64|clat|crxn-)/;

/** Whether a link is a translator's, or a tunnel of crxn's. */
export const isTranslator = (link: Link): boolean => TRANSLATOR.test(link.name);

/** yggdrasil's own addresses, 200::/7: their link carries no IPv4. */
const YGGDRASIL = parseNetwork("200::/7")!;

export const hasYggdrasil = (link: Link): boolean => addressesOf(link, 6).some((a) => overlaps(YGGDRASIL, a));

/** Global addresses of a link, host part set. */
export const addressesOf = (link: Link, family: 4 | 6): Network[] =>
  link.addresses.filter((a) => a.scope === "global").map((a) => parseNetwork(a.address))
    .filter((a): a is Network => a?.family === family);

/** Devices of the IPv6 default routes in the main table, the one that is used first. */
export const defaultDevices = (terrain: Pick<Terrain, "routes">, family: Family = "inet6"): string[] => [
  ...new Set(
    defaultRoutes(terrain, family).flatMap((r) =>
      r.device ? [r.device] : (r.hops ?? []).flatMap((h) => h.device ?? [])
    ),
  ),
];

/** A route's destination; undefined for a default route. */
export const destinationOf = (route: RouteSeen): Network | undefined => parseEither(route.to);
