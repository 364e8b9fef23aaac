/**
 * `deno task build`: dist/crxn, one binary. Bundled and minified first, a file for each command, for that halves its start.
 *
 * Beside it the bill of materials (crxn.cdx.json) and SHA256SUMS. The same sources and the same Deno give the same bytes.
 *
 * DENORT_BIN names another base binary than the one that `deno compile` downloads (it must be of the running version).
 */

import { bom } from "./bom.ts";
import { split } from "./bundle.ts";
import { compileFlags } from "./flags.ts";

const root = new URL("..", import.meta.url).pathname;
await Deno.mkdir(`${root}dist`, { recursive: true });
const scripts = `${root}dist/scripts`;
await split(`${root}main.ts`, scripts);

// The binary keeps the times of its files (reproducible-builds.org/docs/source-date-epoch).
const time = Number(Deno.env.get("SOURCE_DATE_EPOCH") ?? 0);
for await (const { name } of Deno.readDir(scripts)) await Deno.utime(`${scripts}/${name}`, time, time);

const { code } = await new Deno.Command(Deno.execPath(), {
  args: [...compileFlags(), "--output", `${root}dist/crxn`, `${scripts}/main.js`],
}).output().then(({ code, stderr }) => {
  if (code !== 0) console.error(new TextDecoder().decode(stderr));
  return { code };
});
if (code !== 0) Deno.exit(1);
await Deno.remove(scripts, { recursive: true });

const json = async (name: string) => JSON.parse(await Deno.readTextFile(`${root}${name}`));
const materials = bom(await json("deno.lock"), (await json("deno.json")).version, Deno.version.deno);
await Deno.writeTextFile(`${root}dist/crxn.cdx.json`, `${JSON.stringify(materials, null, 2)}\n`);
const sums = await Promise.all(["crxn", "crxn.cdx.json"].map(async (name) => {
  const sum = await crypto.subtle.digest("SHA-256", await Deno.readFile(`${root}dist/${name}`));
  return `${Array.from(new Uint8Array(sum), (b) => b.toString(16).padStart(2, "0")).join("")}  ${name}\n`;
}));
await Deno.writeTextFile(`${root}dist/SHA256SUMS`, sums.join(""));
const { size } = await Deno.stat(`${root}dist/crxn`);
console.log(`dist/crxn: ${(size / 1e6).toFixed(0)} MB, built with Deno ${Deno.version.deno}`);
