/** `crxn logs`: levels, words, and that a line stays one. */

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { judged, type Level } from "../../checks/log_level.ts";
import { tailFault } from "../../commands/logs.ts";
import { lineCount } from "../../commands/options.ts";
import { Exit } from "../../gateway/errors.ts";
import { logEntry, logText } from "../../commands/logs_output.ts";
import { asciiOf, inOneLine, shownAs, speaksUtf8 } from "../../commands/ui.ts";
import { drawn } from "../../commands/screen.ts";
import type { LogLine } from "../../gateway/host.ts";
import { followQuestion, parseEntry, parseJournal, tailQuestion } from "../../machine/logs.ts";

const plain = (text: string) => text;
const PAINT = { bold: plain, dim: plain, red: plain, green: plain, yellow: plain, cyan: plain };
const said = (unit: string, message: string, more: Partial<LogLine> = {}): LogLine => ({
  unit,
  at: Date.parse("2026-11-29T21:03:10.5Z"),
  priority: 6,
  message,
  manager: false,
  ...more,
});

const [TAYGA, YGG] = ["tayga@ygg.service", "yggdrasil.service"];

Deno.test("judged: levels of what daemons and systemd really say", async (t) => {
  // The first of each is as tayga 0.9.2 and yggdrasil 0.5.12 print it.
  const cases: [string, string, Partial<LogLine>, Level][] = [
    [TAYGA, "starting TAYGA 0.9.2", {}, "info"],
    [TAYGA, "Dynamic pool: 100.64.0.0/16", {}, "info"],
    [TAYGA, "received error when reading from tun device: File descriptor in bad state", {}, "error"],
    [TAYGA, "unable to write dynamic.map: No space left on device", {}, "error"],
    [TAYGA, "exiting on signal 15", {}, "info"],
    [TAYGA, "Ignoring map for 10.0.0.1 from dynamic.map", {}, "warning"],
    [YGG, "2026/11/23 10:11:12 Connected outbound: 200:1::1@[2001:db8::1]:443", {}, "info"],
    [YGG, "2026/11/23 10:11:12 Disconnected outbound: 200:1::1@[2001:db8::1]:443, source x", {}, "warning"],
    [YGG, "2026/11/23 10:11:12 Failed to connect to tls://192.0.2.1:443: i/o timeout", {}, "warning"],
    [YGG, "2026/11/23 10:11:12 Failed to start listener tls://[::]:443: bind: address already in use", {}, "error"],
    [YGG, "2026/11/23 10:11:12 Error reading TUN: read /dev/net/tun: file already closed", {}, "error"],
    [YGG, "panic: runtime error: index out of range", {}, "error"],
    [YGG, "[WARN] something", {}, "warning"],
    [YGG, "[ERROR] something", {}, "error"],
    [YGG, "ERROR: something", {}, "error"],
    [YGG, "level=info nothing failed", {}, "info"],
    [YGG, "[WARN] it failed", {}, "warning"],
    [YGG, "level=info nothing failed", { priority: 3 }, "error"],
    [YGG, "Error adding CKR IPv4 remote subnet: x", {}, "error"],
    [TAYGA, "Main process exited, code=exited, status=1/FAILURE", { manager: true, priority: 5 }, "warning"],
    [TAYGA, "Failed with result 'exit-code'.", { manager: true, priority: 4 }, "warning"],
    [TAYGA, "Failed to start x.", { manager: true, priority: 3 }, "error"],
    [TAYGA, "Started tayga@ygg.service - crxn.", { manager: true }, "info"],
    ["crxn-link.service", "ovl0 is down or gone, and with it what was on it", {}, "info"],
    ["crxn-overlay.service", "RTNETLINK answers: File exists", {}, "info"],
    ["crxn-overlay.service", 'Cannot find device "ovl0"', {}, "error"],
  ];
  for (const [unit, message, more, level] of cases) {
    await t.step(message, () => assertEquals(judged(said(unit, message, more)).level, level));
  }
});

Deno.test("judged: without date and level word, with the meaning", () => {
  assertEquals(judged(said(YGG, "2026/11/23 10:11:12 [WARN] slow")).text, "slow");
  assertEquals(judged(said(YGG, "Error adding routed subnet: x")).text, "Error adding routed subnet: x");
  const known = judged(said(TAYGA, "unable to write dynamic.map: No space left on device"));
  assertEquals(known.text, "unable to write dynamic.map: No space left on device");
  assertStringIncludes(
    judged(said(TAYGA, "Unable to attach tun device nat64-ygg, aborting: Device or resource busy")).means!,
    "another process",
  );
});

Deno.test("logText: one line, whatever was logged", () => {
  const evil = "a\nJan 01 crxn error: \x1b[31mfake\x1b[2J\r\x9b2J\u202e";
  const text = shownAs(logText(logEntry(said(TAYGA, evil)), 9, PAINT));
  assertEquals(text.split("\n").length, 1);
  // deno-lint-ignore no-control-regex
  assertEquals(/[\x00-\x1f\x7f-\x9f\u202e]/.test(text), false);
  assertStringIncludes(text, "tayga@ygg error   a\\x0aJan 01");
  assertEquals(inOneLine("a\tb  \n"), "a b  \\x0a");
});

