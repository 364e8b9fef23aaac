/** From sources to a binary. */

import { elfFault } from "../gateway/elf.ts";
import { sha256Of } from "../machine/download.ts";
import { parent } from "../machine/files.ts";
import { bom } from "./bom.ts";
import { split } from "./bundle.ts";
import { codeCache, isWorthIt } from "./code_cache.ts";
import { compileFlags } from "./flags.ts";

export const ROOT = new URL("..", import.meta.url).pathname;
export const DIST = `${ROOT}dist/`;

/** What a release is made for: Debian's name of it, and which variable names a base binary that cannot be downloaded. */
export const TARGETS = {
  x86_64: { triple: "x86_64-unknown-linux-gnu", debian: "amd64", denort: "DENORT_BIN" },
  aarch64: { triple: "aarch64-unknown-linux-gnu", debian: "arm64", denort: "DENORT_BIN_AARCH64" },
} as const;
export type Target = keyof typeof TARGETS;

export interface Scripts {
  /** The main module. */
  main: string;
  /** What `crxn --version` says of the sources. */
  origin: string;
}

/** The binary keeps the times of its files (reproducible-builds.org/docs/source-date-epoch). */
const TIME = Number(Deno.env.get("SOURCE_DATE_EPOCH") ?? 0);

/**
 * Everything as JavaScript, for {@linkcode compile}. It goes when the returned object is disposed of.
 * @param folder made anew: what a build that was killed has left there would get into the binary
 */
export async function scripts(origin: string, folder = `${DIST}scripts`): Promise<AsyncDisposable & Scripts> {
  await removed(folder);
  await Deno.mkdir(folder, { recursive: true });
  await split(`${ROOT}main.ts`, folder, origin);
  await dated(folder);
  return { main: `${folder}/main.js`, origin, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

async function dated(folder: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) await Deno.utime(`${folder}/${name}`, TIME, TIME);
}

async function removed(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * @param scripts what {@linkcode scripts} has made
 * @throws Error with what `deno compile` said, or when its base binary is for another machine
 */
export async function compile({ main, origin }: Scripts, output: string, target: Target): Promise<void> {
  const own = target === Deno.build.arch && isWorthIt(Deno.version.deno)
    ? await codeCache(parent(main), origin, (words, output, main) => denoCompile(words, output, main, target))
    : undefined;
  if (own) await dated(parent(own));
  await denoCompile(compileFlags(), output, own ?? main, target);
}

/** @throws Error with what `deno compile` said, or when its base binary is for another machine */
async function denoCompile(words: string[], output: string, main: string, target: Target): Promise<void> {
  const { triple, denort } = TARGETS[target];
  const { DENORT_BIN: _, ...env } = Deno.env.toObject();
  const base = Deno.env.get(denort);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["compile", ...words, "--target", triple, "--output", output, main],
    clearEnv: true,
    // `deno compile` takes DENORT_BIN for every target.
    env: { ...env, ...(base ? { DENORT_BIN: base } : {}) },
    stdin: "null",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).split("\nStack backtrace")[0]!.trim());
  if (elfFault(await head(output), target) === undefined) return;
  await Deno.remove(output);
  throw new Error(`the base binary is made for another machine: see ${denort}`);
}

async function head(path: string): Promise<Uint8Array> {
  using file = await Deno.open(path);
  const bytes = new Uint8Array(20);
  await file.read(bytes);
  return bytes;
}

/** dist/SHA256SUMS of these files of dist/, as sha256sum(1) writes it. */
export async function writeSums(names: string[]): Promise<void> {
  const lines = await Promise.all(names.map(async (name) => {
    return `${await sha256Of(await Deno.readFile(DIST + name))}  ${name}\n`;
  }));
  await Deno.writeTextFile(`${DIST}SHA256SUMS`, lines.join(""));
}

/** A JSON file of the repository. */
const json = async (name: string) => JSON.parse(await Deno.readTextFile(ROOT + name));

/** Writes the bill of materials. @returns its name in dist/ */
export async function writeBom(): Promise<string> {
  const materials = bom(await json("deno.lock"), (await json("deno.json")).version, Deno.version.deno);
  await Deno.writeTextFile(`${DIST}crxn.cdx.json`, `${JSON.stringify(materials, null, 2)}\n`);
  return "crxn.cdx.json";
}
