/** Options of `crxn init` that answer its questions: named like the keys of the config. */

import { type Command, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { daemonPath, interfaceName, type Kind } from "../gateway/config/values.ts";
import { refusal } from "../gateway/config/problem.ts";
import { Program } from "../gateway/action.ts";
import { CrxnError, Exit } from "../gateway/errors.ts";
import { type Answers, viaOf } from "../gateway/init/answers.ts";
import { canonicalNetwork } from "../gateway/networks.ts";

export interface InitAnswers {
  node?: true | undefined;
  overlay?: string | undefined;
  interface?: string | undefined;
  address?: string[] | undefined;
  route?: string[] | undefined;
  peer?: string[] | undefined;
  listen?: string[] | undefined;
  local?: string[] | undefined;
  tunnel?: string | undefined;
  prefix?: string | undefined;
  routed?: string | undefined;
  uplink?: string | undefined;
  pool?: string | undefined;
  instance?: string | undefined;
  daemon?: string | undefined;
}

/** What was said of something that this config has not. */
export const noPlace = (option: string): CrxnError =>
  new CrxnError(
    Exit.usage,
    `${option} has no place in this config.`,
    REMEDIES[option] ??
      "Over an existing link there are no peers, no listeners, no local networks, no tunnel and no daemon.",
  );

const REMEDIES: Record<string, string> = {
  "--uplink":
    "A plain node is not asked for its uplink: leave it out; where it matters it is written down all the same.",
  "--route": "Say each network with a --route of its own: --route NETWORK, or --route NETWORK=VIA.",
};

const more = (text: string, before: string[] | undefined): string[] => [...before ?? [], text];

/** Checks a text by the config's own reader. */
const of = (kind: Kind) => (text: string): string => {
  try {
    return kind.read(text);
  } catch (error) {
    throw new InvalidArgumentError(refusal(error, text));
  }
};

// deno-lint-ignore no-explicit-any
export const withAnswers = <A extends any[], O extends Record<string, unknown>>(command: Command<A, O>) =>
  command
    .option("--node", "a plain overlay node: no prefix, no NAT64")
    .addOption(
      new Option("--overlay <type>", "by what the overlay is reached").choices(["interface", "yggdrasil"] as const),
    )
    .option("--interface <interface>", "the existing link, or the name of yggdrasil's device", of(interfaceName))
    .option("--address <address>", "this machine's address in the overlay, such as 10.5.0.1/32; repeatable", more)
    .option("--route <network[=via]>", "an overlay network, and the key or next hop that carries it; repeatable", more)
    .option("--peer <uri>", "a yggdrasil node to connect to; repeatable", more)
    .option("--listen <uri>", "where other yggdrasil nodes may connect; repeatable", more)
    .option("--local <network>", "a network behind this machine, over yggdrasil; repeatable", more)
    .addOption(
      new Option("--tunnel <kind>", "how IPv4 travels between yggdrasil nodes").choices(
        ["auto", "ckr", "ip6gre", "vxlan"] as const,
      ),
    )
    .option("--uplink <interface>", "the link to the IPv6 Internet")
    .option("--routed <network>", "the IPv6 network that is routed to this machine")
    .option("--prefix <prefix>", "where the overlay appears in IPv6")
    .option("--pool <network>", "a private IPv4 network for the translator's clients")
    .option("--instance <name>", "names the translator")
    .option(
      "--daemon <path>",
      `the yggdrasil daemon, also for --key (0.3 has other keys); else the present config's, or ${Program.yggdrasil}`,
      of(daemonPath),
    )
    .option("--print", "print the config instead of writing it");

/** What only yggdrasil has: whoever says one of them has said by what the overlay is reached. */
const YGGDRASIL = ["peer", "listen", "local", "tunnel", "daemon"] as const;

/** Question -> what the command line says, in the order in which they are taken. */
export function givenOf(options: InitAnswers): Map<string, string> {
  const { node, overlay, route = [] } = options;
  const yggdrasil = overlay === "yggdrasil" ||
    (overlay === undefined && YGGDRASIL.some((key) => options[key] !== undefined));
  const forGateway = options.prefix ?? options.routed ?? options.pool ?? options.instance;
  if (node && forGateway !== undefined) {
    throw new CrxnError(Exit.usage, "A plain node (--node) has no prefix and no translator.", "Leave one of them out.");
  }
  // Those that are no questions; the others are refused where they are taken.
  const stray = overlay === "interface" && (["tunnel", "daemon"] as const).find((key) => options[key] !== undefined);
  if (stray) throw noPlace(`--${stray}`);
  const [networks, vias] = [new Set<string>(), new Map<string, string>()];
  for (const text of route) {
    const at = text.indexOf("=");
    const to = canonicalNetwork(at < 0 ? text : text.slice(0, at));
    networks.add(to);
    if (at >= 0) vias.set(viaOf(to), text.slice(at + 1));
  }
  const list = (texts: string[] | undefined) => texts?.join(", ");
  const given: [string, string | undefined][] = [
    ["role", node ? "node" : forGateway === undefined ? undefined : "gateway"],
    ["overlay", yggdrasil ? "yggdrasil" : overlay ?? (options.interface ? "interface" : undefined)],
    ["interface", yggdrasil ? undefined : options.interface],
    ["address", list(options.address)],
    ["networks", networks.size > 0 ? list([...networks]) : undefined],
    ...vias,
    ["peers", list(options.peer)],
    ["listen", list(options.listen)],
    ["local", list(options.local)],
    ["uplink", options.uplink],
    ["prefix", options.prefix],
    ["routed", options.routed],
    ["pool", options.pool],
    ["instance", options.instance],
  ];
  return new Map(given.filter((pair): pair is [string, string] => pair[1] !== undefined));
}

/**
 * What is no question, over yggdrasil: by the command line or else as it is.
 * @param present of the config that is there
 */
export function settingsOf(
  options: InitAnswers,
  given: Map<string, string>,
  present: { tunnel?: string; daemon?: string } = {},
): Answers {
  const settings: [key: string, said: string | undefined, there: string | undefined, otherwise?: string][] = [
    ["interface", given.get("overlay") === "yggdrasil" ? options.interface : undefined, undefined],
    ["tunnel", options.tunnel, present.tunnel, "auto"],
    ["daemon", options.daemon, present.daemon, Program.yggdrasil],
  ];
  return new Map(settings.flatMap(([key, said, there, otherwise]) => {
    const value = said ?? there;
    if (value === undefined || value === otherwise) return [];
    return [[key, { values: [value], from: said === undefined ? "found" as const : "given" as const }]];
  }));
}
