/**
 * `deno task build`: dist/crxn, one binary. Bundled and minified first, a file for each command, for that halves its start.
 *
 * Beside it the bill of materials (crxn.cdx.json) and SHA256SUMS. The same commit and the same Deno give the same bytes.
 *
 * DENORT_BIN names another base binary than the one that `deno compile` downloads (it must be of the running version).
 */

import { commitOf } from "./commit.ts";
import { compile, DIST, ROOT, scripts, type Target, writeBom, writeSums } from "./compile.ts";

const { origin } = await commitOf(ROOT);
await using made = await scripts(origin);
try {
  await compile(made, `${DIST}crxn`, Deno.build.arch as Target);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  Deno.exitCode = 1;
}
if (Deno.exitCode === 0) {
  await writeSums(["crxn", await writeBom()]);
  const { size } = await Deno.stat(`${DIST}crxn`);
  console.log(`dist/crxn: ${(size / 1e6).toFixed(0)} MB, of ${origin}, built with Deno ${Deno.version.deno}`);
}
