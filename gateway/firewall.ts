/** The rules: what passes between uplink, translator and overlay, in chains of our own. Pure. */

import type { Config } from "./config/types.ts";
import type { Facts } from "./facts.ts";
import { type ChainItem, chainItem } from "./item.ts";
import { aggregated } from "./networks.ts";
import type { FarNode, Way } from "./overlay_nodes.ts";
import { forged4, forged6, overlayForward, overlayInput4, overlayInput6 } from "./reach.ts";
import { ESTABLISHED, jump, pass, RELATED, tag } from "./rule.ts";
import { clampTag, mssOf } from "./segments.ts";
import { mappedNetworks } from "./translator.ts";
import { type Translator, workersOf } from "./workers.ts";
import { sourceRules, tunnelChains, tunnelInput } from "./tunnel_rules.ts";

/** @returns the chains in the order in which they are made: nothing is let in before it is guarded. */
export function firewallItems(
  config: Config,
  facts: Facts,
  { ways: each, nodes }: { ways: Way[]; nodes: FarNode[] },
): ChainItem[] {
  const ways = each.map(({ device, networks }) => ({ device, networks: aggregated(networks) }));
  const chains = [
    // Before connection tracking: a forged source leaves no trace. Of overlapping networks each node has its own.
    chainItem("inet", "raw", "PREROUTING", forged4(config, facts, ways, sourceRules(config, each))),
    chainItem("inet6", "raw", "PREROUTING", forged6(config)),
    ...tunnelChains(config, facts, each, nodes),
    chainItem("inet", "filter", "FORWARD", [...forward4(config, facts, ways), ...overlayForward(config, ways)]),
    chainItem("inet6", "filter", "INPUT", [
      ...tunnelInput(config, facts, nodes),
      ...prefixInput(config),
      ...overlayInput6(config),
    ]),
    chainItem("inet", "filter", "INPUT", [...prefixInput(config), ...overlayInput4(config, ways)]),
  ];
  if (config.nat64) {
    chains.push(
      chainItem("inet6", "filter", "FORWARD", forward6(config, facts)),
      chainItem("inet", "nat", "POSTROUTING", sourceNat(config, ways)),
    );
    const mss = mssOf(config, facts);
    if (mss !== undefined) {
      chains.push(
        chainItem("inet", "mangle", "FORWARD", clamp(config, mss, facts)),
        chainItem("inet6", "mangle", "FORWARD", clamp(config, mss, facts)),
      );
    }
  }
  return chains.filter((c) => c.rules.length > 0);
}

/** IPv4: translated clients reach the overlay's networks and nothing else; the overlay answers, and reaches `maps`. */
function forward4(config: Config, facts: Facts, ways: Way[]): string[][] {
  const ok = pass(facts, "FORWARD", "inet");
  if (!config.nat64) {
    // A node carries the overlay's packets for the networks behind it. Where nothing drops them, nothing is needed.
    return facts.drops.FORWARD.inet ? carried(ways, ok) : [];
  }
  const workers = workersOf(config);
  const known = (from: string, to: string, name: string) => ["-i", from, "-o", to, ...ESTABLISHED, ...tag(name), ...ok];
  return [
    // Before the networks, of which there may be a thousand: what belongs to a flow need not pass them.
    ...workers.flatMap(({ device: translator }) =>
      ways.flatMap(({ device }) => [
        known(translator, device, "to-overlay"),
        known(device, translator, "answers"),
      ])
    ),
    ...(config.overlay.type === "interface" ? ways.flatMap(({ device }) => others(device, workers)) : []),
    ...workers.flatMap(({ device: translator }) => [
      ...ways.flatMap(({ device, networks }) =>
        networks.map((to) => ["-d", to, "-i", translator, "-o", device, ...tag("to-overlay"), ...ok])
      ),
      ["-i", translator, ...tag("only-overlay"), ...jump("DROP")],
    ]),
    ...workers.flatMap(({ device: translator }) => [
      ...mappedNetworks(config).flatMap((to) =>
        ways.map(({ device }) => ["-d", to, "-i", device, "-o", translator, ...tag("map"), ...ok])
      ),
      ["-o", translator, ...tag("only-answers"), ...jump("DROP")],
    ]),
    // Networks behind a gateway reach the overlay without it, as they do on a node; others were dropped before.
    ...(config.overlay.type === "yggdrasil" && config.overlay.local && facts.drops.FORWARD.inet
      ? carried(ways, ok)
      : []),
  ];
}

