/** crxn as scripts, and what V8 makes of them, for the binary (start.ts). */

import { sha256Of } from "../machine/download.ts";
import { parent } from "../machine/files.ts";
import { bundle, stamp } from "./bundle.ts";
import { baseFlags } from "./flags.ts";
import { codeOf, type Part, PARTS, scriptOf } from "./start.ts";

/** `deno compile` with these words, for this very machine and with the base binary of the binary. */
export type Compile = (words: string[], output: string, main: string) => Promise<void>;

/**
 * From Deno 2.8 on node:vm, by which code is given to V8, takes as long to load as the code saves (docs/facts.md).
 * @returns whether a binary of this Deno is to have it
 */
export const isWorthIt = (version: string): boolean => {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major === 2 && minor < 8;
};

const own = (name: string): string => new URL(name, import.meta.url).pathname;

/**
 * V8 notes in the code what it has learned of it while it ran: of what kind the strings were that were compared, which a garbage
 * collection decides, and what it has compiled once more. Where the code is made none of it is to be chance (docs/facts.md).
 */
const CALM = [
  ...["--min-semi-space-size=512", "--max-semi-space-size=512", "--initial-heap-size=2048", "--no-flush-bytecode"],
  ...["--no-sparkplug", "--no-profile-guided-optimization"],
  ...["--hash-seed=1", "--random-seed=1", "--single-threaded"],
];

/**
 * Writes main module, scripts and codes.
 * @param folder where they go
 * @param compile V8 takes only what the same base binary has made, on the same kind of processor
 * @returns the main module; the rest it imports
 * @throws Error with what failed
 */
export async function codeCache(folder: string, origin: string, compile: Compile): Promise<string> {
  await bundle(own("start.ts"), `${folder}/start.js`, ["--minify"]);
  for (const part of PARTS) await script(part, `${folder}/${scriptOf(part)}`, origin);
  // Not in /tmp, where programs may be forbidden.
  const temporary = await Deno.makeTempDir({ dir: parent(folder), prefix: "warm-" });
  try {
    const [made, tried] = [`${temporary}/made`, `${temporary}/tried`];
    await bundle(own("warm.ts"), `${temporary}/warm.js`);
    await compile([...baseFlags(CALM), "--allow-all"], made, `${temporary}/warm.js`);
    await compile([...baseFlags(), "--allow-all"], tried, `${temporary}/warm.js`);
    for (const part of PARTS) {
      await alike(`${folder}/${codeOf(part)}`, () => warm(made, folder, part, temporary));
      await warm(tried, folder, part);
    }
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
  const main = `${folder}/begin.js`;
  await Deno.writeTextFile(main, MAIN);
  return main;
}

const MAIN = [
  'import { begin } from "./start.js";',
  "const files = {",
  ...PARTS.map((part) =>
    `  ${part}: async () => [(await import("./${scriptOf(part)}", { with: { type: "text" } })).default, ` +
    `(await import("./${codeOf(part)}", { with: { type: "bytes" } })).default],`
  ),
  "};",
  "begin(Deno.args, files);",
  "",
].join("\n");

async function script(part: Part, file: string, origin: string): Promise<void> {
  const without = part === "words" ? (await called()).flatMap((module) => ["--external", module]) : [];
  await bundle(own("whole.ts"), file, ["--minify", "--format", "cjs", ...without]);
  await stamp([file], origin);
  const text = await Deno.readTextFile(file);
  const missing = /\brequire\("\.[^"]*"\)/.exec(text)?.[0];
  if (missing) throw new Error(`${scriptOf(part)} has ${missing}, which is left out of it`);
  const closed = text.replace(/\bimport\("\.[^"]*"\)/g, 'Promise.reject(new Error("left out"))');
  // A module is strict by itself.
  await Deno.writeTextFile(file, `(function(module,exports){"use strict";${closed}\n})`);
}

/** What is loaded for commands alone. */
async function called(): Promise<string[]> {
  const text = await Deno.readTextFile(own("../commands/program.ts"));
  return ["./machine/ahead.ts", ...new Set([...text.matchAll(/\bimport\("([^"]+)"\)/g)].map(([, module]) => module!))];
}

async function warm(program: string, ...args: string[]): Promise<void> {
  // Neither colours nor the session of whoever builds it.
  const { success, stderr } = await new Deno.Command(program, { args, clearEnv: true, stdin: "null", stdout: "null" })
    .output();
  const said = new TextDecoder().decode(stderr).trimEnd().split("\n").slice(-20).join("\n");
  if (!success) throw new Error(`crxn could not be compiled ahead:\n${said}`);
}

/** Until the same file has come out twice: what is left of chance is rare. @throws Error if it does not */
async function alike(file: string, make: () => Promise<void>): Promise<void> {
  const sums = new Set<string>();
  for (let n = 0; n < 6; n++) {
    await make();
    const sum = await sha256Of(await Deno.readFile(file));
    if (sums.has(sum)) return;
    sums.add(sum);
  }
  throw new Error(`${file} is another one each time`);
}
