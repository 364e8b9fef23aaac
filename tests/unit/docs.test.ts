import { assert, assertEquals } from "@std/assert";
import { parse, stringify } from "@std/yaml";
import { parseConfig } from "../../gateway/config/parse.ts";
import { allBlocks, blocksOf, GIVEN, KINDS, PAGES, sessionOf, WORDS } from "../docs/blocks.ts";
import { patternOf } from "../docs/match.ts";
import { SCENES } from "../docs/scenes.ts";
import { merged } from "../docs/stage.ts";
import { faultOf } from "../docs/verdict.ts";

// That what the docs show is looked at: configs here, commands in tests/docs.

const ROOT = new URL("../..", import.meta.url).pathname;
const blocks = allBlocks();

Deno.test("the docs: whatever is shown is fenced, and of a kind that a test looks at", () => {
  const wrong = blocks.flatMap(({ page, line, kind, scene, machines }) => {
    if (!KINDS.includes(kind)) return [`${page}:${line}: a block of kind "${kind}"`];
    if (kind === "text" || kind === "json" || (kind === "yaml" && scene === "")) return [];
    const known = SCENES[scene];
    if (!known) return [`${page}:${line}: no scene "${scene}"`];
    return machines.filter((m) => !known.machines.includes(m)).map((m) =>
      `${page}:${line}: no machine ${m} in ${scene}`
    );
  });
  assertEquals(wrong, []);
});

Deno.test("the docs: what stands behind a block's kind is known, and a session expects something", () => {
  const wrong = blocks.flatMap(({ page, line, kind, words, given, text }) => {
    const unknown = [
      ...words.filter((word) => !WORDS.includes(word)),
      ...Object.keys(given).filter((key) => !GIVEN.includes(key)),
    ];
    if (given["needs"] && !["ip6gre", "no-ip6gre"].includes(given["needs"])) unknown.push(given["needs"]);
    const turns = kind === "console" ? sessionOf(text) : [];
    const anything = turns.filter(({ prints }) => prints.trim() !== "" && /^[.\s]*$/.test(prints));
    // It would be that of each.
    if (given["exit"] && turns.length !== 1) unknown.push("exit");
    return [...unknown, ...anything.map(({ command }) => command)].map((what) => `${page}:${line}: ${what}`);
  });
  assertEquals(wrong, []);
});

