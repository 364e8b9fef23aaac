import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { commitOf } from "../../.ci/commit.ts";
import { notesOf } from "../../.ci/notes.ts";
import { targetsOf } from "../../.ci/release.ts";
import { VERSION, versionLine } from "../../commands/version.ts";

async function git(folder: string, ...args: string[]): Promise<string> {
  const own = [
    "-c",
    "user.name=x",
    "-c",
    "user.email=x@example.org",
    "-c",
    "commit.gpgsign=false",
    "-c",
    "core.hooksPath=/dev/null",
  ];
  const { success, stdout, stderr } = await new Deno.Command("git", { args: ["-C", folder, ...own, ...args] }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

Deno.test("commitOf: no commit, a commit, one with changes, a folder of somebody else's repository", async () => {
  const folder = await Deno.makeTempDir();
  try {
    assertEquals(await commitOf(`${folder}/`), { origin: "no commit", time: 0 });
    await git(folder, "init", "-q");
    assertEquals((await commitOf(`${folder}/`)).origin, "no commit");
    await Deno.writeTextFile(`${folder}/a`, "1");
    await git(folder, "add", "a");
    await git(folder, "commit", "-q", "-m", "x", "--date=@1700000000");
    const hash = await git(folder, "rev-parse", "HEAD");
    const time = Number(await git(folder, "log", "-1", "--format=%ct"));
    assertEquals(await commitOf(`${folder}/`), { origin: hash.slice(0, 10), time });
    await Deno.writeTextFile(`${folder}/a`, "2");
    assertEquals((await commitOf(`${folder}/`)).origin, `${hash.slice(0, 10)}, changed`);
    await git(folder, "checkout", "-q", "a");
    await Deno.writeTextFile(`${folder}/b`, "not in the commit");
    assertEquals((await commitOf(`${folder}/`)).origin, `${hash.slice(0, 10)}, changed`);
    Deno.env.set("GIT_DIR", "/nonexistent");
    try {
      assertEquals((await commitOf(`${folder}/`)).origin, `${hash.slice(0, 10)}, changed`);
    } finally {
      Deno.env.delete("GIT_DIR");
    }
    await Deno.mkdir(`${folder}/crxn`);
    assertEquals((await commitOf(`${folder}/crxn/`)).origin, "no commit");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("versionLine: name, semantic version, origin", () => {
  assertMatch(VERSION, /^\d+\.\d+\.\d+(-[\w.]+)?$/);
  assertEquals(versionLine(), `crxn ${VERSION} (from the sources)`);
});

Deno.test("release: all machines, or all but one; nothing else", () => {
  assertEquals(targetsOf([]), ["x86_64", "aarch64"]);
  assertEquals(targetsOf(["--without", "aarch64"]), ["x86_64"]);
  for (const args of [["--without"], ["--without", "mips"], ["x86_64"], ["--without", "aarch64", "x86_64"]]) {
    assertEquals(targetsOf(args), undefined, args.join(" "));
  }
});

Deno.test("notesOf: a version's own section, without the links; an error for one that is not there", () => {
  const text =
    "# C\n\n## [Unreleased]\n\n- new\n\n## [0.2.0] - 2026-11-30\n\n### Added\n\n- a\n\n## [0.1.0] - 2026-01-01\n\n- b\n\n[0.1.0]: https://x\n";
  assertEquals(notesOf(text, "0.2.0"), "### Added\n\n- a\n");
  assertEquals(notesOf(text, "0.1.0"), "- b\n");
  assertThrows(() => notesOf(text, "0.3.0"), Error, "no section [0.3.0]");
  assertThrows(() => notesOf("## [0.2.0]\n\n- a\n", "0.2.0"), Error, "no date");
  assertThrows(() => notesOf("## [0.2.0] - 2026-11-30\n\n[0.2.0]: https://x\n", "0.2.0"), Error, "says nothing");
});
