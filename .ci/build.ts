/**
 * `deno task build`: dist/crxn, one binary. Bundled and minified first, a file for each command, for that halves its start.
 *
 * DENORT_BIN names another base binary than the one that `deno compile` downloads (it must be of the running version).
 */

import { split } from "./bundle.ts";

const root = new URL("..", import.meta.url).pathname;
await Deno.mkdir(`${root}dist`, { recursive: true });
const scripts = `${root}dist/scripts`;
await split(`${root}main.ts`, scripts);

// --no-code-cache: the cache would be a predictable file in /tmp, read by root. --no-prompt: a missing permission is an
// error, not a question. --no-config: the bundle stands alone.
// V8: most runs are over before code compiled in between (Sparkplug, Maglev) pays, and before 16 MB are used, without which
// the garbage collector runs several times at every start. What runs long is compiled by Turbofan as ever.
const V8 = ["--min-semi-space-size=16", "--no-sparkplug", "--no-maglev"];
const { code } = await new Deno.Command(Deno.execPath(), {
  args: [
    "compile",
    "--quiet",
    "--no-config",
    "--no-code-cache",
    "--no-prompt",
    `--v8-flags=${V8.join(",")}`,
    "--allow-all",
    "--output",
    `${root}dist/crxn`,
    `${scripts}/main.js`,
  ],
}).output().then(({ code, stderr }) => {
  if (code !== 0) console.error(new TextDecoder().decode(stderr));
  return { code };
});
if (code !== 0) Deno.exit(1);
await Deno.remove(scripts, { recursive: true });
const { size } = await Deno.stat(`${root}dist/crxn`);
console.log(`dist/crxn: ${(size / 1e6).toFixed(0)} MB, built with Deno ${Deno.version.deno}`);