/** Of what neither comes from an existing link nor goes there nothing need pass the networks. */
const others = (link: string, workers: Translator[]): string[][] => [
  ...workers.map((w) => ["-i", w.device, "!", "-o", link, ...tag("only-overlay"), ...jump("DROP")]),
  ...workers.map((w) => ["!", "-i", link, "-o", w.device, ...tag("only-answers"), ...jump("DROP")]),
  ["!", "-i", link, "!", "-o", link, ...tag("not-the-overlay"), ...jump("RETURN")],
];

const carried = (ways: Way[], ok: string[]): string[][] =>
  ways.flatMap(({ device, networks }) =>
    networks.flatMap((to) => [
      ["-d", to, "-o", device, ...tag("to-overlay"), ...ok],
      ["-s", to, "-i", device, ...tag("from-overlay"), ...ok],
    ])
  );

/** IPv6: the clients that may come in, and answers to them; new flows only to `maps`. */
function forward6(config: Config, facts: Facts): string[][] {
  const ok = pass(facts, "FORWARD", "inet6");
  const { clients, maps } = config.nat64!;
  const workers = workersOf(config);
  const mapped = aggregated(maps.map((m) => `${m.ipv6}/128`));
  const through = (translator: string) => [
    ...workers.map((w) => ["-i", w.device, "-o", translator, ...tag("no-hairpin"), ...jump("DROP")]),
    ...clients.map((from) => [
      ...(from === "::/0" ? [] : ["-s", from]),
      "-o",
      translator,
      ...tag("clients"),
      ...ok,
    ]),
    // A host of `maps` answers the overlay whether or not it may start something itself.
    ...(maps.length > 0 ? [["-o", translator, ...ESTABLISHED, ...tag("map"), ...ok]] : []),
    // Errors about what the overlay answers come from routers anywhere: without "packet too big" transfers hang (RFC 4890, 4.3.1).
    ...(maps.length > 0 || clients.includes("::/0")
      ? []
      : [["-o", translator, "-p", "ipv6-icmp", ...RELATED, ...tag("errors"), ...ok]]),
    ["-o", translator, ...tag("only-clients"), ...jump("DROP")],
    ...mapped.map((to) => ["-d", to, "-i", translator, ...tag("map"), ...ok]),
    ["-i", translator, ...tag("only-answers"), ...jump("DROP")],
  ];
  return [
    // In front, as most packets are of flows. Between translators there are none: what one writes is for a client or a host of
    // `maps`, none of which is in the prefix.
    ...workers.map((w) => ["-i", w.device, ...ESTABLISHED, ...tag("answers"), ...ok]),
    ...workers.flatMap((w) => through(w.device)),
  ];
}

/** The machine itself is not reachable through its prefix: RFC 6052 section 5.2 leaves filtering to the translator. */
const prefixInput = (config: Config): string[][] =>
  workersOf(config).flatMap(({ device }) => [
    ["-i", device, ...ESTABLISHED, ...tag("answers"), ...jump("RETURN")],
    ["-i", device, ...tag("not-the-machine"), ...jump("DROP")],
  ]);

const sourceNat = (config: Config, ways: Way[]): string[][] =>
  ways.map(({ device }) => [
    ...["-s", config.nat64!.pool, "-o", device],
    ...tag("snat"),
    ...["-j", "SNAT", "--to-source", config.address.split("/")[0]!],
  ]);

const clamp = (config: Config, mss: number, facts: Facts): string[][] =>
  workersOf(config).flatMap(({ device }) =>
    ["-i", "-o"].map((direction) => [
      direction,
      device,
      ...["-p", "tcp", "-m", "tcp", "--tcp-flags", "SYN,RST", "SYN"],
      ...clampTag(facts),
      ...["-j", "TCPMSS", "--set-mss", String(mss)],
    ])
  );
