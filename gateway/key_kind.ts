/**
 * Of which yggdrasil a public key can be. X25519 keys (0.3) and ed25519 keys (0.4 and later) are 32 bytes both, but not any
 * 32 bytes are a key: a key of the one kind passes for one of the other in one case of 16, or fewer. Pure; load it only when it
 * is needed, it takes some milliseconds.
 */

import { ed25519 } from "@noble/curves/ed25519";
import type { Generation } from "./capability.ts";

/** The field of both curves (RFC 7748, 4.1). */
const P = 2n ** 255n - 19n;

/** Whether the key can be one of that generation. False is certain, true is not. */
export const canBeOf = (generation: Generation, key: string): boolean =>
  generation === "0.3" ? isMontgomery(key) : isEdwards(key);

/** A public key is a point of the group's prime order (RFC 8032, 5.1.5). */
function isEdwards(key: string): boolean {
  try {
    return ed25519.Point.fromHex(key).isTorsionFree();
  } catch {
    return false;
  }
}

/** The same point on the other curve: y = (u - 1) / (u + 1) (RFC 7748, 4.1). The top bit of u is never set. */
function isMontgomery(key: string): boolean {
  const u = BigInt(`0x${reversed(key)}`);
  if (u >= P) return false;
  const y = (u + P - 1n) * inverse(u + 1n) % P;
  return isEdwards(reversed(y.toString(16).padStart(64, "0")));
}

/** Keys are written with their lowest byte first. */
const reversed = (hex: string) => hex.match(/../g)!.reverse().join("");

/** By Fermat: a^(P-2). */
function inverse(a: bigint): bigint {
  let [result, base] = [1n, a % P];
  for (let exponent = P - 2n; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = result * base % P;
    base = base * base % P;
  }
  return result;
}
