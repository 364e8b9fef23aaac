/** The packets that a gateway or a node has to bring on their way, as flows: what the kernel must answer for each. Pure. */

import { embed, slice } from "../gateway/address.ts";
import { type Borders, bordersIn, distinct } from "../gateway/alike.ts";
import { type Address, contains, formatAddress, host, lastAddress, network, parseAddress } from "../gateway/cidr.ts";
import type { Config } from "../gateway/config/types.ts";
import { OWN_PROTOCOL } from "../gateway/names.ts";
import { Prefixes } from "../gateway/prefixes.ts";
import type { Flow } from "./flow.ts";
import { flows, type Input, sample } from "./leg_flows.ts";

/** By which device, or by which devices. */
export interface Out {
  device: string;
  /** All of several next hops. */
  besides?: string[];
}

export interface Leg {
  /** The check that speaks for it. */
  check: string;
  /** For a sentence: "packets of clients to ...". */
  name: string;
  flow: Flow;
  /** A device by which it has to leave; `local`: it is for this machine; `nowhere`: it ends here. */
  want: Out | "local" | "nowhere";
}

/** Stands for a client somewhere: a global address that is assigned to nobody. */
const CLIENT = "2000::1";
/** @returns none where the devices are not known: no leg is judged by a guess */
export function legsOf(input: Input): Leg[] {
  const { blueprint } = input;
  const { config, ways, workers } = blueprint;
  const uplink = blueprint.facts.uplink.name;
  const all = ways.flatMap((w) => w.networks.map((to) => ({ to, device: w.device })));
  const networks = distinct(all, endsOf, ({ device }) => device, () => bordersOf(input));
  const byNetwork = new Prefixes<string>();
  for (const { to, device } of all) byNetwork.add(network(to), device);
  // The longest prefix decides, as it does for routes.
  const deviceTo = (address: string) => byNetwork.holding(network(`${address}/32`))[0];
  // A node speaks for its own networks: of one that holds another's, a part that is its own stands for it.
  const sourceIn = ({ to, device }: { to: string; device: string }): string => {
    if (deviceTo(sample(input, to)) === device) return to;
    const last = formatAddress({ family: 4, value: lastAddress(network(to)).value - 1n });
    return deviceTo(last) === device ? last : to;
  };
  const isOwn = (device: string) => ({ from }: Flow) => from !== undefined && deviceTo(from) === device;
  const own = config.address.split("/")[0]!;
  const atHome: Leg[] = [
    ...tunnels(input),
    ...networks.flatMap(({ to, device }) => [
      ...flows(input, { to, from: own }).map((flow) =>
        leg("overlay-route", `this machine's own packets to ${flow.to}`, flow, deviceTo(flow.to))
      ),
      ...flows(input, { to: `${own}/32`, from: sourceIn({ to, device }), iif: device }).filter(isOwn(device)).map((
        flow,
      ) => leg("overlay-address", `packets from ${flow.from} to this machine's ${own}`, flow, "local")),
    ]),
  ].filter((l): l is Leg => l !== undefined);
  if (!config.nat64 || workers.length === 0) return atHome;
  const [translator, ...besides] = workers.map((w) => w.device) as [string, ...string[]];
  const { maps, clients } = config.nat64;
  const client = clients.includes("::/0") ? CLIENT : sample(input, clients[0]!);
  const through = networks.flatMap(({ to, device }) => {
    const inside = slice(config.prefix!, to);
    return [
      ...flows(input, { to: inside, from: client, iif: uplink }).map((flow) =>
        leg("prefix-route", `packets of clients to ${flow.to}`, flow, translator, besides)
      ),
      ...workers.flatMap((w) =>
        flows(input, { to, from: w.pool, iif: w.device }).map((flow) =>
          leg("overlay-route", `packets from the translator to ${flow.to}`, flow, deviceTo(flow.to))
        )
      ),
      // Answers come to this machine's address, and have the pool's when their route is looked up.
      ...workers.flatMap((w) =>
        flows(input, { to: w.pool, from: sourceIn({ to, device }), iif: device }, {
          destination: own,
          state: "ESTABLISHED",
        }).filter(isOwn(device)).map((flow) =>
          leg("pool-route", `answers from ${flow.from} to the pool`, flow, w.device)
        )
      ),
      ...workers.flatMap((w) =>
        flows(input, { to: client, from: inside, iif: w.device }).map((flow) =>
          leg("uplink", `answers from ${flow.from} to clients`, flow, uplink)
        )
      ),
    ];
  });
  // From one network of each device: it is the way to them that counts.
  const sources = networks.filter(({ device }, i) => networks.findIndex((n) => n.device === device) === i);
  const mapped = distinct(maps, ({ ipv4 }) => [parseAddress(ipv4)!], () => "", () => bordersOf(input)).flatMap((
    { ipv4 },
  ) =>
    sources.map((source) =>
      leg(
        "pool-route",
        `packets to ${ipv4} of nat64.maps`,
        {
          family: "inet" as const,
          to: ipv4,
          from: sample(input, sourceIn(source)),
          iif: source.device,
        },
        translator,
        besides,
      )
    )
  );
  const rest = unused(config).map((to) =>
    leg("blackhole-route", `packets to the unused ${to}`, {
      family: "inet6" as const,
      to,
      from: client,
      iif: uplink,
    }, "nowhere")
  );
  // What a client's packets meet comes first: what they and the machine's own have in common is told of them.
  return [...through, ...mapped, ...atHome, ...rest].filter((l): l is Leg => l !== undefined)
    .filter((l) => uplink !== "lo" || (l.flow.iif !== uplink && l.check !== "uplink"));
}

