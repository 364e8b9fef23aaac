/** The packets that a gateway's firewall has to let through, one of each kind. Pure. */

import type { Blueprint } from "../gateway/blueprint.ts";
import { translatorAddress } from "../gateway/translator.ts";
import { embed } from "../gateway/address.ts";
import type { Family } from "../gateway/item.ts";
import { hostAt } from "../gateway/networks.ts";
import type { Packet } from "./firewall_walk.ts";

export interface Forwarded {
  family: Family;
  /** Whence and where to, for a sentence. */
  name: string;
  packet: Packet;
}

export function forwardedPackets(blueprint: Blueprint): Forwarded[] {
  const { config, ways, translatorDevice } = blueprint;
  const hosts = ways.flatMap(({ device, networks }) => networks.map((to) => ({ device, host: hostAt(to, 1) })));
  if (!config.nat64 || !translatorDevice) {
    // The device of the networks behind a node is not known; rules that ask for it cannot be judged.
    return hosts.map(({ device, host }) => ({
      family: "inet",
      name: `from the overlay's ${device}`,
      packet: { in: device, source: host, state: "NEW" },
    }));
  }
  const pool = hostAt(config.nat64.pool, 2);
  const { name: uplink } = blueprint.facts.uplink;
  const inside = embed(config.prefix!, hosts[0]?.host ?? translatorAddress(config.nat64.pool));
  const outside = config.nat64.clients.includes("::/0") ? {} : { client: config.nat64.clients[0]!.split("/")[0]! };
  return [
    ...hosts.flatMap(({ device, host }): Forwarded[] => [
      {
        family: "inet",
        name: `from ${translatorDevice} to ${device}`,
        packet: { in: translatorDevice, out: device, source: pool, destination: host, state: "NEW" },
      },
      {
        family: "inet",
        name: `from ${device} to ${translatorDevice}`,
        packet: { in: device, out: translatorDevice, source: host, destination: pool, state: "ESTABLISHED" },
      },
    ]),
    {
      family: "inet6",
      name: `from ${uplink} to ${translatorDevice}`,
      packet: {
        in: uplink,
        out: translatorDevice,
        destination: inside,
        ...(outside.client ? { source: outside.client } : {}),
        state: "NEW",
      },
    },
    {
      family: "inet6",
      name: `from ${translatorDevice} to ${uplink}`,
      packet: { in: translatorDevice, out: uplink, source: inside, state: "ESTABLISHED" },
    },
  ];
}
