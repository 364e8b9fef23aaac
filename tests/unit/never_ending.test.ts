import { assertEquals } from "@std/assert";
import { Exit } from "../../gateway/errors.ts";

Deno.test("crxn: what never comes to its end is a bug of crxn's, and no success", async () => {
  const cwd = new URL("../..", import.meta.url).pathname;
  const run = async (script: string): Promise<number> => {
    const args = ["run", "-A", "--no-check", "-", "address", "10.1.0.3", "--config", "assets/crxn.example.yaml"];
    const quiet = { stdin: "piped", stdout: "null", stderr: "null" } as const;
    const child = new Deno.Command(Deno.execPath(), { args, cwd, ...quiet }).spawn();
    await new Blob([script]).stream().pipeTo(child.stdin);
    return (await child.status).code;
  };
  const start = '(await import("./main.ts")).start(Deno.args)';
  // Whoever waits for a file waits for nothing that is going on.
  assertEquals(await run(`Deno.readTextFile = () => new Promise(() => {}); ${start}`), Exit.bug);
  // Control: with files that can be read it ends well.
  assertEquals(await run(start), Exit.ok);
});
