/** yggdrasil: what its running daemon says, who it is, and a new identity where there is none. */

import { Program } from "../gateway/action.ts";
import type { OverlaySeen, Peer } from "../gateway/survey.ts";
import type { Runner } from "./run.ts";

type Json = Record<string, unknown>;
const object = (text: string): Json => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value as Json : {};
  } catch {
    return {};
  }
};
const string = (value: unknown) => typeof value === "string" && value !== "" ? value : undefined;
const number = (value: unknown) => typeof value === "number" ? value : undefined;

/**
 * `yggdrasilctl -json getPeers`. 0.3 and 0.4 list connected peers only and have no `up`; 0.5 lists all. 0.3 has a map from
 * addresses, in which the node itself is on port 0.
 */
export function parsePeers(output: string): Peer[] {
  const { peers } = object(output);
  if (typeof peers === "object" && peers !== null && !Array.isArray(peers)) return oldPeers(peers as Json);
  if (!Array.isArray(peers)) return [];
  return (peers as Json[]).filter((p) => typeof p === "object" && p !== null).map((p) => {
    const optional = {
      key: string(p["key"]),
      address: string(p["address"]),
      uptime: number(p["uptime"]),
      latency: number(p["latency"]) === undefined ? undefined : number(p["latency"])! / 1e6,
      error: string(p["last_error"]),
    };
    return {
      uri: string(p["remote"]) ?? "",
      up: p["up"] === undefined || p["up"] === true,
      inbound: p["inbound"] === true,
      ...Object.fromEntries(Object.entries(optional).filter(([, v]) => v !== undefined)),
    };
  });
}

const oldPeers = (peers: Json): Peer[] =>
  Object.entries(peers).flatMap(([address, value]) => {
    const peer = typeof value === "object" && value !== null ? value as Json : {};
    if (peer["proto"] === "self" || peer["port"] === 0) return [];
    const [key, uptime] = [string(peer["box_pub_key"]), number(peer["uptime"])];
    return [{
      uri: string(peer["endpoint"]) ?? "",
      up: true,
      inbound: false,
      address,
      ...(key ? { key } : {}),
      ...(uptime === undefined ? {} : { uptime }),
    }];
  });

export function parseSelf(output: string): Omit<OverlaySeen, "peers"> {
  const self = object(output);
  // 0.3: {"self": {ADDRESS: {"box_pub_key": KEY, ...}}}
  const [old] = Object.entries(typeof self["self"] === "object" && self["self"] !== null ? self["self"] as Json : {});
  if (old) {
    const key = string((old[1] as Json | null)?.["box_pub_key"]);
    return { address: old[0], ...(key ? { publicKey: key } : {}) };
  }
  const version = string(self["build_version"]);
  return {
    ...(version && version !== "unknown" ? { version } : {}),
    ...(string(self["key"]) ? { publicKey: string(self["key"])! } : {}),
    ...(string(self["address"]) ? { address: string(self["address"])! } : {}),
  };
}

/**
 * @returns undefined when no daemon answers
 * @throws Error when it cannot be asked
 */
export async function readOverlay(runner: Runner): Promise<OverlaySeen | undefined> {
  const ask = (what: string) => runner.run([Program.yggdrasilctl, "-json", what], { timeoutSeconds: 15 });
  const [self, peers] = await Promise.all([ask("getSelf"), ask("getPeers")]);
  if ([self, peers].some(({ code }) => code === 126 || code === 127)) throw new Error("yggdrasilctl cannot be run");
  // That of 0.5.12 ends with 0 also when it may not, or cannot, connect to the daemon; it says so on stderr.
  if ([self, peers].some(({ code, stdout }) => code !== 0 || !stdout.trim().startsWith("{"))) return undefined;
  return { ...parseSelf(self.stdout), peers: parsePeers(peers.stdout) };
}

/**
 * Makes the daemon dial its peers at once. yggdrasil 0.4 waits a minute after a peer has refused, which on the first
 * day of two nodes is the rule: one of them starts first.
 */
export async function dialAgain(runner: Runner, peers: string[]): Promise<void> {
  const tell = (what: string, uri: string) =>
    runner.run([Program.yggdrasilctl, "-json", what, `uri=${uri}`], { timeoutSeconds: 15 });
  for (const uri of peers) {
    await tell("removePeer", uri);
    await tell("addPeer", uri);
  }
}
