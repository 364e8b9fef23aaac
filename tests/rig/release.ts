import { TARGETS } from "../../.ci/compile.ts";
import { makeDeb } from "../../.ci/deb.ts";
import { binaryName } from "../../.ci/names.ts";
import { installer } from "../../.ci/release.ts";
import type { Machine } from "./machine.ts";
import { sha256 } from "./paths.ts";
import type { Web } from "./web.ts";

// What a release has, for tests: it is made of the compiled crxn.

/** The compiled crxn under test; empty without one. */
export const BINARY = Deno.env.get("CRXN_BIN") ?? "";

/** Why a test that wants it cannot run; undefined where it is. */
export const unbuilt = BINARY === "" ? "NEEDS CRXN_BIN: the binary that `deno task build` makes" : undefined;

/** The same behind a test's name. */
export const needsBinary = unbuilt ? ` (${unbuilt})` : "";

/** Of everything in a package of the tests, seconds since 1970. */
export const TIME = 1_700_000_000;

/** A Debian package for this host's machine, quickly packed. @returns its path */
export async function debIn(folder: string, { program = BINARY, time = TIME } = {}): Promise<string> {
  const { debian: architecture } = TARGETS[Deno.build.arch];
  return `${folder}/${await makeDeb({ binary: program, architecture, folder, time, level: 0 })}`;
}

/** Puts the Debian package on a machine. */
export async function pushDeb(machine: Machine, path: string): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await machine.push(await debIn(folder), path, 0o644);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

interface Offer {
  /** Below the web server's address; none: right there. */
  folder?: string;
  /** What SHA256SUMS says, if not the truth. */
  sum?: string;
}

/** A release on a web server of the lab, as install.sh finds it: a program, its sum, and the script itself. @returns its address */
export async function offerRelease(web: Web, program: Uint8Array, { folder, sum }: Offer = {}): Promise<string> {
  const [below, address] = folder ? [`${folder}/`, `${web.address}/${folder}`] : ["", web.address];
  const bytes = (text: string) => new TextEncoder().encode(text);
  const name = binaryName(Deno.build.arch);
  // A release has other machines' as well.
  const foreign = `${"0".repeat(64)}  ${binaryName(Deno.build.arch === "x86_64" ? "aarch64" : "x86_64")}\n`;
  await web.offer(`${below}${name}`, program);
  await web.offer(`${below}SHA256SUMS`, bytes(`${foreign}${sum ?? await sha256(program)}  ${name}\n`));
  await web.offer(`${below}install.sh`, bytes(installer(address)));
  return address;
}
