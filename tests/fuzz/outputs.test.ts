import { assert, assertEquals } from "@std/assert";
import { CHECKS } from "../../checks/list.ts";
import { runChecks } from "../../checks/run.ts";
import { blueprint } from "../../gateway/blueprint.ts";
import { parseConfig } from "../../gateway/config/parse.ts";
import { CrxnError } from "../../gateway/errors.ts";
import { factsOf } from "../../gateway/facts.ts";
import { replay } from "../../gateway/journal.ts";
import { Path } from "../../gateway/names.ts";
import { parseJournal } from "../../machine/journal.ts";
import type { Runner } from "../../machine/run.ts";
import { questionsOf, readSurvey } from "../../machine/survey.ts";
import { FAR } from "../unit/fake/configs.ts";
import { dice } from "../unit/dice.ts";

// Whatever programs print, and whatever stands in the journal: it is read, or said to be unknown; never a crash.

const COUNT = 3000;
const SEED = Number(Deno.env.get("CRXN_SEED") ?? crypto.getRandomValues(new Uint32Array(1))[0]);
const CONFIG = `address: 10.5.0.1/32
prefix: 2a04:5b80:300:4::/96
overlay: {type: yggdrasil, tunnel: vxlan, routes: [{to: 10.0.0.0/8, via: ${FAR}}]}
`;
const ODD = [
  "",
  "null",
  "0",
  "-1",
  "{}",
  "[]",
  '"x"',
  "true",
  "1e400",
  "\u0000",
  "\ufffd",
  "%s",
  "$(id)",
  "\x1b[2J",
  "::",
  "/",
  "\n",
];

const recorded = (debian: string, name: string) =>
  Deno.readTextFileSync(new URL(`../unit/recorded/${debian}/${name}`, import.meta.url));

/** Which recorded output answers a command. */
function nameOf([program = "", ...words]: string[]): string {
  const is = (word: string) => words.includes(word);
  const name = program.slice(program.lastIndexOf("/") + 1);
  switch (name) {
    case "ip":
      if (is("rule")) return is("-6") ? "ip-rule6.json" : "ip-rule4.json";
      return is("address") ? "ip-address.json" : is("-6") ? "ip-route6.json" : "ip-route4.json";
    case "yggdrasilctl":
      return is("getSelf") ? "getself.json" : "getpeers.json";
    case "nft":
      return "nft-ruleset.json";
    case "systemctl":
      return "systemctl-show";
    default:
      return name;
  }
}

type Roll = (sides: number) => number;

function spoilt(text: string, roll: Roll): string {
  const pick = <T>(list: readonly T[]): T => list[roll(list.length)]!;
  const at = roll(text.length + 1);
  switch (roll(7)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + pick(ODD) + text.slice(at + roll(20));
    case 2:
      return text.slice(0, at) + text.slice(at, at + 2000).repeat(1 + roll(roll(20) === 0 ? 300 : 3)) + text.slice(at);
    case 3: {
      const lines = text.split("\n");
      lines.splice(roll(lines.length), 1 + roll(3), pick(lines));
      return lines.join("\n");
    }
    case 4:
      return text.replace(/"[^"]*"|\b\d+\b/g, (word) => roll(40) === 0 ? pick(ODD) : word);
    case 5:
      // Of another locale, or another version.
      return text.replace(/[A-Za-z]{4,}/g, (word) => roll(60) === 0 ? "größe" : word);
    default:
      return pick(ODD);
  }
}

function damaged(debian: string, roll: Roll): Runner {
  // One answer, or each.
  const many = roll(3) === 0;
  const victim = roll(14);
  let n = 0;
  return {
    run: (argv) => {
      let stdout = "";
      try {
        stdout = recorded(debian, nameOf(argv));
      } catch {
        // Not a program of which anything was recorded.
      }
      const hit = many || n++ === victim;
      const code = hit && roll(8) === 0 ? [1, 2, 124, 126, 127][roll(5)]! : 0;
      return Promise.resolve({ argv, code, stdout: hit ? spoilt(stdout, roll) : stdout, stderr: "" });
    },
  };
}

const identity = (publicKey: string, address: string) => ({
  publicKey,
  address,
  from: "config" as const,
  text: `{PrivateKey: "00"}`,
});

Deno.test(`fuzz: ${COUNT} damaged answers of programs are read, or said to be unknown; what doctor makes of them is no crash`, async () => {
  console.log(`CRXN_SEED=${SEED} does the same`);
  const roll = dice(SEED);
  const config = await parseConfig(CONFIG, "f");
  let unknown = 0;
  let untold = 0;
  for (let n = 0; n < COUNT; n++) {
    const debian = roll(2) === 0 ? "bookworm" : "trixie";
    try {
      const survey = await readSurvey(damaged(debian, roll), { ...questionsOf(config, replay([])), files: [] });
      unknown += survey.unknown.length > 0 ? 1 : 0;
      const ours = survey.overlay?.publicKey ?? FAR;
      const facts = factsOf(config, survey, { identity: identity(ours, "200::1"), tunnel: { kind: "vxlan", why: "" } });
      runChecks(CHECKS, { blueprint: blueprint(config, facts), survey, troubles: [] });
    } catch (error) {
      // "There is no uplink" and the like, in a sentence.
      if (!(error instanceof CrxnError)) throw new Error(`answer ${n} of seed ${SEED}, ${debian}`, { cause: error });
      untold++;
    }
  }
  console.log(`${unknown} with something unknown, ${untold} refused`);
  assert(unknown > COUNT / 10);
});

Deno.test(`fuzz: ${COUNT} damaged journals are replayed, or refused with the line`, () => {
  const roll = dice(SEED + 1);
  const item = { kind: "file", id: "file /etc/x", path: "/etc/x", content: "x\n", mode: 420 };
  const route = {
    kind: "route",
    id: "route 10.0.0.0/8",
    family: "inet",
    to: "10.0.0.0/8",
    type: "unicast",
    device: "wg0",
  };
  const lines = [
    { v: 1, brought: ["tayga"], at: "2026-01-01T00:00:00.000Z" },
    { v: 1, did: { item, before: { file: null, folders: ["/etc/x.d"] } }, at: "2026-01-01T00:00:00.000Z" },
    { v: 1, did: { item: route, before: {} }, at: "2026-01-01T00:00:00.000Z" },
    { v: 1, undid: "file /etc/x", at: "2026-01-01T00:00:00.000Z" },
    { v: 1, settled: true, at: "2026-01-01T00:00:00.000Z" },
  ];
  const whole = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  assertEquals(replay(parseJournal(whole)).entries.size, 1);
  let refused = 0;
  for (let n = 0; n < COUNT; n++) {
    const text = spoilt(whole, roll);
    try {
      replay(parseJournal(text));
    } catch (error) {
      const told = error instanceof CrxnError && error.message.startsWith(`${Path.journal}:`);
      if (!told) throw new Error(`journal ${n} of seed ${SEED}: ${JSON.stringify(text)}`, { cause: error });
      refused++;
    }
  }
  assert(refused > COUNT / 10);
});
