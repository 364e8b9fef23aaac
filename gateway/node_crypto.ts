/**
 * What only Node's crypto has: sums in the middle of a computation, and keys as PEM and DER. Fetched when it is asked for:
 * Deno 2.9 takes 4 ms to load it where it is imported, at every start.
 */
export const nodeCrypto = (): typeof import("node:crypto") => globalThis.process.getBuiltinModule("node:crypto");
