/** How crxn is compiled. */

import { permissionFlags } from "../gateway/permissions.ts";

// V8: most runs are over before compiled code pays (Sparkplug, which is to wait for eight times as much of it as usual; Maglev;
// and Turbofan, which is to take what has been called 100,000 times instead of 3,000: its threads take the processors from the
// programs that crxn waits for). What runs long is compiled as ever. New objects have 4 MB and no more: memory that is
// used again costs nothing, while the kernel has to clear every new page. Old ones are looked through from 128 MB on: a
// thousand networks are done before. See docs/facts.md.
const V8 = [
  "--min-semi-space-size=4",
  "--max-semi-space-size=4",
  "--initial-heap-size=128",
  "--baseline-batch-compilation-threshold=32768",
  "--no-maglev",
  "--invocation-count-for-turbofan=100000",
];

/**
 * Words of `deno compile` before the output and the main module. Permissions: what crxn needs and no more. --no-code-cache:
 * the cache would be a predictable file in /tmp, read by root. --no-prompt: a missing permission is an error, not a question.
 * --no-config: the bundle stands alone.
 */
export const compileFlags = (): string[] => [...baseFlags(), ...permissionFlags()];

/**
 * Without permissions.
 * @param more flags of V8
 */
export const baseFlags = (more: string[] = []): string[] => [
  "--quiet",
  "--no-config",
  "--no-code-cache",
  "--no-prompt",
  // For what is loaded as text and bytes (start.ts); before Deno 2.8 that is no part of it.
  "--unstable-raw-imports",
  `--v8-flags=${[...V8, ...more].join(",")}`,
];
