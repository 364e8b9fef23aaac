import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { installer } from "../../.ci/release.ts";
import { scriptFor, type Shell, SHELLS } from "../../commands/completions.ts";
import { run } from "../rig/process.ts";

// Every script that a release has, before Debian's shellcheck, and before the shells that read it.

const ROOT = new URL("../../", import.meta.url).pathname;

async function shellcheck(text: string, shell: "sh" | "bash"): Promise<string> {
  const argv = ["shellcheck", "--norc", "--severity=style", "--format=gcc", `--shell=${shell}`, "-"];
  const { code, stdout, stderr } = await run(argv, { input: text });
  return code === 0 ? "" : stdout + stderr;
}

Deno.test("install.sh: shellcheck has nothing to say, and does of a bad one; dash and bash read it", async () => {
  const text = installer();
  assertEquals(await shellcheck(text, "sh"), "");
  assertStringIncludes(await shellcheck(text.replace('rm -rf "$folder"', "rm -rf $nosuch"), "sh"), "nosuch");
  for (const shell of ["dash", "bash"]) assertEquals((await run([shell, "-n"], { input: text })).code, 0, shell);
  assert((await run(["dash", "-n"], { input: text.slice(0, text.length / 2) })).code !== 0);
  assert(!text.includes("{{"), "every name is filled in");
});

Deno.test("the package's own scripts: shellcheck has nothing to say", async () => {
  for (const name of ["postinst", "prerm"]) {
    assertEquals(await shellcheck(await Deno.readTextFile(`${ROOT}assets/deb/${name}`), "sh"), "", name);
  }
});

Deno.test("completions: each shell reads its script, and not half of it; shellcheck has nothing to say of bash's", async () => {
  const half: Record<Shell, string> = { bash: "case x in", zsh: "case x in", fish: "if true" };
  for (const shell of Object.keys(SHELLS) as Shell[]) {
    const text = await scriptFor(shell);
    assertEquals(await run([shell, "-n"], { input: text }).then((o) => [o.code, o.stderr]), [0, ""], shell);
    assert(
      (await run([shell, "-n"], { input: `${text}\n${half[shell]}\n` })).code !== 0,
      `${shell} reads anything`,
    );
  }
  assertEquals(await shellcheck(await scriptFor("bash"), "bash"), "");
});
