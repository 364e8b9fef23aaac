/** The cables of a rehearsal: veth pairs between its namespaces, as lines for `ip -batch`. Pure. */

import { NODE_HOP, Peering, type Place, type Rehearsal } from "./rehearsal.ts";

/** Next hops on the cable between client and gateway (RFC 4291 2.5.6): they take no address of anybody's network. */
const CLIENT_HOP = "fe80::2";
const GATEWAY_HOP = "fe80::1";

/** The name of the peering cable: not the overlay device's, whatever that is called. */
const peering = (r: Rehearsal) => r.config.overlay.interface === "peer0" ? "peer1" : "peer0";

/** Up, and without the link-local address that the kernel would make and then check for two seconds (DAD, RFC 4862). */
const up = (device: string, mtu?: number) => `link set dev ${device} addrgenmode none${mtu ? ` mtu ${mtu}` : ""} up`;

const veth = (device: string, peer: string, namespace: string) =>
  `link add ${device} type veth peer name ${peer} netns ${namespace}`;

/**
 * What a provider and the overlay's own people have laid before the gateway is built, place by place, in order.
 * @param nameOf the namespace of a place
 */
export function layout(r: Rehearsal, nameOf: (place: Place) => string): { place: Place; lines: string[] }[] {
  const { overlay, address } = r.config;
  const gateway = address.split("/")[0]!;
  const cables = overlay.type === "yggdrasil" ? peeringCable(r, nameOf) : interfaceCable(r, nameOf);
  return [
    { place: "gateway", lines: [...(r.client ? uplinkCable(r, nameOf) : []), ...cables.gateway] },
    ...(r.client ? [{ place: "client" as const, lines: clientEnd(r.client) }] : []),
    ...(cables.node ? [{ place: "node" as const, lines: cables.node }] : []),
    {
      place: "host",
      lines: [
        up("eth0", r.overlayMtu),
        ...[r.host, ...r.hops].map((a) => `address add ${a}/32 dev eth0`),
        `route add 0.0.0.0/0 via ${overlay.type === "yggdrasil" ? NODE_HOP : gateway} dev eth0 onlink src ${r.host}`,
      ],
    },
  ];
}

function uplinkCable(r: Rehearsal, nameOf: (place: Place) => string): string[] {
  return [
    veth(r.uplink, "eth0", nameOf("client")),
    up(r.uplink),
    `address add ${GATEWAY_HOP}/64 dev ${r.uplink} nodad`,
    `route add ::/0 via ${CLIENT_HOP} dev ${r.uplink}`,
    // A client inside `routed` needs a route of its own, or the blackhole takes its answers.
    ...[r.client!.address, ...r.client!.maps.map((m) => m.ipv6)]
      .map((a) => `route add ${a}/128 via ${CLIENT_HOP} dev ${r.uplink}`),
  ];
}

const clientEnd = (client: NonNullable<Rehearsal["client"]>): string[] => [
  up("eth0"),
  `address add ${CLIENT_HOP}/64 dev eth0 nodad`,
  ...[client.address, ...client.maps.map((m) => m.ipv6)].map((a) => `address add ${a}/128 dev eth0 nodad`),
  `route add ::/0 via ${GATEWAY_HOP} dev eth0 src ${client.address}`,
];

function peeringCable(r: Rehearsal, nameOf: (place: Place) => string): { gateway: string[]; node?: string[] } {
  const device = peering(r);
  return {
    gateway: [
      veth(device, device, nameOf("node")),
      up(device),
      `address add ${Peering.gateway}/64 dev ${device} nodad`,
    ],
    node: [
      up(device),
      `address add ${Peering.node}/64 dev ${device} nodad`,
      veth("host0", "eth0", nameOf("host")),
      up("host0"),
      `address add ${NODE_HOP}/32 dev host0`,
      `route add ${r.host}/32 dev host0`,
    ],
  };
}

function interfaceCable(r: Rehearsal, nameOf: (place: Place) => string): { gateway: string[]; node?: string[] } {
  const { interface: device } = r.config.overlay;
  return {
    gateway: [
      veth(device, "eth0", nameOf("host")),
      up(device, r.overlayMtu),
      // On a real link the next hop is a neighbour already.
      ...r.hops.map((hop) => `route add ${hop}/32 dev ${device}`),
    ],
  };
}
