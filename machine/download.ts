/** Downloads, by apt's own downloader: it knows this machine's proxies and authorities, and checks the sum. */

import { Program } from "../gateway/action.ts";
import { CrxnError, Exit } from "../gateway/errors.ts";
import { Path } from "../gateway/names.ts";
import { parent, removeTree } from "./files.ts";
import { at } from "./place.ts";
import { failure, type Result, type Runner } from "./run.ts";

/**
 * What a URL gives, once its sum is right. Nothing of it stays on the disk.
 * @throws CrxnError 69 when it cannot be fetched or has another sum
 */
export async function download(runner: Runner, { url, sha256 }: { url: string; sha256: string }): Promise<Uint8Array> {
  return await inDownloads(await downloader(url), async (folder) => {
    const target = `${folder}/download`;
    // A file: is read with root's own rights, as whoever wrote its path into the config had in mind.
    const sandbox = url.startsWith("file:") ? ["-o", "APT::Sandbox::User=root"] : [];
    const argv = [Program.aptHelper, ...sandbox, "download-file", url, target, `SHA256:${sha256}`];
    const result = await runner.run(argv, { timeoutSeconds: 1800 });
    const received = /Hashes of received file:\s*- SHA256:([0-9a-f]{64})/.exec(result.stderr)?.[1];
    if (received && received !== sha256) throw wrongSum(url, sha256, received);
    if (result.code !== 0) throw notFetched(url, result);
    // apt leaves a link to what it has read by file:. Once in memory the bytes cannot change any more.
    const bytes = await Deno.readFile(at(target)).catch(() => undefined);
    if (!bytes) throw notFetched(url, result);
    const sum = await sha256Of(bytes);
    if (sum !== sha256) throw wrongSum(url, sha256, sum);
    return bytes;
  });
}

/** In hex. */
export async function sha256Of(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (b) => b.toString(16).padStart(2, "0")).join("");
}

/** A folder for the time of `work`, that nobody but `owner` and root can look into; what a kill left of it goes first. */
export async function inDownloads<T>(owner: number, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = Path.downloads;
  await removeTree(folder);
  await Deno.mkdir(at(parent(folder)), { recursive: true });
  await Deno.mkdir(at(folder), { mode: 0o700 });
  try {
    await Deno.chown(at(folder), owner, 0);
    return await work(folder);
  } finally {
    await removeTree(folder);
  }
}

/** apt gives up root's rights for what comes from the network, if there is its user. */
async function downloader(url: string): Promise<number> {
  if (url.startsWith("file:")) return 0;
  const users = await Deno.readTextFile(at("/etc/passwd")).catch(() => "");
  return Number(/^_apt:[^:]*:(\d+):/m.exec(users)?.[1] ?? 0);
}

function wrongSum(url: string, expected: string, received: string): CrxnError {
  return new CrxnError(
    Exit.unavailable,
    `overlay.daemon: what ${url} gives has the SHA-256 ${received}, not ${expected} as the config says.`,
    "Compare with the sum that its publisher names: correct overlay.daemon.sha256 if the file is the right one, " +
      "else overlay.daemon.url. Nothing was installed.",
    { json: { url, expected, received } },
  );
}

function notFetched(url: string, result: Result): CrxnError {
  const why = /^E: Failed to fetch \S+\s+(.*)$/m.exec(result.stderr)?.[1]?.trim();
  return new CrxnError(
    Exit.unavailable,
    `overlay.daemon: ${url} cannot be fetched${why ? `: ${why}` : ""}.`,
    "Check overlay.daemon.url, and that this machine reaches it (https:// needs the package ca-certificates); " +
      "then try again. Nothing was installed.",
    failure(result).detail,
  );
}
