/** What `crxn init` asks where the overlay is reached over yggdrasil. Pure. */

import { soft } from "../config/draft.ts";
import { wrongGeneration } from "../config/key_warnings.ts";
import * as networks from "../config/networks.ts";
import { Fault } from "../config/problem.ts";
import { listenUri, peerUri } from "../config/uri.ts";
import { publicKey } from "../config/values.ts";
import { canBeOf } from "../key_kind.ts";
import { type Answers, isGateway, isVia, isYggdrasil, linkName, valuesOf, viaOf } from "./answers.ts";
import { networksBeside } from "./overlay_links.ts";
import type { Asking, Question } from "./question.ts";
import { several } from "./reading.ts";
import type { Terrain } from "./terrain.ts";

/** The node that carries a network. */
export function farNode(to: string, answers: Answers, terrain: Terrain): Question {
  const before = [...answers].filter(([key]) => isVia(key)).at(-1)?.[1].values[0];
  return {
    key: viaOf(to),
    option: `--route ${to}=KEY`,
    text: `Public key of the yggdrasil node that carries ${to}?`,
    help: "64 hex digits. The far operator gets it from `crxn init --key` or `yggdrasilctl getSelf`, and wants " +
      "yours: `crxn init --key` prints it here.",
    proposals: before ? [{ value: before, why: "the same node as before" }] : [],
    read: (text) => {
      const key = publicKey.read(text);
      const { generation, ownKey } = terrain;
      if (key === ownKey) {
        throw new Fault("is this machine's own key", "the far operator tells you theirs, and gets this one from you");
      }
      if (canBeOf(generation, key)) return [key];
      throw new Fault(...wrongGeneration(generation));
    },
  };
}

const peers: Asking = (answers, terrain) =>
  !isYggdrasil(answers) ? undefined : {
    key: "peers",
    option: "--peer URI",
    text: "Which yggdrasil nodes is this one to connect to?",
    help: "Such as tls://peer.example.net:443, with commas between; the far node itself, or a public peer that " +
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
    help: "Such as tls://[::]:9001: any address of this machine, TCP port 9001. One of two nodes has to listen, " +
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
  const beside = isGateway(answers) ? [] : networksBeside(linkName(answers), terrain)
    .filter(({ value }) => soft(networks.localNetwork, value) !== undefined);
  return {
    key: "local",
    option: "--local NETWORK",
    text: "Which IPv4 networks behind this machine belong to the overlay?",
    help: "Its own hosts, such as 10.1.0.0/16, with commas between. Far nodes then reach those and nothing else " +
      "here. None: on a gateway only the machine's own address, on a node whatever it forwards.",
    optional: true,
    proposals: beside.length > 0
      ? [{ value: beside.map((p) => p.value).join(", "), why: beside.map((p) => p.why).join("; ") }]
      : [],
    read: several(networks.localNetwork),
  };
};

export const yggdrasilQuestions: Asking[] = [peers, listen, local];
