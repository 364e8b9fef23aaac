import { cpuUsage } from "node:process";
import { assert, assertRejects } from "@std/assert";
import example from "../../assets/crxn.example.yaml" with { type: "text" };
import { parseConfig } from "../../gateway/config/parse.ts";
import { ConfigError } from "../../gateway/config/problem.ts";
import { BROKEN_CONFIGS, GOOD_INTERFACE, GOOD_YGGDRASIL } from "../unit/broken_configs.ts";
import { dice } from "../unit/dice.ts";

// Whatever a config's bytes are: it is read, or refused with places; never another error, and in no time.

const COUNT = 10_000;
const SEED = Number(Deno.env.get("CRXN_SEED") ?? crypto.getRandomValues(new Uint32Array(1))[0]);

/** Milliseconds for one; the longest file that is read at all takes a fraction of it. */
const MOST = 2000;

/** Milliseconds since then, of the clock or of this process's work: a busy host makes the first longer, another test here the second. */
function stopwatch(): () => number {
  const [then, work] = [performance.now(), cpuUsage()];
  return () => {
    const { user, system } = cpuUsage(work);
    return Math.min(performance.now() - then, (user + system) / 1000);
  };
}

const PIECES = [
  ...[
    "\n",
    " ",
    "  ",
    "\t",
    ":",
    ": ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "#",
    "'",
    '"',
    "|",
    ">",
    "&a ",
    "*a",
    "!!str ",
    "<<: *a",
    "---\n",
    "...\n",
  ],
  ...["\0", "\x1b[31m", "\u202e", "\ufeff", "\ud800", "é", "\u00a0", "%n", "$(id)", "`id`", ";", "../../etc/passwd"],
  ...["0x7f", "1e999", "-1", "0", "99999999999999999999", "NaN", "null", "~", "true", "__proto__", "constructor"],
  ...["10.0.0.0/8", "::/0", "2001:db8::/96", "tls://[::1]:1", "a".repeat(300), "nat64:\n", "overlay:\n", "address: "],
];

const UPKEEP = `${GOOD_INTERFACE}\nupkeep:\n  mend: 5min\n  metrics: /var/lib/prometheus/node-exporter/crxn.prom\n`;
const BASES = [example, GOOD_INTERFACE, GOOD_YGGDRASIL, UPKEEP, ...BROKEN_CONFIGS.map((b) => b.yaml)];

function mutated(roll: (sides: number) => number): string {
  const pick = <T>(list: readonly T[]): T => list[roll(list.length)]!;
  // Half of them are nearly right.
  const near = roll(2) === 0;
  let text = pick(near ? BASES.slice(0, 3) : BASES);
  for (let n = near ? 1 : 1 + roll(6); n > 0; n--) {
    const at = roll(text.length + 1);
    const length = roll(roll(4) === 0 ? 200 : 6);
    switch (roll(5)) {
      case 0:
        text = text.slice(0, at) + pick(PIECES) + text.slice(at);
        break;
      case 1:
        text = text.slice(0, at) + text.slice(at + length);
        break;
      case 2:
        text = text.slice(0, at) + text.slice(at, at + length).repeat(1 + roll(roll(50) === 0 ? 2000 : 4)) +
          text.slice(at);
        break;
      case 3:
        text = text.slice(0, at) + String.fromCharCode(roll(roll(3) === 0 ? 65536 : 128)) + text.slice(at + 1);
        break;
      default: {
        const other = pick(BASES);
        text = text.slice(0, at) + other.slice(roll(other.length));
      }
    }
  }
  return text;
}

/** What earlier seeds have found. */
const FOUND: Record<string, string> = {
  "as many problems as brackets": `pool: 100.64.0.0/16${"[".repeat(38_000)}`,
  "as many problems as keys": Array.from({ length: 9000 }, (_, i) => `k${i}: 1\n`).join(""),
  "one key, very often": "a: 1\n".repeat(20_000),
};

for (const [what, text] of Object.entries(FOUND)) {
  Deno.test(`fuzz: found before: ${what}`, async () => {
    const took = stopwatch();
    const error = await assertRejects(() => parseConfig(text, "crxn.yaml"), ConfigError);
    assert(error.message.split("\n").length < 40, "a screenful");
    assert(took() < MOST);
  });
}

Deno.test(`fuzz: ${COUNT} configs are read, or refused with their places`, async () => {
  console.log(`CRXN_SEED=${SEED} does the same`);
  const roll = dice(SEED);
  const counts = { read: 0, refused: 0 };
  for (let n = 0; n < COUNT; n++) {
    const text = mutated(roll);
    const watch = stopwatch();
    try {
      await parseConfig(text, "crxn.yaml");
      counts.read++;
    } catch (error) {
      if (!(error instanceof ConfigError)) {
        throw new Error(`config ${n} of seed ${SEED}: ${JSON.stringify(text)}`, { cause: error });
      }
      assert(error.problems.length > 0 && error.problems.every((p) => p.line >= 1 && p.column >= 1), text);
      counts.refused++;
    }
    const took = watch();
    assert(took < MOST, `${took.toFixed(0)} ms for config ${n} of seed ${SEED}: ${text.length} characters`);
  }
  console.log(`${counts.read} read, ${counts.refused} refused`);
  assert(counts.read > 50 && counts.refused > COUNT / 2);
});
