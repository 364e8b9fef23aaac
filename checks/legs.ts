/** The packets that a gateway or a node has to bring on their way, as flows: what the kernel must answer for each. Pure. */

import { embed, slice } from "../gateway/address.ts";
import {
  clearHostBits,
  contains,
  formatAddress,
  formatNetwork,
  host,
  lastAddress,
  network,
  overlaps,
  parseAddress,
  width,
} from "../gateway/cidr.ts";
import type { Config } from "../gateway/config/types.ts";
import { localNetworks, networkOf as longestOf, ownAddresses } from "../gateway/overlay_nodes.ts";
import type { CheckInput } from "./check.ts";
import { isStandard, networkOf } from "./fib.ts";
import { type Flow, sameFlow } from "./flow.ts";
import { marksOf } from "./marks.ts";

export interface Leg {
  /** The check that speaks for it. */
  check: string;
  /** For a sentence: "packets of clients to ...". */
  name: string;
  flow: Flow;
  /** A device by which it has to leave; `local`: it is for this machine; `nowhere`: it ends here. */
  want: { device: string } | "local" | "nowhere";
}

type Input = Pick<CheckInput, "blueprint" | "survey">;

/** Stands for a client somewhere: a global address that is assigned to nobody. */
const CLIENT = "2000::1";
/** More than this many flows of a kind say nothing new. */
const MANY = 30;

/** @returns none where the devices are not known: no leg is judged by a guess */
export function legsOf(input: Input): Leg[] {
  const { blueprint } = input;
  const { config, ways, translatorDevice: translator } = blueprint;
  const uplink = blueprint.facts.uplink.name;
  const networks = ways.flatMap((w) => w.networks.map((to) => ({ to, device: w.device })));
  const deviceTo = (address: string) => {
    const to = longestOf(networks.map((n) => n.to), address);
    return networks.find((n) => n.to === to)?.device;
  };
  const own = config.address.split("/")[0]!;
  const atHome: Leg[] = [
    ...tunnels(input),
    ...networks.flatMap(({ to, device }) => [
      ...flows(input, { to, from: own }).map((flow) =>
        leg("overlay-route", `this machine's own packets to ${flow.to}`, flow, deviceTo(flow.to))
      ),
      ...flows(input, { to: `${own}/32`, from: to, iif: device }).map((flow) =>
        leg("overlay-address", `packets from ${flow.from} to this machine's ${own}`, flow, "local")
      ),
    ]),
  ].filter((l): l is Leg => l !== undefined);
  if (!config.nat64 || !translator) return atHome;
  const { pool, maps, clients } = config.nat64;
  const client = clients.includes("::/0") ? CLIENT : sample(input, clients[0]!);
  const through = networks.flatMap(({ to, device }) => {
    const inside = slice(config.prefix!, to);
    return [
      ...flows(input, { to: inside, from: client, iif: uplink }).map((flow) =>
        leg("prefix-route", `packets of clients to ${flow.to}`, flow, translator)
      ),
      ...flows(input, { to, from: pool, iif: translator }).map((flow) =>
        leg("overlay-route", `packets from the translator to ${flow.to}`, flow, deviceTo(flow.to))
      ),
      // A node speaks for its own networks: of overlapping ones the longest decides.
      ...flows(input, { to: pool, from: to, iif: device }).filter((f) => deviceTo(f.from!) === device).map((flow) =>
        leg("pool-route", `answers from ${flow.from} to the pool`, flow, translator)
      ),
      ...maps.map(({ ipv4 }) =>
        leg("pool-route", `packets to ${ipv4} of nat64.maps`, {
          family: "inet" as const,
          to: ipv4,
          from: sample(input, to),
          iif: device,
        }, translator)
      ),
      ...flows(input, { to: client, from: inside, iif: translator }).map((flow) =>
        leg("uplink", `answers from ${flow.from} to clients`, flow, uplink)
      ),
    ];
  });
  const rest = unused(config).map((to) =>
    leg("blackhole-route", `packets to the unused ${to}`, {
      family: "inet6" as const,
      to,
      from: client,
      iif: uplink,
    }, "nowhere")
  );
  // What a client's packets meet comes first: what they and the machine's own have in common is told of them.
  return [...through, ...atHome, ...rest].filter((l): l is Leg => l !== undefined)
    .filter((l) => uplink !== "lo" || (l.flow.iif !== uplink && l.check !== "uplink"));
}

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

