/** All that `crxn init` asks, in order: first the overlay, then what a gateway needs besides. Pure. */

import type { Generation } from "../capability.ts";
import { wrongGeneration } from "../config/key_warnings.ts";
import * as networks from "../config/networks.ts";
import { Fault } from "../config/problem.ts";
import { listenUri, peerUri } from "../config/uri.ts";
import { interfaceName, type Kind, publicKey } from "../config/values.ts";
import { type Answers, carrierOf, isGateway, isYggdrasil, linkName, valuesOf } from "./answers.ts";
import { addressesOn, hasNeighbours, networksBehind, networksBeside, overlayLinks } from "./overlay_links.ts";
import type { Asking, Question } from "./question.ts";
import { gatewayQuestions } from "./questions_gateway.ts";
import { routedNetworks } from "./routed.ts";
import { formatNetwork, parseEither } from "../cidr.ts";
import type { Terrain } from "./terrain.ts";

/** Whether a key can be one of a generation; it takes some milliseconds to load, so the caller brings it. */
export type KeyJudge = (generation: Generation, key: string) => boolean;

/** All questions that have a place after those answers, in order; of several networks without a carrier the first one's. */
export function questionsAfter(answers: Answers, terrain: Terrain, judge: KeyJudge): Question[] {
  const all = [
    role,
    overlay,
    link,
    address,
    overlayNetworks,
    carrier(judge),
    peers,
    listen,
    local,
    ...gatewayQuestions,
  ];
  return all.flatMap((asking) => asking(answers, terrain) ?? []);
}

/** One value of a kind. */
const one = (kind: Kind) => (text: string): string[] => [kind.read(text)];

/** Values of a kind, with commas or spaces between them. */
const several = (kind: Kind) => (text: string): string[] => {
  const words = text.split(/[\s,]+/).filter((word) => word !== "");
  return words.map((word) => {
    try {
      return kind.read(word);
    } catch (fault) {
      // Of several the one that is meant.
      if (fault instanceof Fault && words.length > 1) throw new Fault(`${fault.message} (${word})`, fault.remedy);
      throw fault;
    }
  });
};

/** One of some words, or the beginning of one. */
const choice = (words: string[]) => (text: string): string[] => {
  const found = words.filter((w) => w === text.toLowerCase() || w.startsWith(text.toLowerCase()));
  if (text === "" || found.length !== 1) throw new Fault("is none of the choices", `write ${words.join(" or ")}`);
  return found;
};

const role: Asking = (_, terrain) => {
  const routed = routedNetworks(terrain, undefined)[0];
  return {
    key: "role",
    option: "--prefix PREFIX, or --node",
    text: "Is this machine to be a gateway (NAT64), or a plain node of the overlay?",
    help: "A gateway leads IPv6 clients of the Internet into the overlay, and needs an IPv6 network that is\n" +
      "routed to it. A node translates nothing: it is the far end of a gateway, with hosts behind it.",
    // Without an IPv6 network in sight it is not for a program to say.
    proposals: routed
      ? [{ value: "gateway", why: `there is IPv6: ${routed.value}` }, { value: "node", why: "nothing is translated" }]
      : [],
    read: choice(["gateway", "node"]),
  };
};

const overlay: Asking = (_, terrain) => {
  const links = overlayLinks(terrain);
  const best = links[0];
  const found = { value: "interface", why: best ? `${best.value}, ${best.why}` : "a link that is there already" };
  const made = { value: "yggdrasil", why: "crxn makes the link to another node" };
  return {
    key: "overlay",
    option: "--overlay interface|yggdrasil",
    text: "By what does this machine reach the overlay: an existing link, or yggdrasil?",
    help: "interface: a link that is there already, as of WireGuard, OpenVPN or a company VPN; crxn leaves it\n" +
      "as it is. yggdrasil: crxn installs and runs yggdrasil, and tunnels IPv4 to the node at the far end.",
    proposals: best ? [found, made] : [made, found],
    read: choice(["interface", "yggdrasil"]),
  };
};

const link: Asking = (answers, terrain) =>
  isYggdrasil(answers) ? undefined : {
    key: "interface",
    option: "--interface NAME",
    text: "Which link leads to the overlay?",
    help: "The name of the device, as `ip link` shows it. It may go down and come back later; crxn follows it.\n" +
      "Bridges of containers and the uplink are not offered.",
    proposals: overlayLinks(terrain),
    read: (text) => {
      const name = interfaceName.read(text);
      const others = terrain.links.map((l) => l.name).filter((n) => n !== "lo").join(", ");
      if (!terrain.links.some((l) => l.name === name)) {
        throw new Fault("does not exist on this machine", `bring it up first, or name one of ${others || "(none)"}`);
      }
      return [name];
    },
  };

const address: Asking = (answers, terrain) => {
  const name = linkName(answers);
  return {
    key: "address",
    option: "--address ADDRESS/LENGTH",
    text: "Which IPv4 address does this machine have in the overlay?",
    help: "Who runs the overlay assigns it, mostly a /32, and routes it to this machine. All IPv6 clients appear\n" +
      "in the overlay under it. Several are written with commas between; clients appear under the first.",
    proposals: isYggdrasil(answers) || !name ? [] : addressesOn(name, terrain),
    read: several(networks.overlayAddress),
  };
};

