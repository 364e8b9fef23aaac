/** How crxn is compiled. */

import { permissionFlags } from "../gateway/permissions.ts";

// V8: most runs are over before optimized code pays (Maglev, and Turbofan, which is to take what has been called 100,000 times
// instead of 3,000: its threads take the processors from the programs that crxn waits for). What runs long is compiled by
// Turbofan as ever. New objects have 16 MB, without which the garbage collector runs at every start: with 4 MB the help took 2 ms
// longer, though a thousand networks took 30 of 400 less.
const V8 = [
  "--min-semi-space-size=16",
  "--no-maglev",
  "--invocation-count-for-turbofan=100000",
];

/**
 * Words of `deno compile` before the output and the main module. Permissions: what crxn needs and no more. --no-code-cache:
 * the cache would be a predictable file in /tmp, read by root. --no-prompt: a missing permission is an error, not a question.
 * --no-config: the bundle stands alone.
 */
export const compileFlags = (): string[] => [
  "compile",
  "--quiet",
  "--no-config",
  "--no-code-cache",
  "--no-prompt",
  `--v8-flags=${V8.join(",")}`,
  ...permissionFlags(),
];
