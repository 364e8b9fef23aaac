/**
 * What a binary begins with that has V8's compiled code in it (code_cache.ts): crxn as a script, of which nothing that the code has
 * is parsed or compiled at a start.
 */

import type { AheadRunner } from "../machine/ahead.ts";
import type { ExitCode } from "../gateway/errors.ts";
import type { Runner } from "../machine/run.ts";

/** What there is a script of, and code: that with which help is given, and all of crxn. */
export const PARTS = ["words", "whole"] as const;
export type Part = typeof PARTS[number];

export const scriptOf = (part: Part): string => `${part}.js`;
export const codeOf = (part: Part): string => `${part}.bin`;

/**
 * Both files, by Deno's loader of modules: its functions for files look at the path, and where TMPDIR is below /dev they take an
 * embedded file for a device.
 */
export type Files = Record<Part, () => Promise<[text: string, code: Uint8Array]>>;

/** What whole.ts exports. */
export interface Whole {
  main(args: string[], runner?: Runner): Promise<ExitCode>;
  asking(args: string[]): Promise<AheadRunner | undefined>;
  start(args: string[]): Promise<never>;
  placeFiles(root: string): void;
}

/** The smaller one is sooner there. */
export const partFor = ([first = "--help", ...more]: string[]): Part =>
  more.length === 0 && ["--help", "-h", "--version"].includes(first) ? "words" : "whole";

/**
 * @param text a function of `module` and `exports`, as of a module in CommonJS
 * @param code with which V8 need not compile the text. It asks for its own version, its flags and the length of the text; if one of
 *   them is another, all is as without it
 */
export function load(part: Part, text: string, code?: Uint8Array) {
  const { Script } = globalThis.process.getBuiltinModule("node:vm");
  const script = new Script(text, { filename: scriptOf(part), ...(code ? { cachedData: code } : {}) });
  const module = { exports: {} as Whole };
  script.runInThisContext()(module, module.exports);
  return { script, whole: module.exports };
}

/** Called by the main module, which the build writes. */
export async function begin(args: string[], files: Files): Promise<never> {
  const part = partFor(args);
  return await load(part, ...await files[part]()).whole.start(args);
}
