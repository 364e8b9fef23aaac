/** What gets to a terminal. */

import { assertEquals } from "@std/assert";
import { harmless, harmlessJson } from "../../commands/ui.ts";

Deno.test("harmless: what others wrote cannot command the terminal", async (t) => {
  const cases: [string, string, string][] = [
    ["plain text, tab and newline", "a\tb\nü 😀", "a\tb\nü 😀"],
    ["crxn's own colours", "\x1b[31mFAIL\x1b[39m \x1b[1mx\x1b[22m", "\x1b[31mFAIL\x1b[39m \x1b[1mx\x1b[22m"],
    ["the title of the window", "\x1b]0;title\x07", "\\x1b]0;title\\x07"],
    ["clearing the screen", "x\x1b[2J\x1b[H", "x\\x1b[2J\\x1b[H"],
    ["hidden text", "\x1b[8msecret", "\\x1b[8msecret"],
    ["CSI of the upper set", "\x9b2J", "\\x9b2J"],
    ["overwriting the line", "fault\rhealthy\b\x7f", "fault\\x0dhealthy\\x08\\x7f"],
    ["another direction of writing", "a\u202eb\u2066c", "a\\u202eb\\u2066c"],
    ["a sequence in pieces around a colour", "\x1b\x1b[31m[2J", "\\x1b\x1b[31m[2J"],
  ];
  for (const [name, given, want] of cases) await t.step(name, () => assertEquals(harmless(given), want));
});

Deno.test("harmlessJson: says the same without control characters", () => {
  const value = { message: "a\x9b2J\x7f\x1b[2J ü" };
  const text = harmlessJson(JSON.stringify(value, null, 2));
  // deno-lint-ignore no-control-regex
  assertEquals(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/.test(text), false);
  assertEquals(JSON.parse(text), value);
});
