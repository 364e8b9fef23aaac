import { assertEquals } from "@std/assert";
import { HOST, listed, SURVEY } from "../../machine/always.ts";
import { askBatch, batches } from "../../machine/batch.ts";
import { procQuestion } from "../../machine/proc.ts";
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
const FILES = [procQuestion(["/proc/a"]), procQuestion(["/proc/b", "/proc/ab"])];
const UNITS = [unitsQuestion(["a.service", "b.service"]), unitsQuestion(["c.service"])];

Deno.test("batches: ip by its family and systemctl by its properties are asked once; the rest stays as it is", () => {
  const together = batches([...listed(SURVEY), ...listed(HOST), ...UNITS]);
  assertEquals(together.map((b) => [b.argv.slice(0, 3).join(" "), b.questions.length]), [
    ["/usr/sbin/ip -j -4", 2],
    ["/usr/sbin/ip -j -6", 3],
    ["/usr/bin/systemctl show --timestamp=us+utc", 3],
  ]);
  assertEquals(together[1]!.options, { stdin: "route show table all\nrule show\nneigh show\n" });
  assertEquals(together[2]!.argv.at(-1), "c.service");
});

Deno.test("batches: a question that has no like stays alone, and so does one with a word that a batch would read otherwise", () => {
  assertEquals(batches([IP[0]!]), []);
  assertEquals(batches([IP[0]!, [...IP[1]!.slice(0, 3), "rule show\nflush"]]), []);
});

Deno.test("askBatch: each question gets its own answer", async () => {
  const [ip] = batches(IP);
  const answers = await askBatch(answering(0, '[{"dst":"default"}]\n[]\n'), ip!);
  assertEquals(answers?.map((a) => [a.argv, a.stdout]), [[IP[0], '[{"dst":"default"}]\n'], [IP[1], "[]\n"]]);
  const [units] = batches(UNITS);
  const blocks = await askBatch(answering(0, "Id=a.service\nA=1\n\nId=b.service\n\nId=c.service\n"), units!);
  assertEquals(blocks?.map((a) => a.stdout), ["Id=a.service\nA=1\n\nId=b.service\n", "Id=c.service\n"]);
  const [grep] = batches(FILES);
  assertEquals(grep!.argv, procQuestion(["/proc/a", "/proc/b", "/proc/ab"]));
  const lines = await askBatch(answering(0, "/proc/a:1\n/proc/ab:/proc/a:2\n/proc/b:3\n/proc/a:\n"), grep!);
  assertEquals(lines?.map((a) => a.stdout), ["/proc/a:1\n/proc/a:\n", "/proc/ab:/proc/a:2\n/proc/b:3\n"]);
  const none = await askBatch(answering(0, "/proc/b:3\n"), grep!);
  assertEquals(none?.map((a) => [a.stdout, a.code]), [["", 1], ["/proc/b:3\n", 0]]);
  // No file has a line: that is an answer.
  assertEquals((await askBatch(answering(1, ""), grep!))?.map((a) => [a.stdout, a.code]), [["", 1], ["", 1]]);
});

Deno.test("askBatch: an answer that is missing, or an exit code, and each is asked by itself", async () => {
  const [ip] = batches(IP);
  assertEquals(await askBatch(answering(0, "[]\n"), ip!), undefined);
  assertEquals(await askBatch(answering(0, "[]\nDump terminated\n"), ip!), undefined);
  assertEquals(await askBatch(answering(1, "[]\n[]\n"), ip!), undefined);
  // A file that is not there.
  assertEquals(await askBatch(answering(2, "/proc/a:1\n"), batches(FILES)[0]!), undefined);
  const [units] = batches(UNITS);
  assertEquals(await askBatch(answering(0, "Id=a.service\n\nId=b.service\n"), units!), undefined);
});
