/** The runner on real programs that misbehave. */

import { assert, assertEquals } from "@std/assert";
import { SystemRunner } from "../../machine/run.ts";

const runner = new SystemRunner();
const bash = (script: string) => ["/usr/bin/bash", "-c", script];

Deno.test("run: comes back with 124 from what does not end", async (t) => {
  const cases: Record<string, string> = {
    "a program that sleeps": "exec sleep 60",
    "one that is deaf to SIGTERM": "trap '' TERM; echo begun; while :; do read -t 60 <> <(:); done",
  };
  for (const [name, script] of Object.entries(cases)) {
    await t.step(name, async () => {
      const start = Date.now();
      const { code, stdout } = await runner.run(bash(script), { timeoutSeconds: 0.3 });
      assertEquals([code, stdout], [124, name.includes("deaf") ? "begun\n" : ""]);
      assert(Date.now() - start < 6000, `${Date.now() - start} ms`);
    });
  }
});

Deno.test("run: a program that cannot be run is an answer, not an exception", async (t) => {
  const folder = await Deno.makeTempDir();
  try {
    const noProgram = `${folder}/no-program`;
    await Deno.writeTextFile(noProgram, "", { mode: 0o644 });
    const cases: [string, string[], number][] = [
      ["missing", [`${folder}/missing`], 127],
      ["not executable", [noProgram], 126],
      ["a folder", [folder], 126],
      ["a word that no argv can have", ["/usr/bin/true", "a\0b"], 126],
    ];
    for (const [name, argv, want] of cases) {
      await t.step(name, async () => {
        const { code, stderr } = await runner.run(argv);
        assertEquals(code, want, stderr);
        assert(stderr.includes(argv[0]!), stderr);
        await runner.start(argv)?.end();
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("HeldProgram.end: is over in seconds, whatever the program does", async () => {
  // It reads nothing, so that what is written to it waits, and takes no notice of SIGINT.
  const held = runner.start(bash("trap '' INT; echo begun; while :; do sleep 1; done"))!;
  assert(await held.says(/begun/, 5));
  void held.say("x".repeat(300_000));
  const start = Date.now();
  await held.end();
  assert(Date.now() - start < 5000, `${Date.now() - start} ms`);
});

Deno.test("HeldProgram.lost: tells why its output has no place any more", async () => {
  const full = new WritableStream<Uint8Array>({ write: () => Promise.reject(new Error("No space left on device")) });
  const held = runner.start(bash("echo packets; echo written >&2; sleep 5"), { stdout: full })!;
  assert(await held.says(/written/, 5));
  await held.end("SIGTERM");
  assertEquals(held.lost!(), "No space left on device");
  const fine = runner.start(["/usr/bin/true"], { stdout: new WritableStream() })!;
  await fine.end("SIGTERM");
  assertEquals(fine.lost!(), undefined);
});
