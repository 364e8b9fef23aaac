/**
 * Files of proc(5). crxn itself may not open them (gateway/permissions.ts): what a process may read there decides over more than
 * reading, so Deno gives it to none that has not every permission. grep(1) reads them, many in one call, each line with its file's name.
 */

import { Program } from "../gateway/action.ts";
import type { Runner } from "./run.ts";

/** Every line of every file; one that is not there, or may not be read, has none. */
export const procQuestion = (files: readonly string[]): string[] => [Program.grep, "-aHs", "", "--", ...files];

/** @returns file -> its text, of those that have any */
export function parseProc(output: string, files: readonly string[]): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const line of output.split("\n")) {
    const file = files.find((f) => line.startsWith(`${f}:`));
    if (file !== undefined) texts[file] = `${texts[file] ?? ""}${line.slice(file.length + 1)}\n`;
  }
  return texts;
}

export async function readProc(runner: Runner, files: readonly string[]): Promise<Record<string, string>> {
  return parseProc((await runner.run(procQuestion(files))).stdout, files);
}
