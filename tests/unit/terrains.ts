/** Machines as `crxn init` sees them. */

import { network } from "../../gateway/cidr.ts";
import type { Proposal, Terrain } from "../../gateway/init/terrain.ts";
import type { Link, RouteSeen } from "../../gateway/survey.ts";
import { linkSeen } from "./surveys/put.ts";

/** A link with addresses, "dummy" and the like as its kind. */
export const link = (name: string, addresses: string[] = [], more: Partial<Link> = {}): Link =>
  linkSeen(name, {
    addresses: addresses.map((address) => ({
      address,
      family: network(address).family === 6 ? "inet6" as const : "inet" as const,
      scope: /^fe80/.test(address) ? "link" : "global",
      dynamic: false,
    })),
    ...more,
  });

export const wireguard = (name: string, addresses: string[] = [], more: Partial<Link> = {}): Link =>
  link(name, addresses, { kind: "wireguard", ...more });

/** In the words of ip(8): `route("10.0.0.0/8 dev wg0 via 10.5.0.254")`, `route("unreachable 2001:db8::/48")`. */
export function route(words: string, more: Partial<RouteSeen> = {}): RouteSeen {
  const [first, ...rest] = words.split(" ");
  const typed = ["unreachable", "blackhole", "local", "anycast"].includes(first!);
  const [to, ...options] = typed ? rest : [first, ...rest];
  const after = (name: string) => options.includes(name) ? options[options.indexOf(name) + 1] : undefined;
  const [device, via, metric] = [after("dev"), after("via"), after("metric")];
  return {
    family: options.includes("-6") || to!.includes(":") ? "inet6" : "inet",
    to: to!,
    type: typed ? first! : "unicast",
    ...(device ? { device } : {}),
    ...(via ? { via } : {}),
    table: "main",
    protocol: after("proto") ?? "boot",
    metric: Number(metric ?? 1024),
    ...more,
  };
}

export const default6 = (device: string, metric = 1024): RouteSeen =>
  route(`default -6 dev ${device} via fe80::1 metric ${metric}`);

/** Nothing but lo, and what a test puts there. */
export function terrain(links: Link[], routes: RouteSeen[] = [], more: Partial<Terrain> = {}): Terrain {
  const all = [link("lo", ["127.0.0.1/8", "::1/128"]), ...links];
  // Of ::1 and the loopback network the kernel says scope host.
  for (const address of all[0]!.addresses) address.scope = "host";
  return {
    links: all,
    routes,
    neighbours: [],
    networks: all.flatMap((l) =>
      l.addresses.filter((a) => a.scope === "global").map((a) => ({ network: a.address, device: l.name }))
    ),
    instances: [],
    yggdrasil: { peers: [], listen: [] },
    generation: "0.5",
    ...more,
  };
}

/** A usual machine: an uplink with a /64 of its own, a delegated /56 and a WireGuard link. */
export const usual = (): Terrain =>
  terrain(
    [link("eth0", ["192.0.2.5/24", "2001:db8:9::10/64"]), wireguard("wg0", ["10.5.0.1/32"])],
    [
      default6("eth0"),
      route("default dev eth0 via 192.0.2.1"),
      route("2001:db8:9::/64 dev eth0 proto kernel"),
      route("unreachable 2001:db8:300::/56"),
      route("10.0.0.0/8 dev wg0"),
    ],
  );

/** What is proposed, without why. */
export const valuesOf = (proposals: Proposal[]): string[] => proposals.map((p) => p.value);
