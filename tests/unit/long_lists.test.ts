import { assertEquals, assertThrows } from "@std/assert";
import { parse } from "@std/yaml";
import { parseLong } from "../../gateway/config/long_lists.ts";
import { manyNetworks } from "./fake/configs.ts";

const rows = (line: (i: number) => string, count = 100) => Array.from({ length: count }, (_, i) => line(i)).join("\n");
const route = (indent: string) => (i: number) => `${indent}- to: 10.0.${i}.0/24`;

Deno.test("parseLong: a large config reads as YAML has it", () => {
  for (const count of [0, 1, 65, 66, 67, 68, 300]) {
    const text = manyNetworks(count, "wg0");
    assertEquals(parseLong(text), parse(text), `${count}`);
  }
});

const TEXTS: Record<string, string> = {
  "a list alone": rows(route("  ")),
  "no indent": `a:\n${rows(route(""))}`,
  "two lists": `a:\n${rows(route("  "))}\nb:\n${rows((i) => `    - {x: 1.2.3.${i}, y: "::${i}"}`)}\nc: 1`,
  "one behind the other, at another indent": `a:\n${rows(route("    "))}\nb:\n${rows(route("  "))}`,
  "a list in a list": `a:\n  -\n${rows(route("    "))}\n  -\n${rows(route("    "))}`,
  "an entry that goes on": `a:\n${rows(route("  "))}\n    via: x\n  - to: 1.2.3.4\n${rows(route("  "))}`,
  "others in between": `a:\n${rows(route("  "))}\n  - to: x\n  - 7\n${rows(route("  "))}\n  - {}`,
  "a comment in between": `a:\n${rows(route("  "))}\n  # more\n${rows(route("  "))} # no more`,
  "a text of several lines": `a: |\n${rows(route("  "))}\nb: >\n${rows(route("  "))}`,
  "a text in quotes": `a: "\n${rows(route("  "))}\n  "`,
  "quotes and escapes": `a:\n${rows((i) => `  - {a: '::${i}', b: "${i}"}`)}\n${
    rows((i) => `  - {a: "\\u0041${i}", b: ''}`)
  }`,
  "what YAML takes for something else": `a:\n${rows((i) => `  - n: ${i}.5`)}\n${rows((i) => `  - n: ${i}`)}\n${
    rows((i) => `  - d: 2026-01-${10 + i % 20}`)
  }\n${rows((i) => `  - s: ${i}:30`)}`,
  "numbers with many dots": `a:\n${rows((i) => `  - n: ${i}.1.2`)}\n${rows((i) => `  - n: 1.${i}.`)}\n${
    rows((i) => `  - n: 1..${i}`)
  }`,
  "the mark itself": `x: row of entries 0\na:\n${rows(route("  "))}\n  - row of entries! 0`,
  "keys of objects": `a:\n${rows((i) => `  - constructor: 1.2.3.${i}`)}`,
  "what holds itself": `a: &x [*x]\nb:\n${rows(route("  "))}`,
  "the end without an end": `a:\n${rows(route("  "))}\n`,
};

for (const [name, text] of Object.entries(TEXTS)) {
  Deno.test(`parseLong: ${name}`, () => assertEquals(parseLong(text), parse(text)));
}

Deno.test("parseLong: what YAML refuses is refused in the same words, at the same place", () => {
  const broken = [
    `a:\n${rows(route("  "))}\n b: [`,
    `a:\n${rows((i) => `  - {x: 1.2.3.${i}, x: 1.2.3.4}`)}`,
    `a: [\n${rows(route("  "))}\n]`,
    `a:\n${rows(route("  "))}\n   - to: 1.2.3.4\n${rows(route("  "))}`,
    `a: b\n${rows(route("  "))}`,
  ];
  for (const text of broken) {
    let said = "";
    try {
      parse(text);
    } catch (error) {
      said = (error as Error).message;
    }
    if (said === "") assertEquals(parseLong(text), parse(text));
    else assertEquals(assertThrows(() => parseLong(text), Error).message, said);
  }
});
