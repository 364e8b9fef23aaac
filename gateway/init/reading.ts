/** What was typed, read by the config's own kinds. Pure. */

import { Fault, quote } from "../config/problem.ts";
import { interfaceName, type Kind } from "../config/values.ts";
import type { Terrain } from "./terrain.ts";

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

/** The name of a link that is there; the name itself is judged first. */
export const existing = ({ links }: Pick<Terrain, "links">) => (text: string): string => {
  const name = interfaceName.read(text);
  if (links.some((l) => l.name === name)) return name;
  const others = links.map((l) => l.name).filter((n) => n !== "lo").join(", ");
  throw new Fault("does not exist on this machine", `bring it up first, or name one of ${others || "(none)"}`);
};
