/** crxn as scripts, and what V8 makes of them, for the binary (start.ts). */

import { sha256Of } from "../machine/download.ts";
import { bundle, stamp } from "./bundle.ts";
import { baseFlags } from "./flags.ts";
import { codeOf, type Part, PARTS, scriptOf } from "./start.ts";

/** `deno compile` with these arguments, for this very machine and with the base binary of the binary. */
export type Compile = (args: string[]) => Promise<void>;

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
 * Writes main module, scripts and codes.
 * @param folder where they go
 * @param compile V8 takes only what the same base binary has made, on the same kind of processor
 * @returns the main module, and what it reads
 * @throws Error with what failed
 */
export async function codeCache(
  folder: string,
  origin: string,
  compile: Compile,
): Promise<{ main: string; files: string[] }> {
  const main = `${folder}/start.js`;
  await bundle(own("start.ts"), main, ["--minify"]);
  for (const part of PARTS) await script(part, `${folder}/${scriptOf(part)}`, origin);
  const temporary = await Deno.makeTempDir({ prefix: "crxn-build-" });
  try {
    await bundle(own("warm.ts"), `${temporary}/warm.js`);
    const program = `${temporary}/warm`;
    await compile([...baseFlags(), "--allow-all", "--output", program, `${temporary}/warm.js`]);
    for (const part of PARTS) {
      await alike(`${folder}/${codeOf(part)}`, () => warm(program, folder, part, temporary));
      await warm(program, folder, part);
    }
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
  return { main, files: PARTS.flatMap((part) => [scriptOf(part), codeOf(part)]).map((name) => `${folder}/${name}`) };
}

async function script(part: Part, file: string, origin: string): Promise<void> {
  const without = part === "words" ? (await called()).flatMap((module) => ["--external", module]) : [];
  await bundle(own("whole.ts"), file, ["--minify", "--format", "cjs", ...without]);
  await stamp([file], origin);
  const text = await Deno.readTextFile(file);
  const missing = /\brequire\("\.[^"]*"\)/.exec(text)?.[0];
  if (missing) throw new Error(`${scriptOf(part)} has ${missing}, which is left out of it`);
  // A module is strict by itself.
  await Deno.writeTextFile(file, `(function(module,exports){"use strict";${text}\n})`);
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

/** How often the same bytes have to come, and after how many tries it is enough. */
const TIMES = { alike: 4, most: 20 };

/**
 * Until a file has come out the same some times. One time in twenty V8 notes in it that it has compiled a function once more:
 * by its other threads, at a time that is chance.
 */
async function alike(file: string, make: () => Promise<void>): Promise<void> {
  const seen = new Map<string, number>();
  for (let n = 0; n < TIMES.most; n++) {
    await make();
    const sum = await sha256Of(await Deno.readFile(file));
    const count = (seen.get(sum) ?? 0) + 1;
    if (count === TIMES.alike) return;
    seen.set(sum, count);
  }
  throw new Error(`of ${TIMES.most} tries no ${TIMES.alike} gave the same code`);
}
