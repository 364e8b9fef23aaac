/** What a gateway needs besides its overlay: the IPv6 side, and the translator's names and addresses. Pure. */

import { formatNetwork, overlaps, parseEither } from "../cidr.ts";
import { DEFAULTS } from "../config/defaults.ts";
import * as networks from "../config/networks.ts";
import { Fault } from "../config/problem.ts";
import { defaultRouted } from "../config/semantics.ts";
import { instanceName } from "../config/values.ts";
import { type Answers, isGateway, linkName, valueOf, valuesOf } from "./answers.ts";
import { freeInstance, freePool } from "./pool.ts";
import type { Asking } from "./question.ts";
import { existing, one } from "./reading.ts";
import { freePrefix, occupied, routedNetworks, uplinks } from "./routed.ts";
import type { Terrain } from "./terrain.ts";

const gatewayOnly = (asking: Asking): Asking => (answers, terrain) =>
  isGateway(answers) ? asking(answers, terrain) : undefined;

const uplink: Asking = (answers, terrain) => {
  const proposals = uplinks(terrain).filter((p) => p.value !== linkName(answers));
  return {
    key: "uplink",
    option: "--uplink NAME",
    text: "Which link leads to the IPv6 Internet?",
    help: "The device by which IPv6 clients come in. With one IPv6 default route it is that one's, and nobody is " +
      "asked; here there are several of them, or none.",
    proposals,
    // What `up` takes by itself.
    certain: proposals.length === 1 && uplinks(terrain).length === 1,
    read: (text) => [existing(terrain)(text)],
  };
};

const routed: Asking = (answers, terrain) => {
  const prefix = valueOf(answers, "prefix");
  const around = prefix && formatNetwork(defaultRouted(parseEither(prefix)!));
  return {
    key: "routed",
    option: "--routed NETWORK",
    text: "Which IPv6 network is routed to this machine?",
    help: "The provider's router sends all of it here, usually a /64. On-link is not enough: then the router asks " +
      "for each address, and nobody answers for those behind the translator (but ndppd can).",
    proposals: around ? [{ value: around, why: "around the prefix" }] : routedNetworks(terrain, linkName(answers)),
    // The config has the same default.
    certain: around !== undefined,
    read: one(networks.routedNetwork),
  };
};

const prefix: Asking = (answers, terrain) => {
  const routed = valueOf(answers, "routed");
  return {
    key: "prefix",
    option: "--prefix PREFIX",
    text: "In which /96 of it is the overlay to appear?",
    help: "10.1.0.3 becomes PREFIX:a01:3 (RFC 6052). No host may have an address in it, not even a router: it " +
      "would be taken for an overlay host.",
    proposals: routed ? freePrefix(parseEither(routed)!, terrain) : [],
    read: one(networks.nat64Prefix),
    remark: ([prefix]) => {
      const inside = prefix && occupied(terrain).find((n) => overlaps(parseEither(prefix)!, n));
      return inside
        ? `${formatNetwork(inside)} lies in it and is in use here: clients that mean it will be led into the overlay.`
        : undefined;
    },
  };
};

/** IPv4 networks of the config that the pool must keep clear of. */
const overlayOf = (answers: Answers) =>
  ["address", "networks", "local"].flatMap((key) => valuesOf(answers, key)).flatMap((text) => parseEither(text) ?? []);

const pool: Asking = (answers, terrain) => {
  const proposals = freePool(terrain, overlayOf(answers));
  return {
    key: "pool",
    option: "--pool NETWORK",
    text: "Which IPv4 network may the translator have for its clients?",
    help: `One address of it for each IPv6 client; only this machine sees them. ${DEFAULTS.pool} is usual, but in ` +
      "use here. Take a private network, /16 or so, that neither this machine nor the overlay uses.",
    proposals,
    certain: proposals[0]?.value === DEFAULTS.pool,
    read: one(networks.poolNetwork),
  };
};

const instance: Asking = (answers, terrain: Terrain) => {
  const proposals = freeInstance(terrain, linkName(answers));
  return {
    key: "instance",
    option: "--instance NAME",
    text: "What is the translator to be called?",
    help: "It names the service tayga@NAME, the device nat64-NAME and /etc/tayga/NAME.conf; 9 characters at most. " +
      `${DEFAULTS.instance} is usual, but somebody else's here.`,
    proposals,
    certain: proposals[0]?.value === DEFAULTS.instance,
    read: (text) => {
      const name = instanceName.read(text);
      if (!terrain.instances.includes(name)) return [name];
      throw new Fault("is the name of another translator on this machine", "choose another name");
    },
  };
};

export const gatewayQuestions: Asking[] = [uplink, routed, prefix, pool, instance].map(gatewayOnly);
