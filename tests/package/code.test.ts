import { assert, assertEquals } from "@std/assert";
import { isWorthIt } from "../../.ci/code_cache.ts";
import { codeOf, partFor, PARTS, scriptOf } from "../../.ci/start.ts";
import { median } from "../bench/plainly.ts";
import { BINARY, needsBinary, unbuilt } from "../rig/release.ts";

// V8's code in the binary (.ci/code_cache.ts): it is there, V8 takes it, and where V8 refuses it crxn does the same, more slowly.

/** Where code begins: behind its script, by V8's magic number (SerializedCodeData of src/snapshot/code-serializer.h). */
function codesIn(bytes: Uint8Array): number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf(0xde); at >= 0; at = bytes.indexOf(0xde, at + 1)) {
    const before = new TextDecoder().decode(bytes.subarray(at - 5, at - 2));
    if (bytes[at + 1] === 0xc0 && before === "\n})") found.push(at - 2);
  }
  return found;
}

/** What is said, and how long it takes to say it, in milliseconds. */
async function said(program: string, args: string[]): Promise<{ text: string; code: number; time: number }> {
  const begun = performance.now();
  const { code, stdout, stderr } = await new Deno.Command(program, { args, stdin: "null" }).output();
  const text = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
  return { text, code, time: performance.now() - begun };
}

const PAIRS = 15;

Deno.test({
  name: `the binary: V8 takes the code in it, and one that it refuses costs nothing but time${needsBinary}`,
  ignore: unbuilt !== undefined,
  fn: async () => {
    const bytes = await Deno.readFile(BINARY);
    const codes = codesIn(bytes);
    const deno = /Deno\/(\d+\.\d+\.\d+)/.exec(new TextDecoder("latin1").decode(bytes))?.[1] ?? "";
    assertEquals(codes.length, isWorthIt(deno) ? PARTS.length : 0);
    if (codes.length === 0) return;
    // Of another version of V8, as it seems.
    for (const at of codes) bytes[at + 4]! ^= 1;
    const folder = await Deno.makeTempDir();
    try {
      const damaged = `${folder}/crxn`;
      await Deno.writeFile(damaged, bytes, { mode: 0o755 });
      const missing = `${folder}/none.yaml`;
      for (const args of [["--help"], ["up", "--help"], ["up", "--config", missing], ["address", "10.0.0.1"]]) {
        const [whole, other] = [await said(BINARY, args), await said(damaged, args)];
        assertEquals([other.code, other.text], [whole.code, whole.text], args.join(" "));
      }
      const times = { whole: [] as number[], damaged: [] as number[] };
      for (let i = 0; i < PAIRS; i++) {
        times.whole.push((await said(BINARY, ["address", "10.0.0.1", "--prefix", "2001:db8::/96"])).time);
        times.damaged.push((await said(damaged, ["address", "10.0.0.1", "--prefix", "2001:db8::/96"])).time);
      }
      // 25 ms of some 80: else V8 has refused both.
      const [whole, other] = [median(times.whole), median(times.damaged)];
      assert(whole * 1.15 < other, `${whole} ms, and ${other} ms with a damaged one`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("partFor: help and version have a script of their own, all else has the whole", () => {
  for (const args of [[], ["--help"], ["-h"], ["--version"]]) assertEquals(partFor(args), "words");
  for (const args of [["up"], ["up", "--help"], ["help", "up"], ["--json", "status"], ["--help", "up"]]) {
    assertEquals(partFor(args), "whole");
  }
});

Deno.test("isWorthIt: where node:vm is in the snapshot of Deno", () => {
  assertEquals(["2.7.14", "2.8.0", "2.9.6", "3.0.0"].map(isWorthIt), [true, false, false, false]);
  assert(!isWorthIt(""));
});

Deno.test({
  name: `the binary: what somebody puts into /tmp where its scripts seem to be is not read${needsBinary}`,
  ignore: unbuilt !== undefined,
  fn: async () => {
    // The names under which a compiled program has its files (docs/facts.md).
    const name = `crxn-${crypto.randomUUID().slice(0, 8)}`;
    const [folder, own] = [`/tmp/deno-compile-${name}`, await Deno.makeTempDir()];
    try {
      await Deno.copyFile(BINARY, `${own}/${name}`);
      await Deno.mkdir(folder);
      for (const part of PARTS) {
        await Deno.writeTextFile(
          `${folder}/${scriptOf(part)}`,
          `(function () { console.log("PLANTED"); Deno.exit(0); })`,
        );
        await Deno.writeTextFile(`${folder}/${codeOf(part)}`, "");
      }
      for (const args of [["--version"], ["address", "10.0.0.1", "--prefix", "2001:db8::/96"]]) {
        const { text, code } = await said(`${own}/${name}`, args);
        assertEquals([code, text.includes("PLANTED")], [0, false]);
      }
    } finally {
      for (const made of [folder, own]) await Deno.remove(made, { recursive: true }).catch(() => {});
    }
  },
});

Deno.test({
  name: `the binary: it starts wherever temporary files are said to be${needsBinary}`,
  ignore: unbuilt !== undefined,
  fn: async () => {
    for (const TMPDIR of ["/dev/shm", "/proc/self", "/nonexistent"]) {
      for (const args of [["--version"], ["address", "10.0.0.1", "--prefix", "2001:db8::/96"]]) {
        const { code, stderr } = await new Deno.Command(BINARY, { args, env: { TMPDIR }, stdin: "null" }).output();
        assertEquals([code, new TextDecoder().decode(stderr)], [0, ""], TMPDIR);
      }
    }
  },
});
