/**
 * `deno task release`: everything of a release, in dist/. For x86_64 and aarch64 a binary and a Debian package; man pages,
 * completions, install.sh, the bill of materials; SHA256SUMS over all, which is what is published. Beside them dist/crxn for
 * this machine, as `build` makes it.
 *
 * For each machine `deno compile` downloads a base binary; DENORT_BIN (x86_64) and DENORT_BIN_AARCH64 name others. Where one
 * cannot be had the release fails, unless `--without aarch64` says that it may do without.
 */

import installScript from "../assets/install.sh" with { type: "text" };
import { scriptFor, type Shell, SHELLS } from "../commands/completions.ts";
import { VERSION } from "../commands/version.ts";
import { fill } from "../gateway/template.ts";
import { commitOf } from "./commit.ts";
import { compile, DIST, ROOT, scripts, type Target, TARGETS, writeBom, writeSums } from "./compile.ts";
import { makeDeb } from "./deb.ts";
import { manPages } from "./man.ts";
import { binaryName, LATEST } from "./names.ts";

const USAGE = "usage: deno task release [--without x86_64|aarch64]";

/** Which machines it is for. */
export function targetsOf(args: string[]): Target[] | undefined {
  const all = Object.keys(TARGETS) as Target[];
  if (args.length === 0) return all;
  const [option, without] = args;
  if (args.length !== 2 || option !== "--without" || !all.includes(without as Target)) return undefined;
  return all.filter((target) => target !== without);
}

/** install.sh, as it is fetched from there. */
export const installer = (url = LATEST): string => fill(installScript, { url });

/** What is the same for all machines, by name. */
async function common(time: number): Promise<Record<string, string>> {
  const completions = Object.keys(SHELLS).map(async (shell) => [`crxn.${shell}`, await scriptFor(shell as Shell)]);
  return {
    "install.sh": installer(),
    ...await manPages(time),
    ...Object.fromEntries(await Promise.all(completions)),
  };
}

/** Takes away the files that an earlier release left; folders (records of benchmarks) are none of its. */
export async function sweep(folder: string, keep: string[]): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (!isDirectory && !keep.includes(name)) await Deno.remove(folder + name);
  }
}

/** @throws Error naming the machine whose binary cannot be made */
async function release(targets: Target[]): Promise<void> {
  const { origin, time } = await commitOf(ROOT);
  const names: string[] = [];
  {
    await using made = await scripts(origin);
    for (const target of targets) {
      const name = binaryName(target);
      console.log(`${name}, of ${origin}`);
      await compile(made, DIST + name, target).catch((error) => {
        throw new Error(`NO BINARY FOR ${target}: ${error.message}\n--without ${target} makes a release without it.`);
      });
      names.push(name);
    }
  }
  for (const target of targets) {
    console.log(`Debian package for ${target}`);
    const architecture = TARGETS[target].debian;
    names.push(await makeDeb({ binary: DIST + binaryName(target), architecture, folder: DIST, time }));
  }
  for (const [name, text] of Object.entries(await common(time))) {
    await Deno.writeTextFile(DIST + name, text);
    names.push(name);
  }
  names.push(await writeBom());
  const own = targets.find((target) => target === Deno.build.arch);
  if (own) await Deno.copyFile(DIST + binaryName(own), `${DIST}crxn`);
  await writeSums(names.sort());
  await sweep(DIST, [...names, "SHA256SUMS", ...(own ? ["crxn"] : [])]);
  console.log(`dist/: crxn ${VERSION} of ${origin} for ${targets.join(" and ")}, ${names.length} files and SHA256SUMS`);
}

if (import.meta.main) {
  const targets = targetsOf(Deno.args);
  if (!targets) {
    console.error(USAGE);
    Deno.exit(64);
  }
  try {
    await release(targets);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  }
}
