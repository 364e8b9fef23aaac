/** All that `crxn init` asks, in order: first the overlay, then what a gateway needs besides. Pure. */

import { formatNetwork, parseEither } from "../cidr.ts";
import { soft } from "../config/draft.ts";
import * as networks from "../config/networks.ts";
import { type Answers, isGateway, isYggdrasil, linkName, valuesOf, viaOf } from "./answers.ts";
import { addressesProposed, isMultiAccess, networksBehind, overlayLinks } from "./overlay_links.ts";
import type { Asking, Question } from "./question.ts";
import { gatewayQuestions } from "./questions_gateway.ts";
import { farNode, yggdrasilQuestions } from "./questions_yggdrasil.ts";
import { choice, existing, one, several } from "./reading.ts";
import { routedNetworks } from "./routed.ts";
import type { Terrain } from "./terrain.ts";

/** All questions that have a place after those answers, in order. */
export function questionsAfter(answers: Answers, terrain: Terrain): Question[] {
  const all = [role, overlay, link, address, overlayNetworks, vias, ...yggdrasilQuestions, ...gatewayQuestions];
  return all.flatMap((asking) => asking(answers, terrain) ?? []);
}

const role: Asking = (_, terrain) => {
  const routed = routedNetworks(terrain, undefined)[0];
  return {
    key: "role",
    option: "--prefix PREFIX, or --node",
    text: "Is this machine to be a gateway (NAT64), or a plain node of the overlay?",
    help: "A gateway leads IPv6 clients of the Internet into the overlay, and needs an IPv6 network that is " +
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
  const made = { value: "yggdrasil", why: "crxn makes a link to another node" };
  return {
    key: "overlay",
    option: "--overlay interface|yggdrasil",
    text: "By what does this machine reach the overlay: a link that is there already, or yggdrasil?",
    help:
      "A link's name, as `ip link` shows it: that of WireGuard, OpenVPN or a company VPN, say. crxn leaves the link " +
      "as it is; it may go down and come back later. Or yggdrasil: crxn installs and runs it, and tunnels IPv4 to the " +
      "node at the far end. Bridges of containers and the uplink are not offered.",
    proposals: [...links, made],
    read: (text) => {
      const word = text.toLowerCase();
      if (word === "yggdrasil" || word === "interface") return [word];
      return ["interface", existing(terrain)(text)];
    },
  };
};

/** Only where the command line, or a person, said no more than that there is one. */
const link: Asking = (answers, terrain) =>
  isYggdrasil(answers) ? undefined : {
    key: "interface",
    option: "--interface NAME",
    text: "Which link leads to the overlay?",
    help: "The name of the device, as `ip link` shows it.",
    proposals: overlayLinks(terrain),
    read: (text) => [existing(terrain)(text)],
  };

const address: Asking = (answers, terrain) => {
  const name = linkName(answers);
  return {
    key: "address",
    option: "--address ADDRESS/LENGTH",
    text: "Which IPv4 address does this machine have in the overlay?",
    help: "Who runs the overlay assigns it, mostly a /32, and routes it to this machine. All IPv6 clients appear " +
      "in the overlay under it. Several are written with commas between; clients appear under the first.",
    proposals: isYggdrasil(answers) || !name ? [] : addressesProposed(name, terrain),
    read: several(networks.overlayAddress),
  };
};

const overlayNetworks: Asking = (answers, terrain) => {
  const name = linkName(answers);
  const behind = isYggdrasil(answers) || !name ? [] : networksBehind(name, terrain);
  // One that the config cannot hold, such as a quarter of the Internet, must not take the others with it.
  const found = behind.flatMap(({ network }) => soft(networks.overlayNetwork, formatNetwork(network)) ?? []).join(", ");
  return {
    key: "networks",
    option: isYggdrasil(answers) ? "--route NETWORK=KEY" : "--route NETWORK[=NEXTHOP]",
    text: "Which IPv4 networks does the overlay have?",
    help: "The networks that are reached through it, such as 10.0.0.0/8, with commas between. Of a gateway only " +
      "these can be reached from outside. On a node: the networks and addresses behind the far ends.",
    optional: !isGateway(answers),
    proposals: found === "" ? [] : [{ value: found, why: `routes by ${name}` }],
    read: several(networks.overlayNetwork),
  };
};

/** Who carries each network: over yggdrasil a node, on a multi-access link a router. */
const vias: Asking = (answers, terrain) =>
  valuesOf(answers, "networks").filter((to) => !answers.has(viaOf(to)))
    .map((to) => isYggdrasil(answers) ? farNode(to, answers, terrain) : nextHop(to, answers, terrain));

function nextHop(to: string, answers: Answers, terrain: Terrain): Question {
  const name = linkName(answers)!;
  const link = terrain.links.find((l) => l.name === name);
  const network = parseEither(to)!;
  const via = networksBehind(name, terrain).find((n) => formatNetwork(n.network) === formatNetwork(network));
  const shared = link !== undefined && isMultiAccess(link);
  return {
    key: viaOf(to),
    option: `--route ${to}=NEXTHOP`,
    text: `Next hop to ${to} on ${name}?`,
    help: "The IPv4 address of the router on this link that knows the way. None where the link has two ends only, " +
      "or where the far hosts answer on it by themselves.",
    optional: true,
    proposals: via?.via ? [{ value: via.via, why: `the route by ${name}` }] : [],
    // Where packets have one way to go, or the machine's own route says it.
    certain: !shared || via !== undefined,
    read: one(networks.nextHop),
  };
}
