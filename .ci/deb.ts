/**
 * The Debian package, with Debian's own tools: dpkg-deb(1), gzip(1). The same binary and the same time give the same bytes.
 * Policy: https://www.debian.org/doc/debian-policy/
 */

import control from "../assets/deb/control" with { type: "text" };
import copyright from "../assets/deb/copyright" with { type: "text" };
import overrides from "../assets/deb/lintian-overrides" with { type: "text" };
import postinst from "../assets/deb/postinst" with { type: "text" };
import prerm from "../assets/deb/prerm" with { type: "text" };
import example from "../assets/crxn.example.yaml" with { type: "text" };
import { scriptFor } from "../commands/completions.ts";
import { VERSION } from "../commands/version.ts";
import { fill } from "../gateway/template.ts";
import { ROOT } from "./compile.ts";
import { manPages } from "./man.ts";
import { debianVersion, debName, MAINTAINER, REPOSITORY } from "./names.ts";

interface DebOptions {
  /** The compiled crxn. */
  binary: string;
  /** As Debian calls it: amd64, arm64. */
  architecture: string;
  /** Where the package goes. */
  folder: string;
  /** Of everything in it, seconds since 1970. */
  time: number;
  /** Of xz(1), 0 to 9: 9 is small, 1 quick. */
  level?: number;
}

/** Where completions are looked for, by shell. */
export const COMPLETIONS = {
  bash: "usr/share/bash-completion/completions/crxn",
  zsh: "usr/share/zsh/vendor-completions/_crxn",
  fish: "usr/share/fish/vendor_completions.d/crxn.fish",
} as const;

async function run(argv: string[], env: Record<string, string> = {}, input?: string): Promise<Uint8Array<ArrayBuffer>> {
  const [program, ...args] = argv as [string, ...string[]];
  const child = new Deno.Command(program, {
    args,
    env: { LC_ALL: "C.UTF-8", ...env },
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  if (input !== undefined) await new Blob([input]).stream().pipeTo(child.stdin);
  const { success, stdout, stderr } = await child.output();
  if (!success) throw new Error(`${argv.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return stdout;
}

const gzipped = (text: string) => run(["gzip", "-9nc"], {}, text);

/** RFC 5322, as changelogs have it (deb-changelog(5)). */
const mailDate = (time: number) => new Date(time * 1000).toUTCString().replace("GMT", "+0000");

const debianChangelog = (time: number) =>
  [
    `crxn (${debianVersion()}) unstable; urgency=medium`,
    "",
    `  * crxn ${VERSION}: /usr/share/doc/crxn/changelog.gz says what is new.`,
    "",
    ` -- ${MAINTAINER}  ${mailDate(time)}`,
    "",
  ].join("\n");

/** What is in the package but for the binary, by path. */
async function filesOf(time: number): Promise<Record<string, string | Uint8Array<ArrayBuffer>>> {
  const files: Record<string, string | Uint8Array<ArrayBuffer>> = {
    "usr/share/doc/crxn/copyright": fill(copyright, { repository: REPOSITORY }),
    "usr/share/doc/crxn/changelog.gz": await gzipped(await Deno.readTextFile(`${ROOT}CHANGELOG.md`)),
    "usr/share/doc/crxn/changelog.Debian.gz": await gzipped(debianChangelog(time)),
    "usr/share/doc/crxn/examples/crxn.yaml": example,
    "usr/share/lintian/overrides/crxn": overrides,
  };
  for (const [shell, path] of Object.entries(COMPLETIONS)) {
    files[path] = await scriptFor(shell as keyof typeof COMPLETIONS);
  }
  for (const [name, text] of Object.entries(await manPages(time))) {
    files[`usr/share/man/man${name.at(-1)}/${name}.gz`] = await gzipped(text);
  }
  return files;
}

/** @returns the name of the package's file @throws Error with what a tool said */
export async function makeDeb({ binary, architecture, folder, time, level = 6 }: DebOptions): Promise<string> {
  const root = await Deno.makeTempDir({ prefix: "crxn-deb-" });
  try {
    const files = await filesOf(time);
    const put = async (path: string, content: string | Uint8Array, mode: number) => {
      await Deno.mkdir(`${root}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      await Deno.writeFile(`${root}/${path}`, bytes);
      await Deno.chmod(`${root}/${path}`, mode);
    };
    for (const [path, content] of Object.entries(files)) await put(path, content, 0o644);
    await put("usr/bin/crxn", await Deno.readFile(binary), 0o755);
    const paths = ["usr/bin/crxn", ...Object.keys(files)].sort();
    const sums = await run(["env", "-C", root, "md5sum", ...paths]);
    const sizes = await Promise.all(
      paths.map(async (path) => Math.ceil((await Deno.stat(`${root}/${path}`)).size / 1024)),
    );
    const values = { version: debianVersion(), architecture, maintainer: MAINTAINER, repository: REPOSITORY };
    const kib = String(sizes.reduce((a, b) => a + b, 0));
    await put("DEBIAN/control", fill(control, { ...values, kib }), 0o644);
    await put("DEBIAN/md5sums", sums, 0o644);
    await put("DEBIAN/postinst", postinst, 0o755);
    await put("DEBIAN/prerm", prerm, 0o755);
    await settle(root, time);
    const target = `${folder}/${debName(architecture)}`;
    const pack = ["dpkg-deb", "--root-owner-group", "-Zxz", `-z${level}`, "--build", root, target];
    await run(pack, { SOURCE_DATE_EPOCH: String(time) });
    return debName(architecture);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

/** One time for everything, and folders that do not depend on the umask. */
async function settle(folder: string, time: number): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) await settle(`${folder}/${name}`, time);
    else await Deno.utime(`${folder}/${name}`, time, time);
  }
  await Deno.chmod(folder, 0o755);
  await Deno.utime(folder, time, time);
}
