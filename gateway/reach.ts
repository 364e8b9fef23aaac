/** Who reaches what besides the overlay: the machine itself, its other networks, and whose packets are believed. Pure. */

import type { Access, Config } from "./config/types.ts";
import type { Facts } from "./facts.ts";
import type { Way } from "./overlay_nodes.ts";
import { ESTABLISHED, jump, tag } from "./rule.ts";
import { mappedNetworks, slicesOf } from "./translator.ts";
import { workersOf } from "./workers.ts";

const RETURN = jump("RETURN");
const DROP = jump("DROP");

/** What of this machine the overlay's hosts reach (`overlay.access`). The last word on it has the machine's own firewall. */
export function overlayInput4({ overlay }: Config, ways: Way[]): string[][] {
  if (overlay.access === "all") return [];
  return ways.flatMap(({ device }) => [
    ["-i", device, ...ESTABLISHED, ...tag("answers"), ...RETURN],
    ...(overlay.access === "none"
      ? []
      : [["-i", device, "-p", "icmp", "-m", "icmp", "--icmp-type", "8", ...tag("ping"), ...RETURN]]),
    ...services(device, overlay.access),
    ["-i", device, ...tag("not-the-machine"), ...DROP],
  ]);
}

/**
 * The same for yggdrasil's own device, by which all of that network reaches the machine: thousands of strangers. ICMPv6 is
 * let through as a whole (RFC 4890). Over an existing link IPv6 is not the overlay, and left alone.
 */
export function overlayInput6({ overlay }: Config): string[][] {
  if (overlay.type !== "yggdrasil" || overlay.access === "all") return [];
  const device = overlay.interface;
  return [
    ["-i", device, ...ESTABLISHED, ...tag("answers"), ...RETURN],
    ["-i", device, "-p", "ipv6-icmp", ...tag("icmp"), ...RETURN],
    ...services(device, overlay.access),
    ["-i", device, ...tag("not-the-machine"), ...DROP],
  ];
}

function services(device: string, access: Access): string[][] {
  if (typeof access === "string") return [];
  return access.map((service) => {
    const [protocol, port] = service.split("/") as [string, string];
    return ["-i", device, "-p", protocol, "-m", protocol, "--dport", port, ...tag("service"), ...RETURN];
  });
}

/**
 * Behind all that the overlay may reach through this machine: other networks of the overlay, and nothing else. Over
 * yggdrasil the chains of its tunnels let in what is for this side only (tunnel_rules.ts).
 */
export function overlayForward({ overlay }: Config, ways: Way[]): string[][] {
  if (overlay.type !== "interface" || overlay.access === "all") return [];
  return ways.flatMap(({ device, networks }) => [
    ...networks.map((to) => ["-d", to, "-i", device, ...tag("transit"), ...RETURN]),
    // To whoever else is behind this machine and was masqueraded into the overlay before crxn came.
    ["-i", device, ...ESTABLISHED, ...tag("answers"), ...RETURN],
    ["-i", device, ...tag("only-overlay"), ...DROP],
  ]);
}

/**
 * IPv4 before connection tracking. The pool's addresses come out of the translator alone; of the overlay's what does not
 * come by the way that leads back there is forged, also when the link is down (RFC 3704, strict).
 */
export function forged4(config: Config, facts: Facts, ways: Way[], believed: string[][]): string[][] {
  const { overlay, nat64 } = config;
  if (!nat64) return believed;
  const networks = [...new Set(ways.flatMap((w) => w.networks))];
  return [
    // First of all what a flow's packets meet. They need not pass the networks, of which there may be a thousand.
    ...(overlay.type === "interface" ? ways.map((way) => answers(way, config.address, nat64.pool)) : []),
    ...workersOf(config).map(({ pool, device }) => ["-s", pool, "-i", device, ...tag("pool"), ...RETURN]),
    ["-s", nat64.pool, ...tag("pool"), ...DROP],
    ...asRouted(config, facts, ways),
    ...(overlay.type === "interface" ? ways.flatMap((way) => [...ownSources(way), ...onlyOwn(way, config)]) : believed),
    ...networks.map((from) => ["-s", from, "-m", "rpfilter", "--invert", ...tag("forged"), ...DROP]),
  ];
}

/**
 * What does not come from the overlay can only be forged, and is not if it comes by the way that leads back. Here, so that it need
 * not pass the networks either: what tunnels are made of, what hosts of `maps` send, and all that is none of crxn's.
 */
function asRouted(config: Config, { uplink }: Facts, ways: Way[]): string[][] {
  const [way, ...more] = ways;
  if (!way) return [];
  const from = more.length === 0
    ? [["!", "-i", way.device]]
    : [...workersOf(config).map((w) => w.device), uplink.name].map((device) => ["-i", device]);
  return from.map((device) => [...device, "-m", "rpfilter", ...tag("as-routed"), ...RETURN]);
}

/** To the address of all clients: whose they are decides who may be answered. */
const answers = ({ device }: Way, address: string, pool: string): string[] => [
  ...["!", "-s", pool, "-d", `${address.split("/")[0]}/32`, "-i", device],
  ...tag("answers"),
  ...RETURN,
];

const ownSources = ({ device, networks }: Way): string[][] =>
  networks.map((from) => ["-s", from, "-i", device, ...tag("source"), ...RETURN]);

/** Who is not of the overlay's networks does not get at the hosts of `maps`, which would answer to an address of the prefix. */
const onlyOwn = ({ device }: Way, config: Config): string[][] =>
  mappedNetworks(config).map((to) => ["-d", to, "-i", device, ...tag("only-its-networks"), ...DROP]);

/** IPv6: an address that stands for an overlay host comes out of a translator alone. Only forged ones pass the networks. */
export function forged6(config: Config): string[][] {
  const { prefix } = config;
  const workers = workersOf(config);
  if (!prefix || workers.length === 0) return [];
  const slices = [...new Set(slicesOf(config))];
  return [
    ["!", "-s", prefix, ...tag("not-the-overlay"), ...RETURN],
    ...workers.map(({ device }) => ["-i", device, ...tag("translated"), ...RETURN]),
    ...slices.map((from) => ["-s", from, ...tag("forged"), ...DROP]),
  ];
}
