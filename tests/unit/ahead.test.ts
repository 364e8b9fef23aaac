import { assertEquals } from "@std/assert";
import { AheadRunner, questionsOf } from "../../machine/ahead.ts";
import { HOST, listed, SURVEY } from "../../machine/always.ts";
import { readHost } from "../../machine/host.ts";
import { parseConfig } from "../../gateway/config/parse.ts";
import { readSurvey } from "../../machine/survey.ts";
import type { Runner } from "../../machine/run.ts";

const COUNT = ["/bin/sh", "-c", 'echo x >>"$0"; wc -l <"$0"'];

Deno.test("AheadRunner: a question that was asked ahead is answered once by that, then anew", async () => {
  const file = await Deno.makeTempFile();
  const runner = new AheadRunner();
  const argv = [...COUNT, file];
  runner.ask([argv]);
  const answers = [await runner.run(argv), await runner.run(argv), await runner.run(["/bin/echo", "other"])];
  assertEquals(answers.map((a) => a.stdout.trim()), ["1", "2", "other"]);
  await Deno.remove(file);
});

Deno.test("AheadRunner: a missing program is told as ever", async () => {
  const runner = new AheadRunner();
  runner.ask([["/nonexistent"]]);
  assertEquals((await runner.run(["/nonexistent"])).code, 127);
});

const EXAMPLE = `
address: 10.5.0.1/32
overlay: {type: interface, interface: wg0, routes: [{to: 10.0.0.0/8}]}
`;

Deno.test("questionsOf: doctor and status ask nothing ahead that they do not ask", async () => {
  const asked = new Set<string>();
  const listening: Runner = {
    run: (argv) => {
      asked.add(argv.join(" "));
      return Promise.resolve({ argv, code: 1, stdout: "", stderr: "" });
    },
  };
  const vain = (questions: string[][]) => questions.map((q) => q.join(" ")).filter((q) => !asked.has(q));
  await readSurvey(listening, { files: [], units: [], overlay: false });
  assertEquals(vain(questionsOf(["status"])), []);
  assertEquals(questionsOf(["status"]).length, 9);
  await readHost(listening, await parseConfig(EXAMPLE, "crxn.yaml"));
  assertEquals(vain(questionsOf(["doctor", "--json"])), []);
  assertEquals(questionsOf(["doctor"]).length, listed(SURVEY).length + listed(HOST).length);
});

Deno.test("questionsOf: nothing is asked for what does not look at the machine, or may not yet", () => {
  for (
    const args of [[], ["up"], ["down"], ["doctor", "--fix"], ["doctor", "--explain", "probe"], ["status", "--help"]]
  ) {
    assertEquals(questionsOf(args), []);
  }
});
