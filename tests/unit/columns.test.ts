/** Pages for people: 80 columns, and ASCII alone where the locale asks for it, over every machine that was recorded. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { CheckInput } from "../../checks/check.ts";
import { CHECKS } from "../../checks/list.ts";
import { pathOf } from "../../checks/path.ts";
import { runChecks } from "../../checks/run.ts";
import { reportLines } from "../../commands/doctor_output.ts";
import { logEntry, logText } from "../../commands/logs_output.ts";
import { statusOf } from "../../commands/status_data.ts";
import { statusLines } from "../../commands/status_output.ts";
import { paintFor, shownAs } from "../../commands/ui.ts";
import { parseConfig } from "../../gateway/config/parse.ts";
import { commandLine } from "../../gateway/action.ts";
import { decode, type Json, patched } from "../recorded/codec.ts";

const FOLDER = new URL("../recorded/surveys/", import.meta.url);
const read = (path: string) => JSON.parse(Deno.readTextFileSync(new URL(path, FOLDER)));
const names = (folder: string) => [...Deno.readDirSync(new URL(folder, FOLDER))].map(({ name }) => name).sort();

const plain = (text: string) => text;
const PLAIN = { bold: plain, dim: plain, red: plain, green: plain, yellow: plain, cyan: plain };
const mark = (code: number) => (text: string) => `\x1b[${code}m${text}\x1b[39m`;
const COLOUR = { bold: mark(1), dim: mark(2), red: mark(31), green: mark(32), yellow: mark(33), cyan: mark(36) };
// deno-lint-ignore no-control-regex
const withoutColour = (line: string) => line.replace(/\x1b\[\d+m/g, "");

/** status and doctor, as they print it. */
function pages(input: CheckInput, paint: typeof PLAIN): string[] {
  const findings = runChecks(CHECKS, input);
  const report = { healthy: false, path: pathOf(CHECKS, findings, input), findings };
  return [...statusLines(statusOf(input, findings), paint, 0), ...reportLines(report, input, paint)];
}

/** What cannot be broken: a command to copy, and a word longer than the room for it. */
function isWhole(line: string, input: CheckInput): boolean {
  const commands = runChecks(CHECKS, input).flatMap((f) => (f.fix ?? []).map(commandLine));
  return commands.some((c) => line.replace(/^ {5}(fix| {3}) +/, "") === c) || /\S{56,}/.test(line);
}

function* machines(): Generator<[string, CheckInput]> {
  for (const name of names("healthy")) yield [name, decode((read(`healthy/${name}`) as { input: Json }).input)];
  for (const name of names("broken")) {
    const { of, changes } = read(`broken/${name}`);
    yield [name, decode(patched((read(`healthy/${of}.json`) as { input: Json }).input, changes))];
  }
}

Deno.test("status and doctor: 80 columns, and with colours the same text", () => {
  let count = 0;
  for (const [name, input] of machines()) {
    const lines = pages(input, PLAIN);
    assertEquals(lines.filter((l) => l.length > 80 && !isWhole(l, input)), [], name);
    assertEquals(pages(input, COLOUR).map(withoutColour), lines, name);
    count += lines.length;
  }
  assert(count > 3000, `only ${count} lines`);
});

Deno.test("status, doctor and logs: ASCII alone in the C locale; the control: without that not", async () => {
  for (const [name, input] of machines()) {
    const logs = (input.host?.log ?? []).map((l) => logText(logEntry(l), 20, PLAIN));
    const text = [...pages(input, PLAIN), ...logs].join("\n");
    // deno-lint-ignore no-control-regex
    assertEquals(shownAs(text, false).match(/[^\x00-\x7f]/g), null, name);
  }
  // Errors of a config have a dash before what would be right; doctor quotes them (conflicts).
  const error = await assertRejects(() => parseConfig("address: 10.5.0.1/33\n", "f"), Error);
  assertStringIncludes(shownAs(error.message, true), " \u2014 ");
  assertStringIncludes(shownAs(error.message, false), " - ");
});

Deno.test("paintFor: no colour where nobody sees it", () => {
  assertEquals(paintFor({ isTerminal: () => false }).red("x"), "x");
});
