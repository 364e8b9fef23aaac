import { Program } from "../gateway/action.ts";
import { wrongGeneration } from "../gateway/config/key_warnings.ts";
import { networkOf } from "../gateway/overlay_nodes.ts";
import { dialDrops, pingDrops } from "./input_policy.ts";
import type { Check, CheckInput, Evidence, Outcome } from "./check.ts";
import { routeProblems } from "./route_problems.ts";
import type { Peer } from "../gateway/survey.ts";

/** Connections to other yggdrasil nodes. */
export const overlayPeers: Check = {
  id: "overlay-peers",
  title: "The daemon is connected, and the far nodes answer",
  hop: "overlay",
  only: "yggdrasil",
  needs: ["overlay-service"],
  looksAt:
    "yggdrasilctl getPeers, and the peers of crxn.yaml; three pings to the yggdrasil address of each far node, which follows from its key in overlay.routes.",
  why:
    "Without a single peer the node is alone. A key that nobody has leads nowhere, however well everything else works, and a key of the other generation (0.3 against today's) looks like any other.",
  cure:
    "Check that the peer's address and port are right and reachable from here, and that both ends run versions that can peer (0.3, 0.4 and 0.5 cannot with each other). Have the far operator compare the address that `crxn status` shows for the far node with their own.",
  run: (input) => {
    const { survey } = input;
    if (!survey.overlay) {
      return { verdict: "unknown", found: survey.root ? "the daemon does not answer" : "yggdrasil answers root only" };
    }
    return judge(input, survey.overlay.peers);
  },
};

function judge(input: CheckInput, peers: Peer[]): Outcome {
  const { overlay } = input.blueprint.config;
  const wanted = overlay.type === "yggdrasil" ? overlay.peers : [];
  const up = peers.filter((p) => p.up);
  const evidence = [{ command: [Program.yggdrasilctl, "getPeers"], output: peers.map(peerLine).join("\n") }];
  if (up.length === 0) {
    if (wanted.length === 0) {
      // Somebody may be about to connect; a far node that was asked and is not there decides.
      const lost = (input.reach ?? []).some((r) => r.received === 0);
      return {
        verdict: lost ? "fail" : "warn",
        found: `no peers are configured, and nobody has connected${strangers(input)}${foreignKeysOf(input)}`,
        want: "at least one connection",
        evidence: [...evidence, ...logEvidence(input)],
      };
    }
    if (dialDrops(input).length > 0) {
      return { verdict: "skip", found: "a firewall drops their packets (see input-policy)" };
    }
    const errors = peers.flatMap((p) => p.error ? [`${p.uri}: ${explained(p.error)}`] : []);
    const found = `none of ${wanted.length} peers is connected${errors.length > 0 ? `: ${errors.join("; ")}` : ""}${
      strangers(input)
    }${foreignKeysOf(input)}`;
    return {
      verdict: "fail",
      found,
      want: `a connection to ${wanted.join(" or ")}`,
      evidence: [...evidence, ...logEvidence(input)],
    };
  }
  // 0.4 lists connected peers only: what it does not list is not connected.
  const down = wanted.filter((uri) => !up.some((p) => sameHost(p.uri, uri)));
  const silent = silentNodes(input, evidence);
  if (!silent && down.length > 0 && up.filter((p) => !p.inbound).length < wanted.length) {
    return {
      verdict: "warn",
      found: `${up.length} connected, but not ${down.join(", ")}`,
      want: "every peer of crxn.yaml connected",
      evidence,
    };
  }
  return silent ?? { verdict: "pass", found: `${up.length} connected` };
}

const GENERATIONS = "yggdrasil 0.3, 0.4 and 0.5 cannot peer with each other";

/** 0.5 says in getPeers what it thinks of a peer that speaks another protocol; 0.4 says it in its log only. */
function explained(error: string): string {
  if (/version mismatch|incompatible version/.test(error)) return `${error} (${GENERATIONS})`;
  // It forgets the link that the URI names, but for QUIC.
  return /requires a zone/.test(error) ? `${error} (yggdrasil 0.5 dials link-local addresses by quic:// only)` : error;
}

const INCOMPATIBLE = /remote node is incompatible version/;

const strangers = ({ daemonLog = [] }: CheckInput): string =>
  daemonLog.some((line) => INCOMPATIBLE.test(line))
    ? `; its log says that a node of an incompatible version has tried (${GENERATIONS})`
    : "";

/** Of a key that can never work the operator hears also while nobody is connected. */
function foreignKeysOf({ blueprint, reach = [] }: CheckInput): string {
  const [what] = wrongGeneration(blueprint.facts.daemon?.generation ?? "0.5");
  return reach.filter((r) => r.foreign).map((r) => `; and the key ${r.key} ${what}`).join("");
}

function logEvidence({ daemonLog = [] }: CheckInput): Evidence[] {
  const lines = daemonLog.filter((line) => INCOMPATIBLE.test(line)).slice(-3);
  const command = [Program.journalctl, "--unit=yggdrasil"];
  return lines.length > 0 ? [{ command, output: lines.join("\n") }] : [];
}

/** Connected, but a far node cannot be reached over all that: nobody has its key, or it is off. */
function silentNodes(input: CheckInput, evidence: Evidence[]): Outcome | undefined {
  const { blueprint, reach = [], probe } = input;
  const answered = probe?.ran === true && probe.received > 0 && probe.kind !== "overlay"
    ? networkOf(reach.flatMap((r) => r.networks), probe.target)
    : undefined;
  const silent = reach.filter((r) => r.received === 0 && !r.networks.some((n) => n === answered));
  if (silent.length === 0) return undefined;
  if (routeProblems("tunnel-routing", input).length > 0) {
    return {
      verdict: "skip",
      found: "the far nodes cannot be asked: tunnel-routing names what leads packets to them elsewhere",
    };
  }
  const [shut] = pingDrops(silent.map((r) => r.address), input);
  if (shut) return { verdict: "unknown", found: shut.found };
  const [what] = wrongGeneration(blueprint.facts.daemon?.generation ?? "0.5");
  const texts = silent.map((r) =>
    `no answer from the far node ${r.address} for ${r.networks.join(", ")} (key ${r.key}): ${
      r.foreign ? `the key ${what}` : "it is off, not connected to the same yggdrasil network, or nobody has this key"
    }`
  );
  return {
    verdict: "fail",
    found: texts.join("; "),
    want: "an answer from every far node of overlay.routes",
    evidence: [...evidence, ...silent.map(({ command, output }) => ({ command, output }))],
  };
}

const peerLine = (p: Peer) =>
  `${p.up ? "up" : "down"} ${p.inbound ? "in" : "out"} ${p.uri}${p.error ? ` (${p.error})` : ""}`;

/** The daemon shows a URI without its options, and a name as the address it found; the % of a link it may not escape. */
const sameHost = (shown: string, wanted: string): boolean => placeIn(shown) === placeIn(wanted);
const placeIn = (uri: string): string => uri.split("?")[0]!.replace("%25", "%");