Deno.test("the docs: no block is only indented, and in no text is a command", () => {
  const wrong = PAGES.flatMap((page) => {
    const text = Deno.readTextFileSync(`${ROOT}${page}`);
    let fenced = false;
    let before = "";
    return text.split("\n").flatMap((line, i) => {
      if (/^ *```/.test(line)) fenced = !fenced;
      const odd = !fenced && before === "" && /^ {4,}\S/.test(line) && !/^ +([-*]|\d+\.) /.test(line);
      before = line;
      return odd ? [`${page}:${i + 1}: ${line}`] : [];
    });
  });
  assertEquals(wrong, []);
  const commands = blocks.filter((b) => b.kind === "text" && /^[#$] \w/m.test(b.text)).map((b) =>
    `${b.page}:${b.line}`
  );
  assertEquals(commands, []);
});

const BASE = { address: "10.5.0.1/32", overlay: { type: "yggdrasil", peers: ["tls://192.0.2.1:1"] } };

for (const block of blocks.filter((b) => b.kind === "yaml")) {
  Deno.test(`the docs: the config at ${block.page}:${block.line} is a valid one`, async () => {
    const text = block.text.replace('"5f2c...64 hex digits...91d0"', `"${"5f".repeat(32)}"`);
    if (!block.words.includes("part")) return void await parseConfig(text, block.page);
    const part = parse(text) as Record<string, unknown>;
    const whole = merged(BASE, part);
    await parseConfig(stringify(whole), block.page);
  });
}

Deno.test("the docs: JSON is JSON, and what the host is told to do are tasks; CI runs the tests as README says", async () => {
  for (const { kind, text } of blocks) if (kind === "json") JSON.parse(text);
  const { tasks } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  const ci = await Deno.readTextFile(`${ROOT}.ci/run`);
  const [, deno] = /^deno=([\d.]+)$/m.exec(ci)!;
  const lines = blocks.filter((b) => b.scene === "host").flatMap((b) => b.text.split("\n"));
  const named = lines.map((line) => /^npx --yes deno@([\d.]+) task (\w+)\b/.exec(line)!.slice(1));
  assertEquals(named.map(([version]) => version), named.map(() => deno));
  assertEquals(named.filter(([, task]) => !(task! in tasks)), []);
  for (const task of ["rehearse", "test", "build"]) assert(named.some(([, name]) => name === task), task);
  assert(ci.includes('npx --yes "deno@$deno" task test\n'));
});

Deno.test("blocksOf, sessionOf: a block in a list, commands with remarks", () => {
  const [block] = blocksOf(
    "x.md",
    "1. Do:\n\n   ```console a:gw,node before tunnel=ckr\n   # crxn up     (here)\n   Done.\n   ```\n",
  );
  assert(block);
  assertEquals([block.scene, block.machines, block.words, block.given], ["a", ["gw", "node"], ["before"], {
    tunnel: "ckr",
  }]);
  assertEquals(sessionOf(block.text), [{ command: "crxn up", prints: "Done.\n" }]);
});

Deno.test("patternOf: words have to be the same, numbers and keys not, and ... is anything", () => {
  const is = (shown: string, printed: string) => patternOf(shown).test(printed);
  assert(
    is(
      "Done: 39 changes.\n  far node 202:abe5::43f does not answer",
      "Done: 41 changes.\n far node 201::1 does not answer\n",
    ),
  );
  assert(!is("Done: 39 changes.", "Done: 41 change."));
  assert(!is("Done: 39 changes.", "Done: 41 changes.\nand more"));
  assert(is("Done: 39 changes.\n...", "Done: 41 changes.\nand more"));
  assert(is("...\nthe end", "a\nb\nthe end"));
  assert(is("10.0.0.0/8 dev crxn-156b3235 scope link", "10.0.0.0/8 dev crxn-0123abcd scope link"));
  assert(!is("10.0.0.0/8 dev crxn-156b3235", "10.1.0.0/8 dev crxn-0123abcd"));
  // What is left out ends where a word does.
  assert(is("a\n...\nhealthy", "a\nb\nhealthy\n") && is("a\n...\nhealthy", "a\nhealthy"));
  for (const shown of ["a\n...\nhealthy", "...\nhealthy"]) assert(!is(shown, "a\nunhealthy"), shown);
  assert(!is("healthy\n...", "healthyish") && is("healthy\n...", "healthy"));
  assert(is("a ...\n... b", "a b") && !is("a ...\n... b", "ab"));
  // All of them are all of them.
  assert(is("ping  4 of 4 answered, 1.0 ms", "ping  3 of 3 answered, 2.4 ms"));
  for (const few of ["0 of 4", "3 of 4", "44 of 4"]) assert(!is("ping 4 of 4 answered", `ping ${few} answered`), few);
  assert(is("1 of 4, and ... 4 of 4, 2 of 2", "2 of 5, and 3 of 3, 7 of 7"));
  // The kind of tunnel is another one only where the kernel decides.
  const auto = "Tunnel: vxlan (auto: this kernel has no ip6gre)";
  assert(is(auto, auto) && is(auto, "Tunnel: ip6gre (auto: this kernel has it, and it costs the fewest bytes)"));
  assert(!is(auto, "Tunnel: ip6gre (auto: this kernel has no ip6gre)") && !is(auto, "Tunnel: vxlan (auto: as before)"));
  assert(!is("a tunnel  vxlan (the config says so)", "a tunnel  ip6gre (the config says so)"));
  assert(is("until 21:03:10, or", "until 07:11:59, or"));
  assert(is("2026-11-29 21:03:10 tayga@ygg", "2027-01-01 00:00:00 tayga@ygg"));
  assert(
    is(`via: "6fa4...8308" cannot`, `via: "6fa497818044d164d7f895a69e4678f03d99820b23c1912970e9255910bd8308" cannot`),
  );
});

Deno.test("faultOf: an error ends with a code of its own, everything else with 0, whatever is shown", () => {
  const error = { command: "crxn up --dry-run", prints: "crxn: No.\n" };
  for (
    const [turn, right, wrong] of [
      [{ command: "crxn status", prints: "healthy\n" }, [0], [1, 2, 124]],
      [{ command: "crxn status", prints: "" }, [0], [1, 3]],
      [{ command: "crxn up --dry-run", prints: "healthy\n" }, [0, 2], [1, 69]],
      [{ command: "crxn logs --follow", prints: "" }, [0, 124, 130], [1, 2]],
      [{ command: "crxn up", prints: "healthy\n", exit: 69 }, [69], [0, 1]],
    ] as const
  ) {
    for (const code of right) assertEquals(faultOf(turn, { code, text: "healthy\n" }), undefined, turn.command);
    for (const code of wrong) assert(faultOf(turn, { code, text: "healthy\n" }), `${turn.command} ${code}`);
  }
  assertEquals(faultOf(error, { code: 69, text: "crxn: No.\n" }), undefined);
  for (const code of [0, 2]) assert(faultOf(error, { code, text: "crxn: No.\n" }));
  assert(faultOf({ command: "crxn status", prints: "healthy" }, { code: 0, text: "unhealthy" }));
});
