/** Keys of yggdrasil nodes: what a config must hold to be a node, in both generations. Pure. */

import type { Generation } from "./capability.ts";
import { CrxnError, Exit } from "./errors.ts";
import { Path } from "./names.ts";
import { nodeCrypto } from "./node_crypto.ts";

/** Heads of a PKCS #8 private key (RFC 8410), before its 32 bytes. */
const PKCS8 = { ed25519: "302e020100300506032b657004220420", x25519: "302e020100300506032b656e04220420" } as const;

/** The public half of a private key, both as 64 hex digits (for ed25519 the private one is the seed, RFC 8032). */
export function publicHalf(curve: keyof typeof PKCS8, privateHex: string): string {
  const der = Uint8Array.from((PKCS8[curve] + privateHex).match(/../g)!, (pair) => parseInt(pair, 16));
  // deno-lint-ignore no-explicit-any
  return publicHex(nodeCrypto().createPrivateKey({ key: der as any, format: "der", type: "pkcs8" }));
}

function publicHex(key: ReturnType<ReturnType<typeof nodeCrypto>["createPrivateKey"]>): string {
  const { x } = nodeCrypto().createPublicKey(key).export({ format: "jwk" }) as { x: string };
  return Array.from(
    atob(x.replaceAll("-", "+").replaceAll("_", "/")),
    (c) => c.charCodeAt(0).toString(16).padStart(2, "0"),
  )
    .join("");
}

const isText = (value: unknown) => typeof value === "string" && value !== "";

const MOVE = "move the file away: crxn then makes a new identity";

function refuse(what: string, remedy: string): never {
  // A key is never quoted: the text says only what is wrong with it.
  throw new CrxnError(Exit.unavailable, what, remedy);
}

/** Where the key is when it is not in the config itself: yggdrasil 0.5.6 and later, and it counts before PrivateKey. */
export function keyPathIn(config: Record<string, unknown>, generation: Generation): string | undefined {
  const path = settingOf(config, "PrivateKeyPath");
  return generation === "0.5" && typeof path === "string" && path !== "" ? path : undefined;
}

/** The public key of such a file, PEM of PKCS #8. */
export function publicKeyOfPem(pem: string | undefined, path: string): string {
  try {
    const key = nodeCrypto().createPrivateKey(pem!);
    if (key.asymmetricKeyType === "ed25519") return publicHex(key);
  } catch {
    // What is wrong with it may quote it.
  }
  refuse(
    `PrivateKeyPath in ${Path.yggdrasilConfig} names ${path}, which ${
      pem === undefined ? "does not exist" : "holds no ed25519 key (PEM)"
    }.`,
    "Put the key there, or a PrivateKey into the config.",
  );
}

/** Go's JSON does not mind upper and lower case in a setting's name. */
export function settingOf(config: Record<string, unknown>, name: string): unknown {
  if (name in config) return config[name];
  const other = Object.keys(config).find((key) => key.toLowerCase() === name.toLowerCase());
  return other === undefined ? undefined : config[other];
}

/**
 * Who a daemon's config makes the node.
 * @returns its public key, 64 hex digits in lower case
 * @throws CrxnError 69 when the keys are missing, broken or of the other generation: the daemon would be another node at
 *   every start, or none
 */
export function publicKeyIn(config: Record<string, unknown>, generation: Generation): string {
  const has = (name: string) => isText(settingOf(config, name));
  const [old, today] = [has("EncryptionPrivateKey"), has("PrivateKey")];
  if (generation === "0.3") {
    if (!old && today) {
      refuse(
        `The key in ${Path.yggdrasilConfig} is of yggdrasil 0.4 or later, and the daemon is a yggdrasil 0.3: it would get a new identity at every start.`,
        `Put the keys of a 0.3 node there (EncryptionPrivateKey and the three others), or ${MOVE} for yggdrasil 0.3.`,
      );
    }
    return oldKey(config);
  }
  if (!today && old) {
    refuse(
      `${Path.yggdrasilConfig} has no PrivateKey, only keys of yggdrasil 0.3: today's yggdrasil would get a new identity at every start.`,
      `Keys of 0.3 cannot be taken along. Put a PrivateKey there, or ${MOVE}; tell the far ends its new public key.`,
    );
  }
  if (!today) {
    refuse(
      `${Path.yggdrasilConfig} has no PrivateKey: yggdrasil would get a new identity at every start.`,
      `Put this node's PrivateKey there, or ${MOVE}.`,
    );
  }
  const key = hexIn(config, "PrivateKey", 128);
  if (publicHalf("ed25519", key.slice(0, 64)) !== key.slice(64)) {
    refuse(
      `The PrivateKey in ${Path.yggdrasilConfig} is damaged: its two halves do not belong together.`,
      `Put the right key there, or ${MOVE}.`,
    );
  }
  return key.slice(64);
}

/** 0.3 takes the node's address from EncryptionPublicKey, and makes up each key that is missing. */
function oldKey(config: Record<string, unknown>): string {
  const lengths = { EncryptionPublicKey: 64, EncryptionPrivateKey: 64, SigningPublicKey: 64, SigningPrivateKey: 128 };
  for (const name of Object.keys(lengths)) {
    if (isText(settingOf(config, name))) continue;
    refuse(
      `${Path.yggdrasilConfig} has no ${name}: yggdrasil 0.3 would make up a new one at every start.`,
      `Put this node's ${name} there, or ${MOVE}.`,
    );
  }
  const [box, secret, sign, signSecret] = Object.entries(lengths).map(([name, digits]) => hexIn(config, name, digits));
  const damaged = publicHalf("x25519", secret!) !== box
    ? "EncryptionPublicKey is not that of EncryptionPrivateKey"
    : publicHalf("ed25519", signSecret!.slice(0, 64)) !== sign || signSecret!.slice(64) !== sign
    ? "SigningPublicKey is not that of SigningPrivateKey"
    : undefined;
  if (damaged) {
    refuse(
      `The keys in ${Path.yggdrasilConfig} do not belong together: ${damaged}.`,
      `Put the right keys there, or ${MOVE}.`,
    );
  }
  return box!;
}

function hexIn(config: Record<string, unknown>, name: string, digits: number): string {
  const value = String(settingOf(config, name));
  if (!/^[0-9a-f]+$/i.test(value) || value.length !== digits) {
    refuse(
      `The ${name} in ${Path.yggdrasilConfig} is not ${digits} hex digits (it has ${value.length} characters).`,
      `Put the right key there, or ${MOVE}.`,
    );
  }
  return value.toLowerCase();
}
