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

/** What whole.ts exports. */
export interface Whole {
  main(args: string[], runner?: Runner): Promise<ExitCode>;
  asking(args: string[]): Promise<AheadRunner | undefined>;
  placeFiles(root: string): void;
}

/** The smaller one is sooner there. */
export const partFor = ([first = "--help", ...more]: string[]): Part =>
  more.length === 0 && ["--help", "-h", "--version"].includes(first) ? "words" : "whole";

/**
 * @param text a function of `module` and `exports`, as of a module in CommonJS
 * @param code with which V8 need not compile the text. It looks whether that is its own; if not, all is as without it
 */
export function load(part: Part, text: string, code?: Uint8Array) {
  const { Script } = globalThis.process.getBuiltinModule("node:vm");
  const script = new Script(text, { filename: scriptOf(part), ...(code ? { cachedData: code } : {}) });
  const module = { exports: {} as Whole };
  script.runInThisContext()(module, module.exports);
  return { script, whole: module.exports };
}

async function start(args: string[]): Promise<never> {
  const part = partFor(args);
  const at = (name: string) => `${import.meta.dirname}/${name}`;
  const { whole } = load(part, Deno.readTextFileSync(at(scriptOf(part))), Deno.readFileSync(at(codeOf(part))));
  Deno.exit(await whole.main(args, await whole.asking(args)));
}

if (import.meta.main) start(Deno.args);
