/** Who this node is in a yggdrasil overlay: read from the daemon's config, kept from an earlier time, or new. */

import type { Generation } from "../gateway/capability.ts";
import { CrxnError, Exit } from "../gateway/errors.ts";
import type { Identity } from "../gateway/facts.ts";
import { Path } from "../gateway/names.ts";
import { addressFromKey } from "../gateway/yggdrasil_address.ts";
import { identityOf, keyFileOf } from "../gateway/yggdrasil_config.ts";
import { publicKeyIn } from "../gateway/yggdrasil_keys.ts";
import { fromBase64 } from "./base64.ts";
import { readSeen, writeAtomically } from "./files.ts";
import { at } from "./place.ts";

/**
 * This node's identity: of its config, or kept from an earlier time, or a new one (in memory only).
 * @throws CrxnError 69 for a config without a usable key, 77 for one that may not be read.
 */
export async function findIdentity(generation: Generation): Promise<Identity> {
  const config = await readSeen(Path.yggdrasilConfig);
  if (config) {
    if (config.content === undefined) {
      throw new CrxnError(Exit.noPermission, `${Path.yggdrasilConfig} may be read by root only.`, "Run crxn as root.");
    }
    const keyFile = keyFileOf(config.content, generation);
    return identityOf(config.content, generation, keyFile && (await readSeen(keyFile))?.content);
  }
  return await keptIdentity(generation) ?? await newIdentity(generation);
}

async function keptIdentity(generation: Generation): Promise<Identity | undefined> {
  const text = (await readSeen(pathOf(generation)))?.content?.trim();
  const keys = text === undefined ? undefined : keysIn(text, generation);
  try {
    return keys && { ...withAddress(publicKeyIn(keys, generation), generation), from: "kept", keys };
  } catch {
    // Damaged: of no use any more.
    return undefined;
  }
}

const pathOf = (generation: Generation) => generation === "0.3" ? Path.oldIdentity : Path.identity;

function keysIn(text: string, generation: Generation): Record<string, string> | undefined {
  if (generation !== "0.3") return { PrivateKey: text };
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value as Record<string, string> : undefined;
  } catch {
    return undefined;
  }
}

const withAddress = (publicKey: string, generation: Generation) => ({
  publicKey,
  address: addressFromKey(publicKey, generation),
});

/** Key pairs in Go's form: the seed and the public key of ed25519, 128 hex digits (RFC 8032); 0.3 has an X25519 pair as well. */
export async function newIdentity(generation: Generation = "0.5"): Promise<Identity> {
  const sign = await keyPair("Ed25519");
  const signing = sign.secret + sign.open;
  if (generation !== "0.3") {
    return { ...withAddress(sign.open, generation), from: "new", keys: { PrivateKey: signing } };
  }
  const box = await keyPair("X25519");
  const keys = {
    EncryptionPublicKey: box.open,
    EncryptionPrivateKey: box.secret,
    SigningPublicKey: sign.open,
    SigningPrivateKey: signing,
  };
  return { ...withAddress(box.open, generation), from: "new", keys };
}

async function keyPair(curve: "Ed25519" | "X25519"): Promise<{ secret: string; open: string }> {
  const uses: KeyUsage[] = curve === "Ed25519" ? ["sign", "verify"] : ["deriveBits"];
  const pair = await crypto.subtle.generateKey(curve, true, uses) as CryptoKeyPair;
  const { d, x } = await crypto.subtle.exportKey("jwk", pair.privateKey);
  return { secret: hex(fromBase64url(d!)), open: hex(fromBase64url(x!)) };
}

const fromBase64url = (text: string) => fromBase64(text.replaceAll("-", "+").replaceAll("_", "/"));
const hex = (bytes: Uint8Array) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");

/** Keeps the keys for the next `up`, so that `down` and `up` do not make another node of this machine. */
export async function keepIdentity({ keys }: Identity): Promise<void> {
  if (!keys) return;
  const old = keys["PrivateKey"] === undefined;
  await Deno.mkdir(at(Path.state), { recursive: true, mode: 0o700 });
  await writeAtomically(
    old ? Path.oldIdentity : Path.identity,
    `${old ? JSON.stringify(keys) : keys["PrivateKey"]}\n`,
    {
      mode: 0o600,
    },
  );
}
