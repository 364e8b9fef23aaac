/** The packets that a gateway's firewalls have to let through, one of each kind. Pure. */

import { embed } from "../address.ts";
import type { Config } from "../config/types.ts";
import type { Facts } from "../facts.ts";
import type { Family } from "../item.ts";
import { type Translator, workersOf } from "../workers.ts";
import { hostAt } from "../networks.ts";
import { type FarNode, VXLAN_PORT, type Way } from "../overlay_nodes.ts";
import type { Survey } from "../survey.ts";
import { hostsInside } from "./alike.ts";
import type { PATHS } from "./base_chains.ts";
import type { Packet } from "./packet.ts";

export interface PacketKind {
  family: Family;
  /** Whence and where to, for a sentence: "from A to B". */
  name: string;
  /** What it is, where others of that name are something else: "TCP". */
  what: string;
  path: keyof typeof PATHS;
  packet: Packet;
  /** What differs before NAT in PREROUTING, and behind NAT in POSTROUTING. */
  before?: Partial<Packet>;
  after?: Partial<Packet>;
  /** The networks that tell it from all others of its device, where the device is not the gateway's alone. */
  networks?: Pick<Packet, "source" | "destination">;
}

/** Where the packets of a gateway come and go. */
export interface Ways {
  config: Config;
  ways: Way[];
  uplink: string;
  /** What tells the overlay's networks apart. */
  survey: Survey;
}

type Leg = Omit<PacketKind, "what" | "path" | "packet"> & { packet: Omit<Packet, "state" | "protocol" | "family"> };

/** A ping and a TCP connection, their first packet (or the answer to it) and those that follow. */
function traffic(leg: Leg, flow: "begins" | "answers"): PacketKind[] {
  const { family, packet } = leg;
  const icmp = family === "inet6"
    ? { protocol: "ipv6-icmp", icmp: flow === "begins" ? 128 : 129 }
    : { protocol: "icmp", icmp: flow === "begins" ? 8 : 0 };
  const states = flow === "begins" ? ["NEW", "ESTABLISHED"] as const : ["ESTABLISHED"] as const;
  return states.flatMap((state): PacketKind[] => [
    { ...leg, what: "ICMP", path: "forward", packet: { ...packet, family, ...icmp, state } },
    { ...leg, what: "TCP", path: "forward", packet: { ...packet, family, protocol: "tcp", state } },
  ]);
}

export function forwardedPackets(asked: Ways): PacketKind[] {
  const { config, ways, uplink, survey } = asked;
  const before = known.get(survey);
  if (before?.config === config && before.ways === ways && before.uplink === uplink) return before.found;
  const found = packetsOf(asked);
  known.set(survey, { config, ways, uplink, found });
  return found;
}

/** Several checks ask for the same, and remember by the packet what was decided about it. */
const known = new WeakMap<Survey, Omit<Ways, "survey"> & { found: PacketKind[] }>();

function packetsOf({ config, ways, uplink, survey }: Ways): PacketKind[] {
  const hosts = hostsInside(ways, config.prefix, survey);
  if (!config.nat64) {
    // The device of the networks behind a node is not known; rules that ask for it cannot be judged.
    return hosts.flatMap(({ device, host }) =>
      traffic({ family: "inet", name: `from the overlay's ${device}`, packet: { in: device, source: host } }, "begins")
    );
  }
  const own = config.address.split("/")[0]!;
  const insides = (hosts.length > 0 ? hosts.map((h) => h.host) : [hostAt(config.nat64.pool, 1)])
    .map((address) => embed(config.prefix!, address));
  const client = config.nat64.clients.includes("::/0") ? {} : { source: config.nat64.clients[0]!.split("/")[0]! };
  const through = ({ device: translator, pool: part }: Translator) => {
    const pool = hostAt(part, 2);
    return [
      ...hosts.flatMap(({ device, host }) => [
        ...traffic({
          family: "inet",
          name: `from ${translator} to ${device}`,
          packet: { in: translator, out: device, source: pool, destination: host },
          after: { source: own },
        }, "begins"),
        ...traffic({
          family: "inet",
          name: `from ${device} to ${translator}`,
          packet: { in: device, out: translator, source: host, destination: pool },
          before: { destination: own },
        }, "answers"),
      ]),
      ...insides.flatMap((inside) => [
        ...traffic({
          family: "inet6",
          name: `from ${uplink} to ${translator}`,
          packet: { in: uplink, out: translator, destination: inside, ...client },
          networks: { destination: config.prefix! },
        }, "begins"),
        ...traffic({
          family: "inet6",
          name: `from ${translator} to ${uplink}`,
          packet: {
            in: translator,
            out: uplink,
            source: inside,
            ...(client.source ? { destination: client.source } : {}),
          },
          networks: { source: config.prefix! },
        }, "answers"),
      ]),
    ];
  };
  return workersOf(config).flatMap(through);
}

/** The tunnels' own packets, which the machine itself takes and sends. */
export function tunnelPackets(
  { overlay }: Config,
  kind: NonNullable<Facts["tunnel"]>["kind"] | undefined,
  nodes: FarNode[],
  own: string | undefined,
): PacketKind[] {
  if (overlay.type !== "yggdrasil" || kind === undefined || kind === "ckr") return [];
  const ygg = overlay.interface;
  const mine = (side: "source" | "destination") => own === undefined ? {} : { [side]: own };
  const of = (port: number) => kind === "vxlan" ? { protocol: "udp", port } : { protocol: "gre" };
  const what = kind === "vxlan" ? "VXLAN" : "GRE";
  return nodes.flatMap(({ address, port }): PacketKind[] => [
    {
      family: "inet6",
      name: `of the tunnel from ${address}`,
      what,
      path: "input",
      packet: { family: "inet6", in: ygg, out: "", source: address, ...mine("destination"), ...of(port), state: "NEW" },
      before: of(VXLAN_PORT),
    },
    {
      family: "inet6",
      name: `of the tunnel to ${address}`,
      what,
      path: "output",
      packet: { family: "inet6", in: "", out: ygg, destination: address, ...mine("source"), ...of(port), state: "NEW" },
    },
  ]);
}

/** Types of ICMPv6 (RFC 4861). */
const [ROUTER_ADVERTISEMENT, NEIGHBOUR_SOLICITATION, NEIGHBOUR_ADVERTISEMENT] = [134, 135, 136];

/** What the machine has to hear on its uplink to be found there at all, and to keep its default route. */
export function discoveryPackets(uplink: string, advertised: boolean): PacketKind[] {
  const kinds: [string, number][] = [
    ["neighbour solicitation", NEIGHBOUR_SOLICITATION],
    ["neighbour advertisement", NEIGHBOUR_ADVERTISEMENT],
    ...(advertised ? [["router advertisement", ROUTER_ADVERTISEMENT] as [string, number]] : []),
  ];
  return kinds.map(([what, icmp]): PacketKind => ({
    family: "inet6",
    name: `on ${uplink}`,
    what,
    path: "input",
    // A router sends them from its link-local address; RFC 4861 wants the highest hop limit.
    packet: {
      family: "inet6",
      in: uplink,
      out: "",
      source: "fe80::1",
      protocol: "ipv6-icmp",
      icmp,
      hopLimit: 255,
      state: "UNTRACKED",
    },
  }));
}