/** A network with something foreign inside, or around it, has an end where the others have none. */
const endsOf = ({ to }: { to: string }): Address[] => [network(to), lastAddress(network(to))];

/** Of routes and rules that are not crxn's own, which lead to one network each. */
const bordersOf = ({ survey: { routes, policies } }: Input): Borders =>
  bordersIn([
    ...routes.filter((r) => r.protocol !== OWN_PROTOCOL).flatMap((r) => [r.to, r.from ?? ""]),
    ...(policies ?? []).flatMap((p) => [p.from ?? "", p.to ?? ""]),
  ]);

/** The tunnels' own packets, between two addresses of yggdrasil. */
function tunnels({ blueprint, survey }: Input): Leg[] {
  const { facts, nodes, config } = blueprint;
  const { identity, tunnel } = facts;
  const device = config.overlay.interface;
  const here = survey.links.find((l) => l.name === device)?.addresses.some((a) =>
    a.address.split("/")[0] === identity?.address
  );
  if (!identity || tunnel?.kind === "ckr" || !here) return [];
  return nodes.map(({ address }) => ({
    check: "tunnel-routing",
    name: `packets of the tunnel to ${address}`,
    flow: { family: "inet6", to: address, from: identity.address },
    want: { device },
  }));
}

const leg = (
  check: string,
  name: string,
  flow: Flow,
  to: string | undefined,
  besides: string[] = [],
): Leg | undefined => {
  if (to === undefined) return undefined;
  const out = { device: to, ...(besides.length > 0 ? { besides } : {}) };
  return { check, name, flow, want: to === "local" || to === "nowhere" ? to : out };
};

/** Addresses of the routed network that nothing of the overlay is behind. */
function unused({ prefix, routed, overlay, nat64 }: Config): string[] {
  const taken = [...overlay.routes.map((r) => r.to), nat64!.pool].map(network);
  const free = ["192.0.2.1", "198.18.0.1", "9.9.9.9"].find((a) =>
    !taken.some((t) => contains(t, host(parseAddress(a)!)))
  );
  const last = lastAddress(network(routed!));
  return [
    ...(free ? [embed(prefix!, free)] : []),
    ...(contains(network(prefix!), host(last)) ? [] : [formatAddress(last)]),
  ];
}
