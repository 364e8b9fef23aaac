/** Which packets stand for all between two networks: one for each part that a route or a rule may treat otherwise. Pure. */

import { clearHostBits, formatAddress, lastAddress, type Network, network, overlaps, width } from "../gateway/cidr.ts";
import type { Config } from "../gateway/config/types.ts";
import { localNetworks, ownAddresses } from "../gateway/overlay_nodes.ts";
import { Prefixes } from "../gateway/prefixes.ts";
import type { RouteSeen } from "../gateway/survey.ts";
import type { CheckInput } from "./check.ts";
import { isStandard, networkOf } from "./fib.ts";
import type { Packet } from "../gateway/netfilter/packet.ts";
import { type Flow, sameFlow } from "./flow.ts";
import { marksOf } from "./marks.ts";

export type Input = Pick<CheckInput, "blueprint" | "survey">;

/** More than this many flows of a kind say nothing new. */
const MANY = 30;

interface Ends {
  /** A network or an address. */
  to: string;
  from?: string;
  iif?: string;
}

/** One flow for the whole, and one for each route and rule that takes a part of it: at these the answers may differ. */
export function flows(input: Input, { to, from, iif }: Ends, arriving: Partial<Packet> = {}): Flow[] {
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
  const foreign = (text: string) => home.holding(parse(text)).length === 0;
  const found: Flow[] = [plain];
  for (const to of partsOf(target, survey.routes)) {
    if (foreign(to)) found.push({ ...plain, to: sample(input, to) });
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
  const marked = found.flatMap((flow) => withMarks(flow, arriving, input));
  return marked.filter((flow, i) => marked.findIndex((other) => sameFlow(other, flow)) === i).slice(0, MANY);
}

/** Destinations of routes inside a network, in the order of the routes. Of a thousand routes few are inside one. */
function partsOf(target: Network, routes: RouteSeen[]): string[] {
  const { length } = target;
  const last = lastAddress(target).value;
  const sorted = byAddress(routes)[target.family];
  const found: Part[] = [];
  for (let i = firstFrom(sorted, clearHostBits(target).value); i < sorted.length && sorted[i]!.value <= last; i++) {
    if (sorted[i]!.length > length) found.push(sorted[i]!);
  }
  return found.sort((a, b) => a.at - b.at).map((part) => part.to);
}

interface Part extends Network {
  to: string;
  /** Among the routes. */
  at: number;
}

const sortedParts = new WeakMap<RouteSeen[], { count: number } & Record<4 | 6, Part[]>>();

/** But for the machine's own addresses, which the table local has, and default routes. */
function byAddress(routes: RouteSeen[]): Record<4 | 6, Part[]> {
  const before = sortedParts.get(routes);
  if (before?.count === routes.length) return before;
  const sorted = { count: routes.length, 4: [] as Part[], 6: [] as Part[] };
  for (const [at, { to, family, table }] of routes.entries()) {
    if (table === "local" || to === "default") continue;
    const network = clearHostBits(networkOf(to, family)!);
    sorted[network.family].push({ ...network, to, at });
  }
  for (const family of [4, 6] as const) {
    sorted[family].sort((a, b) => a.value < b.value ? -1 : a.value > b.value ? 1 : 0);
  }
  sortedParts.set(routes, sorted);
  return sorted;
}

/** The first whose address is no smaller. */
function firstFrom(parts: Part[], value: bigint): number {
  let [low, high] = [0, parts.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (parts[middle]!.value < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Rules of the firewall may mark a packet before its route is looked up. `arriving`: what it has before that it has not then. */
function withMarks(flow: Flow, arriving: Partial<Packet>, { survey }: Input): Flow[] {
  const { family, iif, from, to } = flow;
  if (iif === undefined) return [flow];
  const packet: Packet = { in: iif, ...(from ? { source: from } : {}), destination: to, state: "NEW", ...arriving };
  return marksOf(survey.rules[family], packet).map((mark) => mark === 0 ? flow : { ...flow, mark });
}

/** What of the overlay's networks is this machine's own, or behind it. Asked for each leg, and the same for all. */
function ours(config: Config): Prefixes<Network> {
  const before = home.get(config);
  if (before) return before;
  const found = new Prefixes<Network>();
  const all = [
    ...(config.overlay.type === "yggdrasil" ? localNetworks(config) ?? ownAddresses(config) : []),
    ...ownAddresses(config).map((a) => `${a.split("/")[0]}/32`),
    ...(config.nat64?.maps ?? []).map((m) => `${m.ipv4}/32`),
  ].map((n) => clearHostBits(network(n)));
  for (const one of all) found.add(one, one);
  home.set(config, found);
  return found;
}

const home = new WeakMap<Config, Prefixes<Network>>();

/** An address of the network that is not this machine's, if there is one. */
export function sample({ survey, blueprint }: Input, text: string): string {
  const net = networkOf(text, text.includes(":") ? "inet6" : "inet")!;
  const mine = ours(blueprint.config);
  const isOwn = (value: bigint, address: string) =>
    (net.family === 4 && mine.holding({ family: 4, value, length: 32 })[0]?.length === 32) ||
    survey.links.some((l) => l.addresses.some((a) => a.address.startsWith(`${address}/`)));
  const bits = BigInt(width(net.family) - net.length);
  const base = clearHostBits(net).value;
  for (let n = 1n; n < 1n << bits && n < 16n; n++) {
    const address = formatAddress({ family: net.family, value: base + n });
    if (!isOwn(base + n, address)) return address;
  }
  return formatAddress({ family: net.family, value: bits === 0n ? net.value : base + 1n });
}
