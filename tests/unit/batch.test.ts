import { assertEquals } from "@std/assert";
import { HOST, listed, SURVEY } from "../../machine/always.ts";
import { askBatch, batches } from "../../machine/batch.ts";
import type { Runner } from "../../machine/run.ts";
import { unitsQuestion } from "../../machine/systemd.ts";

const answering = (code: number, stdout: string): Runner => ({
  run: (argv) => Promise.resolve({ argv, code, stdout, stderr: "" }),
});

const IP = [["/usr/sbin/ip", "-j", "-6", "route", "show", "table", "all"], [
  "/usr/sbin/ip",
  "-j",
  "-6",
  "rule",
  "show",
]];
const UNITS = [unitsQuestion(["a.service", "b.service"]), unitsQuestion(["c.service"])];

Deno.test("batches: ip by its family and systemctl by its properties are asked once; the rest stays as it is", () => {
  const { together, others } = batches([...listed(SURVEY), ...listed(HOST), ...UNITS]);
  assertEquals(together.map((b) => [b.argv.slice(0, 3).join(" "), b.questions.length]), [
    ["/usr/sbin/ip -j -4", 2],
    ["/usr/sbin/ip -j -6", 3],
    ["/usr/bin/systemctl show --timestamp=us+utc", 3],
  ]);
  assertEquals(together[1]!.options, { stdin: "route show table all\nrule show\nneigh show\n" });
  assertEquals(together[2]!.argv.at(-1), "c.service");
  const count = listed(SURVEY).length + listed(HOST).length + UNITS.length;
  assertEquals(others.length + together.reduce((sum, b) => sum + b.questions.length, 0), count);
});

Deno.test("batches: a question that has no like stays alone, and so does one with a word that a batch would read otherwise", () => {
  assertEquals(batches([IP[0]!]).together, []);
  assertEquals(batches([IP[0]!, [...IP[1]!.slice(0, 3), "rule show\nflush"]]).together, []);
});

Deno.test("askBatch: each question gets its own answer", async () => {
  const [ip] = batches(IP).together;
  const answers = await askBatch(answering(0, '[{"dst":"default"}]\n[]\n'), ip!);
  assertEquals(answers?.map((a) => [a.argv, a.stdout]), [[IP[0], '[{"dst":"default"}]\n'], [IP[1], "[]\n"]]);
  const [units] = batches(UNITS).together;
  const blocks = await askBatch(answering(0, "Id=a.service\nA=1\n\nId=b.service\n\nId=c.service\n"), units!);
  assertEquals(blocks?.map((a) => a.stdout), ["Id=a.service\nA=1\n\nId=b.service\n", "Id=c.service\n"]);
});

Deno.test("askBatch: an answer that is missing, or an exit code, and each is asked by itself", async () => {
  const [ip] = batches(IP).together;
  assertEquals(await askBatch(answering(0, "[]\n"), ip!), undefined);
  assertEquals(await askBatch(answering(0, "[]\nDump terminated\n"), ip!), undefined);
  assertEquals(await askBatch(answering(1, "[]\n[]\n"), ip!), undefined);
  const [units] = batches(UNITS).together;
  assertEquals(await askBatch(answering(0, "Id=a.service\n\nId=b.service\n"), units!), undefined);
});
