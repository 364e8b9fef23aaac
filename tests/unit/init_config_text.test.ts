/** The text that `crxn init` writes. */

import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { parse as parseStd } from "@std/yaml";
import { parse } from "yaml";
import { paragraph } from "../../commands/init_terminal.ts";
import { scalar } from "../../gateway/init/config_text.ts";
import { wrap } from "../../gateway/wrap.ts";
import { tell } from "./init_person.ts";
import { TODAY } from "./keys.ts";
import { usual } from "./terrains.ts";

/** What two parsers read, one of them by both versions of YAML: the older has numbers to base 60. */
const readByAll = (shown: string) => [
  parse(`key: ${shown}`, { version: "1.1" }).key,
  parse(`key: ${shown}`, { version: "1.2" }).key,
  (parseStd(`key: ${shown}`) as { key: unknown }).key,
];

Deno.test("crxn init: names that YAML would take for something else are in quotes", () => {
  const numbers = ["123", "1e5", "0x10", "-", "1.5", "10_000", ".5", "1:2", "12:30:45", "-7:30"];
  for (const text of [...numbers, "on", "Null", "y", "~", "a:", "=x", "a b", '"', "#", "<<"]) {
    const shown = scalar(text);
    assertNotEquals(shown, text);
    assertEquals(readByAll(shown), [text, text, text]);
  }
  for (const text of ["eth0", "wg-office", "10.5.0.1/32", "2001:db8::/96", "tls://[::1]:443?key=a&b=c", TODAY]) {
    assertEquals(scalar(text), text);
    assertEquals(readByAll(text), [text, text, text]);
  }
});

Deno.test("crxn init: a pool that somebody chose is not said to be chosen because the default is in use", async () => {
  const { text } = await tell(usual(), Array(5).fill(""), { pool: "192.168.64.0/18" });
  assertStringIncludes(text, "pool: 192.168.64.0/18");
  assert(!text.includes("in use"), text);
});

Deno.test("wrap, paragraph: lines end before the width, words stay whole", () => {
  assertEquals(paragraph("one two three four", 9, "  "), "  one two\n  three\n  four");
  assertEquals(wrap("unbreakable-word x", 5), ["unbreakable-word", "x"]);
  assertEquals(wrap("", 5), [""]);
});
