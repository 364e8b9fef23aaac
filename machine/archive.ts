/** A daemon out of a .deb, which is taken apart and not installed: its scripts would make configs and start services. */

import { Program } from "../gateway/action.ts";
import { CrxnError, Exit } from "../gateway/errors.ts";
import { inDownloads } from "./download.ts";
import { at } from "./place.ts";
import { failure, type Runner } from "./run.ts";

const FOLDERS = ["bin", "sbin", "usr/bin", "usr/sbin", "usr/local/bin", "usr/local/sbin"];

/** A daemon's name, and not that of what talks to it or makes keys for it. */
const isDaemon = (name: string) => /^yggdrasil/.test(name) && !/(ctl|genkeys)$/.test(name);

/**
 * The one daemon in a package of Debian's form.
 * @param archive the .deb, verified
 * @throws CrxnError 69 when it is damaged, or holds no daemon, or several
 */
export async function daemonOf(
  runner: Runner,
  archive: Uint8Array,
  url: string,
): Promise<{ bytes: Uint8Array; name: string }> {
  return await inDownloads(0, async (folder) => {
    const [deb, tree] = [`${folder}/package.deb`, `${folder}/tree`];
    await Deno.writeFile(at(deb), archive, { mode: 0o600 });
    const result = await runner.run([Program.dpkgDeb, "--extract", deb, tree], { timeoutSeconds: 300 });
    if (result.code !== 0) {
      throw unusable(`${url} is a .deb that dpkg-deb cannot take apart`, failure(result).detail?.text);
    }
    const found = (await Promise.all(FOLDERS.map((name) => executablesIn(tree, name)))).flat();
    const daemons = found.filter((path) => isDaemon(path.slice(path.lastIndexOf("/") + 1)));
    const [daemon] = daemons;
    if (daemons.length > 1) throw unusable(`the .deb ${url} holds several daemons: ${daemons.join(", ")}`);
    if (!daemon) {
      throw unusable(`the .deb ${url} holds no daemon yggdrasil* (its programs: ${found.join(", ") || "none"})`);
    }
    return { bytes: await Deno.readFile(at(tree + daemon)), name: `${daemon} of ${url}` };
  });
}

/** Plain files that may be executed, by their paths in the package. Links could lead out of it. */
async function executablesIn(tree: string, folder: string): Promise<string[]> {
  const real = await Deno.realPath(at(`${tree}/${folder}`)).catch(() => undefined);
  if (real !== `${await Deno.realPath(at(tree))}/${folder}`) return [];
  const entries = await Array.fromAsync(Deno.readDir(real));
  return entries.filter((e) => e.isFile && ((Deno.lstatSync(`${real}/${e.name}`).mode ?? 0) & 0o111) !== 0)
    .map((e) => `/${folder}/${e.name}`).sort();
}

const unusable = (what: string, text?: string) =>
  new CrxnError(
    Exit.unavailable,
    `overlay.daemon: ${what}.`,
    "Take the one executable out of it, and name where that can be fetched, with its own SHA-256. Nothing was installed.",
    text ? { text } : undefined,
  );
