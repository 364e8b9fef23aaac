/**
 * A yggdrasil node's address and subnet follow from its public key: since 0.4 from the ed25519 key itself, in 0.3 from the
 * SHA-512 of its X25519 key (src/address of either).
 */
import type { Generation } from "./capability.ts";
import { formatAddress } from "./cidr.ts";
import { CrxnError, Exit } from "./errors.ts";
import { nodeCrypto } from "./node_crypto.ts";

function bytesOf(what: string, hex: string, digits: number): Uint8Array {
  // A private key must never be quoted: the text says only what is wrong with it.
  if (hex.length !== digits) {
    throw new CrxnError(Exit.usage, `Cannot read ${what}: ${hex.length} characters instead of ${digits} hex digits`);
  }
  const at = hex.search(/[^0-9a-fA-F]/);
  if (at >= 0) throw new CrxnError(Exit.usage, `Cannot read ${what}: character ${at + 1} is not a hex digit`);
  return Uint8Array.from(hex.match(/../g)!, (pair) => parseInt(pair, 16));
}

/** Node id of 0.3: the SHA-512 of the key; later the key with every bit inverted. */
function nodeBits(publicKeyHex: string, generation: Generation): string {
  const key = bytesOf("public key", publicKeyHex, 64);
  const id = generation === "0.3"
    ? nodeCrypto().createHash("sha512").update(key).digest()
    : key.map((byte) => byte ^ 0xff);
  return Array.from(id, (byte) => byte.toString(2).padStart(8, "0")).join("");
}

/** First byte, number of leading ones of the node's bits, and what follows the first zero: `size` bytes in all. */
function derive(publicKeyHex: string, generation: Generation, first: number, size: number): bigint {
  const bits = nodeBits(publicKeyHex, generation);
  const ones = bits.indexOf("0") < 0 ? bits.length : bits.indexOf("0");
  const rest = bits.slice(ones + 1).padEnd((size - 2) * 8, "0").slice(0, (size - 2) * 8);
  return BigInt(`0b${first.toString(2)}${(ones & 0xff).toString(2).padStart(8, "0")}${rest}`);
}

/**
 * The node's own address in 200::/8.
 * @param publicKeyHex 64 hex digits: `EncryptionPublicKey` of 0.3, the public key of later ones
 * @throws CrxnError (64)
 */
export function addressFromKey(publicKeyHex: string, generation: Generation = "0.5"): string {
  return formatAddress({ family: 6, value: derive(publicKeyHex, generation, 0x02, 16) });
}

/**
 * The /64 in 300::/8 that the node may hand out.
 * @param publicKeyHex 64 hex digits
 * @throws CrxnError (64)
 */
export function subnetFromKey(publicKeyHex: string, generation: Generation = "0.5"): string {
  return `${formatAddress({ family: 6, value: derive(publicKeyHex, generation, 0x03, 8) << 64n })}/64`;
}

/**
 * The public key inside a yggdrasil `PrivateKey` (RFC 8032: seed, then public key), in lower case.
 * @param privateKeyHex 128 hex digits; never quoted in an error
 * @throws CrxnError (64)
 */
export function publicKeyOf(privateKeyHex: string): string {
  bytesOf("private key", privateKeyHex, 128);
  return privateKeyHex.slice(64).toLowerCase();
}
