/** Which links of a machine may lead to an overlay, the likeliest first. Pure. */

import { clearHostBits, contains, formatAddress, formatNetwork, host, type Network, parseNetwork } from "../cidr.ts";
import type { Link } from "../survey.ts";
import {
  addressesOf,
  defaultDevices,
  destinationOf,
  hasYggdrasil,
  isInside,
  isTranslator,
  type Proposal,
  type Terrain,
} from "./terrain.ts";

/** Kinds of ip-link(8) that carry IPv4 to somewhere else, in words. */
const KINDS: Record<string, string> = {
  wireguard: "WireGuard",
  ovpn: "OpenVPN",
  "ovpn-dco": "OpenVPN",
  tun: "a VPN program's link",
  ppp: "PPP",
  xfrm: "IPsec",
  vti: "IPsec",
  ipip: "an IPv4 tunnel",
  gre: "a GRE tunnel",
  gretap: "a GRE tunnel",
  ip6gre: "a GRE tunnel over IPv6",
  ip6gretap: "a GRE tunnel over IPv6",
  ip6tnl: "a tunnel over IPv6",
  vxlan: "VXLAN",
  geneve: "Geneve",
  l2tpeth: "L2TP",
};

/** Whose a TUN device is, by the names that programs give; wireguard-go and boringtun make one, too. */
const PROGRAMS: [RegExp, string][] = [
  [/^wg/, "WireGuard"],
  [/^(tun|tap|ovpn)/, "OpenVPN or the like"],
  [/^tailscale/, "Tailscale"],
  [/^zt/, "ZeroTier"],
];

/** Links that the kernel makes by itself with a tunnel's module. */
const FALLBACK = new Set(["tunl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "ip6tnl0", "ip6gre0", "sit0"]);

/** Links on which every packet has one way to go: a next hop would mean nothing. */
const POINT_TO_POINT = new Set([
  "wireguard",
  "ovpn",
  "ovpn-dco",
  "ppp",
  "xfrm",
  "vti",
  "ipip",
  "gre",
  "ip6gre",
  "ip6tnl",
]);

/** Whether several hosts share it, which have to be asked for (ARP), so that a route may need a next hop. */
export const isMultiAccess = (link: Link): boolean =>
  link.kind === "tun" ? link.data["type"] === "tap" : !POINT_TO_POINT.has(link.kind ?? "");

/** VPN links first by what they already do: those that are up and lead somewhere. */
export function overlayLinks(terrain: Terrain): Proposal[] {
  const uplinks = defaultDevices(terrain);
  const rank = (link: Link) =>
    (link.up ? 0 : 4) + (networksBehind(link.name, terrain).length > 0 ? 0 : 2) +
    (addressesOf(link, 4).length > 0 ? 0 : 1);
  return terrain.links
    .filter((l) => (l.kind ?? "") in KINDS && !FALLBACK.has(l.name) && !isTranslator(l))
    .filter((l) => !isInside(l) && !hasYggdrasil(l) && !uplinks.includes(l.name))
    .sort((a, b) => rank(a) - rank(b))
    .map((l) => ({ value: l.name, why: described(l) }));
}

function described(link: Link): string {
  const program = link.kind === "tun" && PROGRAMS.find(([name]) => name.test(link.name))?.[1];
  const kind = program || KINDS[link.kind!]!;
  return [kind, ...addressesOf(link, 4).map(formatNetwork), ...(link.up ? [] : ["down"])].join(", ");
}

const SPECIAL = ["127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4"].map((n) => parseNetwork(n)!);

/**
 * IPv4 networks that routes lead to by a link: not the halves with which a VPN takes the whole Internet, not what is inside
 * another of them, and not the machine itself.
 */
export function networksBehind(name: string, terrain: Terrain): { network: Network; via?: string }[] {
  const own = terrain.links.flatMap((l) => addressesOf(l, 4)).map((a) => host(a));
  const all = terrain.routes
    .filter((r) => r.family === "inet" && r.type === "unicast" && r.to !== "default" && !r.flags?.includes("dead"))
    .flatMap((r) => {
      const hop = r.device === name ? r : r.hops?.find((h) => h.device === name);
      const network = hop && destinationOf(r);
      return network && network.length > 1 ? [{ network, ...(hop.via ? { via: hop.via } : {}) }] : [];
    })
    .filter(({ network }) =>
      !SPECIAL.some((s) => contains(s, network)) && !own.some((o) => contains(network, o) && network.length === 32)
    );
  return all.filter(({ network }, i) =>
    !all.some(({ network: other }, j) =>
      contains(other, network) && (other.length < network.length || (other.length === network.length && j < i))
    )
  );
}

/** This machine's addresses on a link, as they are there. */
export function addressesProposed(name: string, { links }: Terrain): Proposal[] {
  const link = links.find((l) => l.name === name);
  return link ? addressesOf(link, 4).map((a) => ({ value: formatNetwork(a), why: `on ${name}` })) : [];
}

/** Networks of hosts beside this machine: neither the uplink's nor the overlay's, nor containers'. */
export function networksBeside(overlay: string | undefined, terrain: Terrain): Proposal[] {
  const uplinks = [...defaultDevices(terrain), ...defaultDevices(terrain, "inet")];
  return terrain.links
    .filter((l) => l.name !== "lo" && l.name !== overlay && !uplinks.includes(l.name) && !isTranslator(l))
    .filter((l) => !isInside(l) && !((l.kind ?? "") in KINDS))
    .flatMap((l) =>
      addressesOf(l, 4).filter((a) => a.length < 31).map((a) => ({
        value: formatNetwork(clearHostBits(a)),
        why: `${l.name}, where this machine is ${formatAddress(a)}`,
      }))
    );
}
