/** How the rules about values that belong together report what they find. */
import type { Finding } from "./problem.ts";

/** @param at whether the key or the value is meant */
export type Report = (path: Finding["path"], message: string, remedy: string, at?: "key") => void;

/** Reports each text of a list that stood in it before. */
export function duplicates(list: (string | undefined)[], report: (index: number, text: string) => void): void {
  const before = new Set<string>();
  for (const [index, text] of list.entries()) {
    if (text === undefined) continue;
    if (before.has(text)) report(index, text);
    before.add(text);
  }
}
