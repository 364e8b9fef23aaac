/** yggdrasil: what its running daemon says, who it is, and a new identity where there is none. */

import { Program } from "../gateway/action.ts";
import { CrxnError, Exit } from "../gateway/errors.ts";
import type { Identity } from "../gateway/facts.ts";
import { Path } from "../gateway/names.ts";
import type { OverlaySeen, Peer } from "../gateway/survey.ts";
import { addressFromKey } from "../gateway/yggdrasil_address.ts";
import { identityOf } from "../gateway/yggdrasil_config.ts";
import { fromBase64, readSeen, writeAtomically } from "./files.ts";
import { at } from "./place.ts";
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

/** `yggdrasilctl -json getPeers`. 0.4 lists connected peers only and has no `up`; 0.5 lists all. */
export function parsePeers(output: string): Peer[] {
  const { peers } = object(output);
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

export function parseSelf(output: string): Omit<OverlaySeen, "peers"> {
  const self = object(output);
  const version = string(self["build_version"]);
  return {
    ...(version && version !== "unknown" ? { version } : {}),
    ...(string(self["key"]) ? { publicKey: string(self["key"])! } : {}),
    ...(string(self["address"]) ? { address: string(self["address"])! } : {}),
  };
}

/** @returns undefined when no daemon answers. */
export async function readOverlay(runner: Runner): Promise<OverlaySeen | undefined> {
  const ask = (what: string) => runner.run([Program.yggdrasilctl, "-json", what], { timeoutSeconds: 15 });
  const [self, peers] = await Promise.all([ask("getSelf"), ask("getPeers")]);
  if (self.code !== 0) return undefined;
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

/**
 * This node's identity: of its config, or kept from an earlier time, or a new one (in memory only).
 * @throws CrxnError 69 for a config without a usable key, 77 for one that may not be read.
 */
export async function findIdentity(): Promise<Identity> {
  const config = await readSeen(Path.yggdrasilConfig);
  if (config) {
    if (config.content === undefined) {
      throw new CrxnError(Exit.noPermission, `${Path.yggdrasilConfig} may be read by root only.`, "Run crxn as root.");
    }
    return identityOf(config.content);
  }
  const kept = (await readSeen(Path.identity))?.content?.trim();
  if (kept && /^[0-9a-f]{128}$/.test(kept)) {
    const publicKey = kept.slice(64);
    return { publicKey, address: addressFromKey(publicKey), from: "kept", privateKey: kept };
  }
  return await newIdentity();
}

/** An ed25519 key pair, in Go's form: the seed and the public key, 128 hex digits (RFC 8032). */
export async function newIdentity(): Promise<Identity> {
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]) as CryptoKeyPair;
  const { d, x } = await crypto.subtle.exportKey("jwk", pair.privateKey);
  const publicKey = hex(fromBase64url(x!));
  return { publicKey, address: addressFromKey(publicKey), from: "new", privateKey: hex(fromBase64url(d!)) + publicKey };
}

const fromBase64url = (text: string) => fromBase64(text.replaceAll("-", "+").replaceAll("_", "/"));
const hex = (bytes: Uint8Array) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");

/** Keeps the key for the next `up`, so that `down` and `up` do not make another node of this machine. */
export async function keepIdentity(identity: Identity): Promise<void> {
  if (!identity.privateKey) return;
  await Deno.mkdir(at(Path.state), { recursive: true, mode: 0o700 });
  await writeAtomically(Path.identity, identity.privateKey + "\n", { mode: 0o600 });
}
