import { Program } from "../gateway/action.ts";
import type { Check, CheckInput, Outcome } from "./check.ts";
import type { Peer } from "../gateway/survey.ts";

/** Connections to other yggdrasil nodes. */
export const overlayPeers: Check = {
  id: "overlay-peers",
  title: "The daemon is connected to other nodes",
  hop: "overlay",
  only: "yggdrasil",
  needs: ["overlay-service"],
  looksAt: "yggdrasilctl getPeers, and the peers of crxn.yaml.",
  why: "Without a single peer the node is alone, and nothing reaches the far end.",
  cure:
    "Check that the peer's address and port are right and reachable from here, and that both ends run versions that can peer (0.4 and 0.5 cannot).",
  run: (input) => {
    const { survey } = input;
    if (!survey.overlay) {
      return { verdict: "unknown", found: survey.root ? "the daemon does not answer" : "yggdrasil answers root only" };
    }
    return judge(input, survey.overlay.peers);
  },
};

function judge({ blueprint }: CheckInput, peers: Peer[]): Outcome {
  const { overlay } = blueprint.config;
  const wanted = overlay.type === "yggdrasil" ? overlay.peers : [];
  const up = peers.filter((p) => p.up);
  const evidence = [{ command: [Program.yggdrasilctl, "getPeers"], output: peers.map(peerLine).join("\n") }];
  if (up.length === 0) {
    if (wanted.length === 0) {
      return {
        verdict: "warn",
        found: "no peers are configured, and nobody has connected",
        want: "at least one connection",
        evidence,
      };
    }
    const errors = peers.flatMap((p) => p.error ? [`${p.uri}: ${p.error}`] : []);
    const found = `none of ${wanted.length} peers is connected${errors.length > 0 ? `: ${errors.join("; ")}` : ""}`;
    return { verdict: "fail", found, want: `a connection to ${wanted.join(" or ")}`, evidence };
  }
  // 0.4 lists connected peers only: what it does not list is not connected.
  const down = wanted.filter((uri) => !up.some((p) => sameHost(p.uri, uri)));
  if (down.length > 0 && up.filter((p) => !p.inbound).length < wanted.length) {
    return {
      verdict: "warn",
      found: `${up.length} connected, but not ${down.join(", ")}`,
      want: "every peer of crxn.yaml connected",
      evidence,
    };
  }
  return { verdict: "pass", found: `${up.length} connected` };
}

const peerLine = (p: Peer) =>
  `${p.up ? "up" : "down"} ${p.inbound ? "in" : "out"} ${p.uri}${p.error ? ` (${p.error})` : ""}`;

/** The daemon shows a URI without its options, and a name as the address it found. */
const sameHost = (shown: string, wanted: string): boolean => shown.split("?")[0] === wanted.split("?")[0];