const overlayNetworks: Asking = (answers, terrain) => {
  const name = linkName(answers);
  const behind = isYggdrasil(answers) || !name ? [] : networksBehind(name, terrain);
  const found = behind.map(({ network }) => formatNetwork(network)).join(", ");
  return {
    key: "networks",
    option: isYggdrasil(answers) ? "--route NETWORK=KEY" : "--route NETWORK[=NEXTHOP]",
    text: "Which IPv4 networks does the overlay have?",
    help: "The networks that are reached through it, such as 10.0.0.0/8, with commas between. Of a gateway only\n" +
      "these can be reached from outside. On a node: the networks and addresses behind the far ends.",
    optional: !isGateway(answers),
    proposals: found === "" ? [] : [{ value: found, why: `routes by ${name}` }],
    read: several(networks.overlayNetwork),
  };
};

/** Who carries a network: over yggdrasil a node, on a link with neighbours a router. */
const carrier = (judge: KeyJudge): Asking => (answers, terrain) => {
  const to = valuesOf(answers, "networks").find((n) => !answers.has(carrierOf(n)));
  if (to === undefined) return undefined;
  return isYggdrasil(answers) ? farNode(to, answers, terrain, judge) : nextHop(to, answers, terrain);
};

function farNode(to: string, answers: Answers, terrain: Terrain, judge: KeyJudge): Question {
  const before = [...answers].filter(([key]) => key.startsWith("route ")).at(-1)?.[1].values[0];
  return {
    key: carrierOf(to),
    option: `--route ${to}=KEY`,
    text: `Public key of the yggdrasil node that carries ${to}?`,
    help: "64 hex digits. The far operator gets it from `crxn init --key` or `yggdrasilctl getSelf`, and wants\n" +
      "yours: `crxn init --key` prints it here.",
    proposals: before ? [{ value: before, why: "the same node as before" }] : [],
    read: (text) => {
      const key = publicKey.read(text);
      const { generation } = terrain;
      if (judge(generation, key)) return [key];
      throw new Fault(...wrongGeneration(generation));
    },
  };
}

function nextHop(to: string, answers: Answers, terrain: Terrain): Question {
  const name = linkName(answers)!;
  const link = terrain.links.find((l) => l.name === name);
  const network = parseEither(to)!;
  const via = networksBehind(name, terrain).find((n) => formatNetwork(n.network) === formatNetwork(network));
  const neighbours = link !== undefined && hasNeighbours(link);
  return {
    key: carrierOf(to),
    option: `--route ${to}=NEXTHOP`,
    text: `Next hop to ${to} on ${name}?`,
    help: "The IPv4 address of the router on this link that knows the way. None where the link has two ends only,\n" +
      "or where the far hosts answer on it by themselves.",
    optional: true,
    proposals: via?.via ? [{ value: via.via, why: `the route by ${name}` }] : [],
    // Where packets have one way to go, or the machine's own route says it.
    certain: !neighbours || via !== undefined,
    read: one(networks.nextHop),
  };
}

const peers: Asking = (answers, terrain) =>
  !isYggdrasil(answers) ? undefined : {
    key: "peers",
    option: "--peer URI",
    text: "Which yggdrasil nodes is this one to connect to?",
    help: "Such as tls://peer.example.net:443, with commas between; the far node itself, or a public peer that\n" +
      "both use. None where the far node connects to this one.",
    optional: true,
    proposals: terrain.yggdrasil.peers.length > 0
      ? [{ value: terrain.yggdrasil.peers.join(", "), why: "from yggdrasil.conf" }]
      : [],
    read: several(peerUri),
  };

const listen: Asking = (answers, terrain) =>
  !isYggdrasil(answers) ? undefined : {
    key: "listen",
    option: "--listen URI",
    text: "Where are others to connect to this one?",
    help: "Such as tls://[::]:9001: any address of this machine, TCP port 9001. One of two nodes has to listen,\n" +
      "unless both have a common peer. A firewall must let the port in.",
    optional: true,
    proposals: terrain.yggdrasil.listen.length > 0
      ? [{ value: terrain.yggdrasil.listen.join(", "), why: "from yggdrasil.conf" }]
      : valuesOf(answers, "peers").length > 0
      ? []
      : [{ value: "tls://[::]:9001", why: "any address" }],
    // Who dials need not listen.
    certain: valuesOf(answers, "peers").length > 0,
    read: several(listenUri),
  };

const local: Asking = (answers, terrain) => {
  if (!isYggdrasil(answers)) return undefined;
  const beside = isGateway(answers) ? [] : networksBeside(linkName(answers), terrain);
  return {
    key: "local",
    option: "--local NETWORK",
    text: "Which IPv4 networks behind this machine belong to the overlay?",
    help: "Its own hosts, such as 10.1.0.0/16, with commas between. Far nodes then reach those and nothing else\n" +
      "here. None: on a gateway only the machine's own address, on a node whatever it forwards.",
    optional: true,
    proposals: beside.length > 0
      ? [{ value: beside.map((p) => p.value).join(", "), why: beside.map((p) => p.why).join("; ") }]
      : [],
    read: several(networks.localNetwork),
  };
};
