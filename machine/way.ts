/** The way to a file: every folder and every symbolic link that it leads through. */

import type { Visited } from "../gateway/trail.ts";
import { at } from "./place.ts";

/** The way to a path, symbolic links followed one by one: path_resolution(7). */
export interface Way {
  /** Every folder on it, and what is at its end: the first that is missing, where one is. */
  trail: Visited[];
  /** The links themselves. */
  links: Visited[];
  /** What the path names beyond that which is missing. */
  beyond: string[];
}

export async function wayTo(path: string): Promise<Way> {
  const [trail, links] = [[await visit("/")], [] as Visited[]];
  const todo = wordsOf(path);
  let here = "";
  while (todo.length > 0) {
    const word = todo.shift()!;
    if (word === "..") {
      here = here.slice(0, here.lastIndexOf("/"));
      continue;
    }
    const next = `${here}/${word}`;
    const link = await Deno.readLink(at(next)).catch(() => undefined);
    if (link !== undefined && links.length < 40) {
      links.push(await visit(next));
      if (link.startsWith("/")) here = "";
      todo.unshift(...wordsOf(link));
      continue;
    }
    trail.push(await visit(next));
    if (trail.at(-1)!.type === "missing") break;
    here = next;
  }
  return { trail, links, beyond: todo };
}

export const trailOf = async (path: string): Promise<Visited[]> => (await wayTo(path)).trail;

const wordsOf = (path: string) => path.split("/").filter((word) => word !== "" && word !== ".");

async function visit(path: string): Promise<Visited> {
  const info = await Deno.lstat(at(path)).catch(absent);
  if (!info) return { path, type: "missing", mode: 0, uid: 0, gid: 0 };
  const type = info.isFile ? "file" : info.isDirectory ? "folder" : "other";
  return { path, type, mode: (info.mode ?? 0) & 0o7777, uid: info.uid ?? 0, gid: info.gid ?? 0 };
}

/** Nothing of that name is an answer; everything else is a fault. */
export function absent(error: unknown): undefined {
  if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
  throw error;
}
