import { must } from "./process.ts";

// Where the rig keeps things on the host.

/** What outlives a run: images, downloaded packages, builds of the product. */
export function cacheDirectory(): string {
  const base = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? "/root"}/.cache`;
  return `${base}/crxn-rig`;
}

/** All runs that are alive (or whose cleanup is due) have a directory here. */
export const RUNS = "/run/crxn-rig";

/** The directory of one run: its state, its sockets, and `disk`, a tmpfs with the machines' own files. */
export function runDirectory(run: string): string {
  return `${RUNS}/${run}`;
}

/** Hexadecimal SHA-256 of a text, or of bytes. */
export async function sha256(content: string | Uint8Array): Promise<string> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Gives `target` once: when it is not there, `make` fills a temporary path, which then takes its name.
 * Of several processes that want it at a time one works and the others wait.
 */
export async function cached(target: string, make: (temporary: string) => Promise<void>): Promise<string> {
  if (await exists(target)) return target;
  const [directory, name] = [target.slice(0, target.lastIndexOf("/")), target.slice(target.lastIndexOf("/") + 1)];
  await Deno.mkdir(directory, { recursive: true });
  using lock = await Deno.open(`${target}.lock`, { create: true, write: true });
  await lock.lock(true);
  if (await exists(target)) return target;
  // What a killed process left half done; something may still be mounted in it.
  const stale = (await Array.fromAsync(Deno.readDir(directory))).filter((entry) =>
    entry.name.startsWith(`${name}.new-`)
  );
  for (const entry of stale) await must(["rm", "-rf", "--one-file-system", `${directory}/${entry.name}`]);
  const temporary = `${target}.new-${crypto.randomUUID().slice(0, 8)}`;
  await make(temporary);
  await Deno.rename(temporary, target);
  return target;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