const leg = (check: string, name: string, flow: Flow, to: string | undefined): Leg | undefined => {
  if (to === undefined) return undefined;
  return { check, name, flow, want: to === "local" || to === "nowhere" ? to : { device: to } };
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

interface Ends {
  /** A network or an address. */
  to: string;
  from?: string;
  iif?: string;
}

/** One flow for the whole, and one for each route and rule that takes a part of it: at these the answers may differ. */
function flows(input: Input, { to, from, iif }: Ends): Flow[] {
  const { survey } = input;
  const family = to.includes(":") ? "inet6" as const : "inet" as const;
  const parse = (text: string) => networkOf(text, family)!;
  const target = parse(to);
  const source = from === undefined ? undefined : parse(from);
  const plain: Flow = {
    family,
    to: sample(input, to),
    ...(from ? { from: sample(input, from) } : {}),
    ...(iif ? { iif } : {}),
  };
  const home = ours(input.blueprint.config);
  const foreign = (text: string) => !home.some((n) => contains(n, parse(text)));
  const found: Flow[] = [plain];
  for (const r of survey.routes) {
    if (r.family !== family || r.table === "local" || r.to === "default") continue;
    const part = parse(r.to);
    if (part.length > target.length && contains(target, part) && foreign(r.to)) {
      found.push({ ...plain, to: sample(input, r.to) });
    }
  }
  for (const rule of survey.policies ?? []) {
    if (rule.family !== family || isStandard(rule) || rule.not || rule.odd) continue;
    const narrowed = (selector: string | undefined, whole: typeof source, otherwise: string | undefined) => {
      if (selector === undefined || !whole) return otherwise;
      const part = parse(selector);
      if (!overlaps(part, whole)) return undefined;
      return part.length > whole.length && foreign(selector) ? sample(input, selector) : otherwise;
    };
    const [dst, src] = [narrowed(rule.to, target, plain.to), narrowed(rule.from, source, plain.from)];
    if (dst === undefined || (from !== undefined && src === undefined)) continue;
    found.push({ ...plain, to: dst, ...(src ? { from: src } : {}), ...(rule.also ? { also: rule.also } : {}) });
  }
  const marked = found.flatMap((flow) => withMarks(flow, input));
  return marked.filter((flow, i) => marked.findIndex((other) => sameFlow(other, flow)) === i).slice(0, MANY);
}

/** Rules of the firewall may mark a packet before its route is looked up. */
function withMarks(flow: Flow, { survey }: Input): Flow[] {
  const { family, iif, from, to } = flow;
  if (iif === undefined) return [flow];
  const packet = { in: iif, ...(from ? { source: from } : {}), destination: to, state: "NEW" as const };
  return marksOf(survey.rules[family], packet).map((mark) => mark === 0 ? flow : { ...flow, mark });
}

/** What of the overlay's networks is this machine's own, or behind it. */
const ours = (config: Config) =>
  [
    ...(config.overlay.type === "yggdrasil" ? localNetworks(config) ?? ownAddresses(config) : []),
    ...ownAddresses(config).map((a) => `${a.split("/")[0]}/32`),
    ...(config.nat64?.maps ?? []).map((m) => `${m.ipv4}/32`),
  ].map((n) => clearHostBits(network(n)));

/** An address of the network that is not this machine's, if there is one. */
function sample({ survey, blueprint }: Input, text: string): string {
  const net = networkOf(text, text.includes(":") ? "inet6" : "inet")!;
  const mine = new Set([
    ...survey.links.flatMap((l) => l.addresses.map((a) => a.address.split("/")[0])),
    ...ours(blueprint.config).filter((n) => n.length === 32).map((n) => formatNetwork(n).split("/")[0]),
  ]);
  const bits = BigInt(width(net.family) - net.length);
  const base = clearHostBits(net).value;
  for (let n = 1n; n < 1n << bits && n < 16n; n++) {
    const address = formatAddress({ family: net.family, value: base + n });
    if (!mine.has(address)) return address;
  }
  return formatAddress({ family: net.family, value: bits === 0n ? net.value : base + 1n });
}
