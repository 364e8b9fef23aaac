import { assertEquals } from "@std/assert";
import { compileFlags } from "../../.ci/flags.ts";
import { judge, nothing } from "./plainly.ts";

// How long crxn takes to start, against a compiled program that does nothing: on this host, for no machine is involved.

const binary = Deno.env.get("CRXN_BIN") ?? "";
const RUNS = 25;
const LIMIT = 1.3;

async function milliseconds(program: string, ...args: string[]): Promise<number> {
  const begun = performance.now();
  const { code } = await new Deno.Command(program, { args, stdout: "null", stderr: "null" }).output();
  assertEquals(code, 0);
  return performance.now() - begun;
}

Deno.test({
  name: `crxn --help: against an empty compiled program${binary === "" ? " (needs CRXN_BIN)" : ""}`,
  ignore: binary === "",
  fn: async () => {
    const folder = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(`${folder}/empty.js`, "");
      const { code, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["compile", ...compileFlags(), "--output", `${folder}/empty`, `${folder}/empty.js`],
        stdout: "null",
        stderr: "piped",
      }).output();
      assertEquals(code, 0, new TextDecoder().decode(stderr));
      const measured = nothing();
      await milliseconds(binary, "--help");
      for (let i = 0; i < RUNS; i++) {
        measured.theirs.push(await milliseconds(`${folder}/empty`));
        measured.ours.push(await milliseconds(binary, "--help"));
      }
      assertEquals(judge("crxn --help", measured, LIMIT), []);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
