/** Which packets stand for all between two networks: one for each part that a route or a rule may treat otherwise. Pure. */

import { clearHostBits, contains, formatAddress, type Network, network, overlaps, width } from "../gateway/cidr.ts";
import type { Config } from "../gateway/config/types.ts";
import { localNetworks, ownAddresses } from "../gateway/overlay_nodes.ts";
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
  const marked = found.flatMap((flow) => withMarks(flow, arriving, input));
  return marked.filter((flow, i) => marked.findIndex((other) => sameFlow(other, flow)) === i).slice(0, MANY);
}

/** Rules of the firewall may mark a packet before its route is looked up. `arriving`: what it has before that it has not then. */
function withMarks(flow: Flow, arriving: Partial<Packet>, { survey }: Input): Flow[] {
  const { family, iif, from, to } = flow;
  if (iif === undefined) return [flow];
  const packet: Packet = { in: iif, ...(from ? { source: from } : {}), destination: to, state: "NEW", ...arriving };
  return marksOf(survey.rules[family], packet).map((mark) => mark === 0 ? flow : { ...flow, mark });
}

/** What of the overlay's networks is this machine's own, or behind it. Asked for each leg, and the same for all. */
function ours(config: Config): readonly Network[] {
  const before = home.get(config);
  if (before) return before;
  const found = [
    ...(config.overlay.type === "yggdrasil" ? localNetworks(config) ?? ownAddresses(config) : []),
    ...ownAddresses(config).map((a) => `${a.split("/")[0]}/32`),
    ...(config.nat64?.maps ?? []).map((m) => `${m.ipv4}/32`),
  ].map((n) => clearHostBits(network(n)));
  home.set(config, found);
  return found;
}

const home = new WeakMap<Config, readonly Network[]>();

/** An address of the network that is not this machine's, if there is one. */
export function sample({ survey, blueprint }: Input, text: string): string {
  const net = networkOf(text, text.includes(":") ? "inet6" : "inet")!;
  const mine = ours(blueprint.config);
  const isOwn = (value: bigint, address: string) =>
    mine.some((n) => n.family === net.family && n.length === 32 && n.value === value) ||
    survey.links.some((l) => l.addresses.some((a) => a.address.startsWith(`${address}/`)));
  const bits = BigInt(width(net.family) - net.length);
  const base = clearHostBits(net).value;
  for (let n = 1n; n < 1n << bits && n < 16n; n++) {
    const address = formatAddress({ family: net.family, value: base + n });
    if (!isOwn(base + n, address)) return address;
  }
  return formatAddress({ family: net.family, value: bits === 0n ? net.value : base + 1n });
}
