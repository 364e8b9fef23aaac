import { assertEquals } from "@std/assert";

// Metrics, judged by Prometheus' own promtool. The control that it says something is in promtool.test.ts.

/** Of each name and set of labels there may be one: that promtool does not look at. */
function assertOnce(text: string): void {
  const samples = text.trimEnd().split("\n").filter((l) => !l.startsWith("#")).map((l) =>
    l.slice(0, l.lastIndexOf(" "))
  );
  assertEquals(samples.filter((s, i) => samples.indexOf(s) !== i), []);
}

/** promtool check metrics: what it says, empty when all is well. */
export async function promtool(text: string): Promise<string> {
  assertOnce(text);
  const child = new Deno.Command("/usr/bin/promtool", {
    args: ["check", "metrics"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text.endsWith("\n") ? text : `${text}\n`));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  return code === 0 ? said : said || `promtool ended with ${code}`;
}
