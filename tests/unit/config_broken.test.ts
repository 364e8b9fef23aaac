import { assert, assertEquals, assertRejects } from "@std/assert";
import { parseConfig } from "../../gateway/config/parse.ts";
import { ConfigError, problemText } from "../../gateway/config/problem.ts";
import { BROKEN_CONFIGS, GOOD_INTERFACE, GOOD_YGGDRASIL, KEY } from "./broken_configs.ts";

async function problemsOf(yaml: string) {
  const error = await assertRejects(() => parseConfig(yaml, "crxn.yaml"), ConfigError) as ConfigError;
  assertEquals(error.exit, 78);
  assert(error.problems.length > 0, "no problem in the error");
  return error.problems;
}

for (const { name, yaml, at, says } of BROKEN_CONFIGS) {
  Deno.test(`parseConfig: refuses ${name}`, async () => {
    const problems = await problemsOf(yaml);
    const lines = problems.map(problemText);
    assert(
      lines.some((line) => line.startsWith(`crxn.yaml:${at}: `) && line.includes(says)),
      `want ${at} ${says}\n${lines.join("\n")}`,
    );
    for (const problem of problems) {
      const line = problemText(problem);
      assert(
        /^[\x20-\x7e]*( — )[\x20-\x7e]+$/.test(line),
        `not one line of plain text with a remedy: ${JSON.stringify(line)}`,
      );
      assert(!/undefined|\[object|NaN|Invalid input|\|/.test(line), line);
      assert(problem.line <= yaml.split("\n").length, line);
    }
  });
}

// One mistake is one problem, save where one mistake has two sides.
const TWO_SIDED =
  /duplicate|second document|tab|list as key|merge|alias|NUL|unclosed|only|number as key|level|nesting|tag|anchor|octal/;
Deno.test("parseConfig: one mistake in a value gives one problem", async () => {
  for (const { name, yaml } of BROKEN_CONFIGS.filter(({ name }) => !TWO_SIDED.test(name))) {
    const problems = await problemsOf(yaml);
    const extra = yaml.length < 30 ? 2 : 1;
    assert(problems.length <= extra, `${name}:\n${problems.map(problemText).join("\n")}`);
  }
});

Deno.test("parseConfig: the bases of the broken configs are good", async () => {
  await parseConfig(GOOD_INTERFACE, "a");
  await parseConfig(GOOD_YGGDRASIL, "b");
});

Deno.test("parseConfig: reports several problems at once, in file order", async () => {
  const problems = await problemsOf(
    GOOD_INTERFACE.replace("eth0", "eth/0").replace("10.5.0.1/32", "10.5.0/32").replace("100.64.0.0/16", "10.64.0.0/16")
      .replace("instance", "instnace"),
  );
  assertEquals(problems.map(({ path, line, column }) => `${line}:${column} ${path}`), [
    "1:10 address",
    "4:9 uplink",
    "11:3 nat64.instnace",
    "12:9 nat64.pool",
  ]);
});

Deno.test("parseConfig: the line of an error has the form that editors and people know", async () => {
  const yaml = GOOD_YGGDRASIL.replace(KEY, "xyz");
  const error = await assertRejects(() => parseConfig(yaml, "/etc/crxn/crxn.yaml"), ConfigError) as ConfigError;
  assert(
    error.message.startsWith(
      `/etc/crxn/crxn.yaml:10:12: overlay.routes[0].via: "xyz" is not a yggdrasil public key: character 1 is 'x', not a hex digit — `,
    ),
    error.message,
  );
  assertEquals(error.problems[0]!.value, "xyz");
});

Deno.test("parseConfig: an error repeats neither a peer's password nor a private key", async () => {
  const secret = "c0ffee11".repeat(16);
  for (
    const yaml of [
      GOOD_YGGDRASIL.replace(KEY, secret),
      GOOD_YGGDRASIL.replace("net:443", "net:0?password=c0ffee11"),
      GOOD_YGGDRASIL.replace("tls://peer", "http://me:c0ffee11@peer"),
      GOOD_YGGDRASIL.replace("tls://peer", "socks://me:c0ffee11@peer"),
      // Just wrong enough to be no URI any more.
      ...[
        "me:",
        "tls:/me:",
        "t://me:",
        "tls:///me:",
        "http://me:it's",
        "http://me:a#",
        "http://me:a?",
        "http://me:a/b@",
        "me:a b",
        "http://me:a b@c ",
      ].map(
        (start) => GOOD_YGGDRASIL.replace(/\[?tls:\/\/peer[^\]\s]*\]?/, `["${start}c0ffee11@h:443"]`),
      ),
    ]
  ) {
    const error = await assertRejects(() => parseConfig(yaml, "f"), ConfigError) as ConfigError;
    assert(yaml.includes("c0ffee11"), "it was not planted");
    assert(!JSON.stringify([error.message, error.detail]).includes("c0ffee11"), error.message);
  }
});
