/** What was typed, read by the config's own kinds. Pure. */

import { Fault, quote } from "../config/problem.ts";
import type { Kind } from "../config/values.ts";

/** One value of a kind. */
export const one = (kind: Kind) => (text: string): string[] => [kind.read(text)];

/** Values of a kind, with commas or spaces between them. */
export const several = (kind: Kind) => (text: string): string[] => {
  const words = text.split(/[\s,]+/).filter((word) => word !== "");
  return words.map((word) => {
    try {
      return kind.read(word);
    } catch (fault) {
      // Of several the one that is meant.
      if (fault instanceof Fault && words.length > 1) {
        throw new Fault(`${fault.message} (${quote(word)})`, fault.remedy);
      }
      throw fault;
    }
  });
};

/** One of some words, or the beginning of one. */
export const choice = (words: string[]) => (text: string): string[] => {
  const found = words.filter((w) => w === text.toLowerCase() || w.startsWith(text.toLowerCase()));
  if (text === "" || found.length !== 1) throw new Fault("is none of the choices", `write ${words.join(" or ")}`);
  return found;
};