Deno.test("logText: on a terminal an error is red, a warning yellow, and the text is the same", () => {
  const mark = (name: string) => (text: string) => `<${name}>${text}</${name}>`;
  const names = ["bold", "dim", "red", "green", "yellow", "cyan"] as const;
  const paint = Object.fromEntries(names.map((n) => [n, mark(n)])) as Record<typeof names[number], typeof plain>;
  const entry = logEntry(said(YGG, "[ERROR] x"));
  assertStringIncludes(logText(entry, 9, paint), "<red>error   x</red>");
  assertStringIncludes(logText(logEntry(said(YGG, "[WARN] x")), 9, paint), "<yellow>warning x</yellow>");
  assertEquals(logText(entry, 9, paint).replace(/<[^>]*>/g, ""), logText(entry, 9, PAINT));
});

Deno.test("drawn: never more rows than there are, and none that scrolls", () => {
  const rows = (text: string) => text.split("\r\n").length;
  const page = Array.from({ length: 30 }, (_, i) => `line ${i}`).join("\n");
  assertEquals([rows(drawn(page, 30)), rows(drawn(page, 24)), rows(drawn(page, 1))], [30, 24, 1]);
  assertStringIncludes(drawn(page, 24), "... 7 more lines");
  assertEquals(/\n/.test(drawn("one", 1)), false);
});

Deno.test("parseEntry: the place in the journal, and only units that were asked for", () => {
  const entry = (more: object) =>
    JSON.stringify({ __CURSOR: "s=1", __REALTIME_TIMESTAMP: "1764450190500000", MESSAGE: "x", ...more });
  const own = entry({ _SYSTEMD_UNIT: TAYGA, PRIORITY: "4" });
  assertEquals(parseEntry(own, [TAYGA]), {
    line: { unit: TAYGA, at: 1764450190500, priority: 4, message: "x", manager: false },
    cursor: "s=1",
  });
  assertEquals(parseEntry(own, [YGG]), undefined);
  for (const text of ["", "no JSON", "null", "3", "[]"]) assertEquals(parseEntry(text, [TAYGA]), undefined, text);
  assertEquals(parseJournal(`${own}\ntorn`, [TAYGA]).length, 1);
  assertEquals(parseEntry(entry({ _SYSTEMD_UNIT: "init.scope", UNIT: TAYGA }), [TAYGA])!.line.manager, true);
});

Deno.test("tailFault: what journalctl keeps back is 77, what it cannot do 1, and nothing is nothing", () => {
  const exit = (code: number, stderr: string, entries = 0) => tailFault({ code, stderr }, entries, "x")?.exit;
  const hint =
    "Hint: You are currently not seeing messages from other users and the system.\n      Users in groups 'adm', 'systemd-journal' can see all messages.\n";
  assertEquals(exit(0, ""), undefined);
  assertEquals(exit(0, hint), Exit.noPermission);
  assertEquals(exit(0, hint, 3), undefined);
  assertEquals(exit(1, "No journal files were opened due to insufficient permissions.\n"), Exit.noPermission);
  assertEquals(exit(1, "Failed to parse timestamp: x\n"), Exit.usage);
  assertEquals(exit(1, "Failed to open files: x\n"), Exit.failed);
  assertEquals(exit(1, "", 3), Exit.failed);
  assertStringIncludes(tailFault({ code: 124, stderr: "" }, 0)!.message, "journalctl takes too long");
  // Told to be quiet it would not say what it keeps back.
  assertEquals(tailQuestion([TAYGA], 5).includes("--quiet"), false);
});

Deno.test("lineCount: a number of lines, and no other word", () => {
  assertEquals([lineCount("1"), lineCount("100000")], [1, 100_000]);
  for (const text of ["0", "-5", "abc", "1e3", "100001", ""]) {
    assertThrows(() => lineCount(text), Error, "number of lines");
  }
});

Deno.test("tailQuestion and followQuestion: each value is a word of its own", () => {
  assertEquals(tailQuestion([TAYGA], 5, "-1h").filter((w) => /lines|since|unit/.test(w)), [
    "--lines=5",
    "--since=-1h",
    `--unit=${TAYGA}`,
  ]);
  assertEquals(followQuestion([TAYGA], "s=1").filter((w) => /follow|cursor|tail/.test(w)), [
    "--follow",
    "--no-tail",
    "--after-cursor=s=1",
  ]);
});

Deno.test("speaksUtf8: the first that is set decides", () => {
  const of = (env: Record<string, string>) => speaksUtf8((name) => env[name]);
  assertEquals(of({}), false);
  assertEquals(of({ LANG: "C" }), false);
  assertEquals(of({ LANG: "de_DE.UTF-8" }), true);
  assertEquals(of({ LANG: "C.utf8" }), true);
  assertEquals(of({ LANG: "de_DE.UTF-8", LC_ALL: "C" }), false);
  assertEquals(of({ LANG: "C", LC_CTYPE: "C.UTF-8" }), true);
  assertEquals(of({ LANG: "de_DE.UTF-8", LC_ALL: "" }), true);
});

Deno.test("asciiOf: crxn's own signs have a plain form, others are shown by their code", () => {
  assertEquals(asciiOf("a \u2014 b \u2026 \u2192 c"), "a - b ... -> c");
  assertEquals(asciiOf("Zür\u{1f600}"), "Z\\u{fc}r\\u{1f600}");
  assertEquals(shownAs("\u2014\x1b[31mx\x1b[39m", false), "-\x1b[31mx\x1b[39m");
  assertEquals(shownAs("\u2014", true), "\u2014");
});
