import { assert, assertEquals, assertMatch } from "@std/assert";
import { parse } from "@std/yaml";
import { cached, cacheDirectory } from "../rig/paths.ts";
import { go, goObstacle } from "../rig/daemons.ts";
import { run } from "../rig/process.ts";

// The workflow of a release, which no test can run.

const WORKFLOW = new URL("../../.github/workflows/release.yml", import.meta.url).pathname;
const ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12";

/** Built from its Go module, once for each host: 15 s. */
const actionlint = () =>
  cached(`${cacheDirectory()}/tools/${ACTIONLINT.replace(/.*\//, "")}`, async (path) => {
    const folder = await Deno.makeTempDir();
    try {
      console.error(`building ${ACTIONLINT}, once`);
      await go(["install", ACTIONLINT], { GOBIN: folder });
      await Deno.rename(`${folder}/actionlint`, path).catch(() => Deno.copyFile(`${folder}/actionlint`, path));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });

const obstacle = goObstacle();

Deno.test({
  name: `release.yml: actionlint has nothing to say, and does of a bad one${
    obstacle ? ` (NEEDS Go: ${obstacle})` : ""
  }`,
  ignore: obstacle !== undefined,
  fn: async () => {
    const program = await actionlint();
    const judge = (text: string) =>
      run([program, "-no-color", "-shellcheck", "/usr/bin/shellcheck", "-pyflakes", "", "-"], { input: text });
    const text = await Deno.readTextFile(WORKFLOW);
    const { code, stdout, stderr } = await judge(text);
    assertEquals([code, stdout, stderr], [0, "", ""]);
    assertMatch((await judge(text.replace("needs: build", "needs: bild"))).stdout, /bild/);
    assertMatch(
      (await judge(text.replace('cp dist/SHA256SUMS "$RUNNER_TEMP/first"', "cp dist/SHA256SUMS $RUNNER_TEMP"))).stdout,
      /SC2086/,
    );
  },
});

Deno.test("release.yml: what is published is what SHA256SUMS names, and it; not dist/crxn, which is no release's", async () => {
  // deno-lint-ignore no-explicit-any
  const { jobs } = parse(await Deno.readTextFile(WORKFLOW)) as any;
  const script = jobs.publish.steps.find(({ name }: { name?: string }) => name === "Its page").run;
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/dist/bench`, { recursive: true });
    for (const name of ["crxn", "crxn-0.2.0-x86_64", "install.sh"]) {
      await Deno.writeTextFile(`${folder}/dist/${name}`, "");
    }
    const sum = "0".repeat(64);
    await Deno.writeTextFile(`${folder}/dist/SHA256SUMS`, `${sum}  crxn-0.2.0-x86_64\n${sum}  install.sh\n`);
    await Deno.writeTextFile(`${folder}/gh`, "#!/bin/sh\nprintf '%s\\n' \"$@\"\n", { mode: 0o755 });
    const env = { GITHUB_REF_NAME: "v0.2.0", PATH: `${folder}:/usr/bin:/bin` };
    const { code, stdout } = await run(["bash", "-eo", "pipefail", "-c", script], { cwd: folder, env });
    assertEquals(code, 0);
    assertEquals(stdout.split("\n").slice(0, 7), [
      ...["release", "create", "v0.2.0"],
      ...["dist/crxn-0.2.0-x86_64", "dist/install.sh", "dist/SHA256SUMS", "--verify-tag"],
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("release.yml: actions are pinned to commits; nothing is published without tests; the tasks are there", async () => {
  const text = await Deno.readTextFile(WORKFLOW);
  const uses = [...text.matchAll(/uses: (.*)/g)].map(([, what]) => what!);
  assert(uses.length > 5);
  for (const what of uses) assertMatch(what, /^actions\/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  // deno-lint-ignore no-explicit-any
  const { on, jobs, permissions } = parse(text) as any;
  assertEquals(on, { push: { tags: ["v*"] } });
  assertEquals(permissions, { contents: "read" });
  assertEquals(jobs.publish.needs.sort(), ["build", "test", "try"]);
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
  for (const [, task] of text.matchAll(/ task (\S+)/g)) assert(task! in tasks, task);
  const used = /^deno=(.*)$/m.exec(await Deno.readTextFile(new URL("../../.ci/run", import.meta.url)))?.[1];
  assertMatch(text, new RegExp(`DENO: "${used}"`));
});
