import { bundle } from "../../.ci/bundle.ts";
import { cached, cacheDirectory, sha256 } from "./paths.ts";
import type { Place } from "./place.ts";

const REPOSITORY = new URL("../../", import.meta.url).pathname.replace(/\/$/, "");
const MAIN = `${REPOSITORY}/main.ts`;

/** The directory of the host that every machine sees, read-only, as /opt/crxn. */
export function productDirectory(): string {
  const directory = `${cacheDirectory()}/product`;
  Deno.mkdirSync(directory, { recursive: true });
  return directory;
}

/**
 * Puts the crxn under test at /usr/local/bin/crxn of a machine: the compiled binary that CRXN_BIN names or, without it,
 * a script that runs a bundle of the sources (made once for each state of them) with this Deno.
 * @param entry the main module, default main.ts of this repository
 */
export async function installProduct(machine: Place, entry = MAIN): Promise<void> {
  const binary = Deno.env.get("CRXN_BIN");
  if (binary) return await machine.push(binary, "/usr/local/bin/crxn", 0o755);
  await installProgram(machine, entry, "/usr/local/bin/crxn");
}

/**
 * Puts a program of the sources at `path` of a machine.
 * @param root the directory of everything that it is made of; default that of its main module
 */
export async function installProgram(machine: Place, entry: string, path: string, root?: string): Promise<void> {
  const [deno, bundle] = [await sharedDeno(), await bundled(entry, root)];
  const script = [
    "#!/bin/sh",
    // Nothing of this stand-in may look like a file of crxn or of the machine.
    "export DENO_DIR=/run/crxn-deno DENO_NO_UPDATE_CHECK=1",
    `exec /opt/crxn/${deno} run -A --no-prompt --cached-only --no-config /opt/crxn/${bundle} "$@"`,
    "",
  ];
  await machine.write(path, script.join("\n"), 0o755);
}

/** The files of the host that {@linkcode installProduct} relies on, for machines that cannot see the directory. */
export async function productFiles(): Promise<string[]> {
  const binary = Deno.env.get("CRXN_BIN");
  if (binary) return [binary];
  return [await sharedDeno(), await bundled(MAIN)].map((name) => `${productDirectory()}/${name}`);
}

/** The running Deno's executable in the product directory; its name there. A hard link where the disk is the same. */
async function sharedDeno(): Promise<string> {
  const { size, mtime } = await Deno.stat(Deno.execPath());
  const name = `deno-${Deno.version.deno}-${(await sha256(`${size} ${mtime?.getTime()}`)).slice(0, 8)}`;
  await cached(`${productDirectory()}/${name}`, async (temporary) => {
    await Deno.link(Deno.execPath(), temporary).catch(() => Deno.copyFile(Deno.execPath(), temporary));
  });
  return name;
}

/** The bundle of the sources as they are now; its name in the product directory. */
async function bundled(entry: string, directory = entry.slice(0, entry.lastIndexOf("/"))): Promise<string> {
  const sources = [...new Set([entry, ...await sourcesBelow(directory)])].sort();
  const parts = await Promise.all(sources.map(async (path) => `${path}\n${await Deno.readTextFile(path)}`));
  const name = `crxn-${(await sha256([Deno.version.deno, entry, ...parts].join("\0"))).slice(0, 16)}.js`;
  await cached(`${productDirectory()}/${name}`, async (temporary) => {
    // Its bundler is downloaded at the first use; before Deno 2.9 only this makes it trust the host's own authorities.
    await bundle(entry, temporary);
  });
  return name;
}

/** Everything that can end up in the bundle: sources, assets, and what pins the dependencies. */
async function sourcesBelow(directory: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(directory)) {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory && !/^(\.|tests$|docs$|dist$|node_modules$)/.test(entry.name)) {
      found.push(...await sourcesBelow(path));
    } else if (entry.isFile && (/\.ts$|^deno\.(json|lock)$/.test(entry.name) || path.includes("/assets/"))) {
      found.push(path);
    }
  }
  return found;
}
