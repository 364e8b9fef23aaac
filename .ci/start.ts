/**
 * What a binary begins with that has V8's compiled code in it (code_cache.ts): crxn as a script, of which nothing that the code has
 * is parsed or compiled at a start.
 */

import type { AheadRunner } from "../machine/ahead.ts";
import type { ExitCode } from "../gateway/errors.ts";
import type { Runner } from "../machine/run.ts";

/** What there is a script of, and code: that with which help is given, and all of crxn. */
export const NAMES = ["words", "whole"] as const;
export type Name = typeof NAMES[number];

export const scriptOf = (name: Name): string => `${name}.js`;
export const codeOf = (name: Name): string => `${name}.bin`;

/**
 * Both files, by Deno's loader of modules: its functions for files look at the path, and where TMPDIR is below /dev they take an
 * embedded file for a device.
 */
export type Parts = Record<Name, () => Promise<[text: string, code: Uint8Array]>>;

/** What whole.ts exports. */
export interface Whole {
  main(args: string[], runner?: Runner): Promise<ExitCode>;
  asking(args: string[]): Promise<AheadRunner | undefined>;
  placeFiles(root: string): void;
}

/** The smaller one is sooner there. */
export const partFor = ([first = "--help", ...more]: string[]): Name =>
  more.length === 0 && ["--help", "-h", "--version"].includes(first) ? "words" : "whole";

/**
 * @param text a function of `module` and `exports`, as of a module in CommonJS
 * @param code with which V8 need not compile the text. It asks for its own version, its flags and the length of the text; if one of
 *   them is another, all is as without it
 */
export function load(name: Name, text: string, code?: Uint8Array) {
  const { Script } = globalThis.process.getBuiltinModule("node:vm");
  const script = new Script(text, { filename: scriptOf(name), ...(code ? { cachedData: code } : {}) });
  const module = { exports: {} as Whole };
  script.runInThisContext()(module, module.exports);
  return { script, whole: module.exports };
}

/** Called by the main module, which the build writes. */
export async function start(args: string[], parts: Parts): Promise<never> {
  const name = partFor(args);
  const { whole } = load(name, ...await parts[name]());
  Deno.exit(await whole.main(args, await whole.asking(args)));
}
