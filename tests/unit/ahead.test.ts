import { assert, assertEquals } from "@std/assert";
import { lock } from "../../machine/lock.ts";
import { AheadRunner, questionsOf } from "../../machine/ahead.ts";
import { HOST, listed, NFT_NAMES, SURVEY, tableQuestion } from "../../machine/always.ts";
import { Program } from "../../gateway/action.ts";
import { blueprint } from "../../gateway/blueprint.ts";
import { unitsQuestion } from "../../machine/systemd.ts";
import { FACTS, GOLDEN } from "./golden_configs.ts";
import { readHost } from "../../machine/host.ts";
import { parseConfig } from "../../gateway/config/parse.ts";
import { questionsOf as surveyQuestionsOf, readSurvey } from "../../machine/survey.ts";
import { replay } from "../../gateway/journal.ts";
import { Path, Unit } from "../../gateway/names.ts";
import { placeFiles } from "../../machine/place.ts";
import { manyNetworks } from "./fake/configs.ts";
import { procQuestion } from "../../machine/proc.ts";
import { type Runner, SystemRunner } from "../../machine/run.ts";

const COUNT = ["/bin/sh", "-c", 'echo x >>"$0"; wc -l <"$0"'];

Deno.test("AheadRunner: a question that was asked ahead is answered once by that, then anew", async () => {
  const file = await Deno.makeTempFile();
  const runner = new AheadRunner();
  const argv = [...COUNT, file];
  runner.ask([argv]);
  const answers = [await runner.run(argv), await runner.run(argv), await runner.run(["/bin/echo", "other"])];
  assertEquals(answers.map((a) => a.stdout.trim()), ["1", "2", "other"]);
  await Deno.remove(file);
});

Deno.test("AheadRunner: a missing program is told as ever", async () => {
  const runner = new AheadRunner();
  runner.ask([["/nonexistent"]]);
  assertEquals((await runner.run(["/nonexistent"])).code, 127);
});

const EXAMPLE = `
address: 10.5.0.1/32
overlay: {type: interface, interface: wg0, routes: [{to: 10.0.0.0/8}]}
`;

/** A folder of its own as the machine's, with these files. */
async function withFiles(files: Record<string, string>, body: () => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  placeFiles(folder);
  try {
    for (const [path, text] of Object.entries(files)) {
      await Deno.mkdir(folder + path.slice(0, path.lastIndexOf("/")), { recursive: true });
      await Deno.writeTextFile(folder + path, text);
    }
    await body();
  } finally {
    placeFiles("");
    await Deno.remove(folder, { recursive: true });
  }
}

/** Each a folder. */
const DEVICES = Object.fromEntries(
  ["all", "default", "lo", "eth0"].map((name) => [`/proc/sys/net/ipv4/conf/${name}/forwarding`, "1\n"]),
);
const PREFIX = "prefix: 2a04:5b80:300:4::/96\nnat64: {instance: two}\n";
const KEY = "a".repeat(64);
const YGGDRASIL =
  `address: 10.5.0.1/32\noverlay: {type: yggdrasil, peers: ["tls://p:1"], routes: [{to: 10.0.0.0/8, via: ${KEY}}]}\n`;

for (const config of [EXAMPLE, EXAMPLE + PREFIX, YGGDRASIL, YGGDRASIL + PREFIX]) {
  Deno.test(`questionsOf: all that is asked ahead is asked: ${JSON.stringify(config)}`, async () => {
    await withFiles({ [Path.config]: config, [Path.lock]: "", ...DEVICES }, async () => {
      const asked = new Set<string>();
      const listening: Runner = {
        run: (argv) => {
          asked.add(argv.join(" "));
          const stdout = argv.includes("address") ? '[{"ifname": "lo"}, {"ifname": "eth0"}]' : "";
          return Promise.resolve({ argv, code: stdout === "" ? 1 : 0, stdout, stderr: "" });
        },
      };
      const vain = (questions: string[][]) => questions.map((q) => q.join(" ")).filter((q) => !asked.has(q));
      const parsed = await parseConfig(config, "crxn.yaml");
      await readSurvey(listening, surveyQuestionsOf(parsed, replay([])));
      assertEquals(vain(questionsOf(["up"])), []);
      assertEquals(vain(questionsOf(["down"])), []);
      assert(questionsOf(["down"]).length > listed(SURVEY).length);
      await readHost(listening, parsed);
      assertEquals(vain(questionsOf(["status"])), []);
      assertEquals(vain(questionsOf(["doctor", "--json"])), []);
      // Units, logs and sysctls are among them, and what a translator needs where there is one.
      const more = config.includes("prefix") ? 4 : 3;
      assertEquals(questionsOf(["doctor"]).length, listed(SURVEY).length + listed(HOST).length + more);
    });
  });
}

for (const [name, { config, facts }] of Object.entries(GOLDEN)) {
  Deno.test(`questionsOf: of units down asks ahead what it then asks by the journal: ${name}`, async () => {
    await withFiles({ [Path.config]: config, [Path.lock]: "" }, async () => {
      const { items } = blueprint(await parseConfig(config, "crxn.yaml"), { ...FACTS, ...facts });
      const journal = replay(items.map((item) => ({ v: 1, did: { item, before: {} }, at: "" })));
      const ahead = questionsOf(["down"]).filter(([program]) => program === Program.systemctl);
      assertEquals(ahead, [unitsQuestion(surveyQuestionsOf(undefined, journal).units)]);
    });
  });
}

Deno.test("questionsOf: the config that the command line names; without one no units are guessed", async () => {
  await withFiles({ "/a.yaml": YGGDRASIL, "/b.yaml": EXAMPLE }, () => {
    const asks = (args: string[], unit: string) => questionsOf(args).some((argv) => argv.includes(unit));
    assertEquals(asks(["status", "--config", "/a.yaml"], Unit.yggdrasil), true);
    assertEquals(asks(["status", "--config=/a.yaml"], Unit.yggdrasil), true);
    assertEquals(asks(["status", "--config", "/b.yaml"], Unit.yggdrasil), false);
    assertEquals(asks(["status", "--config", "/b.yaml"], Unit.link), true);
    assertEquals(
      inOrder(questionsOf(["status", "--config", "/c.yaml"])),
      inOrder([...listed(SURVEY), ...listed(HOST)]),
    );
  });
});

const inOrder = (questions: string[][]) => questions.toSorted((a, b) => a.join(" ") < b.join(" ") ? -1 : 1);

Deno.test("questionsOf: of a large config the rules first, and of nft the names; iptables-legacy's where the kernel has any", async () => {
  const file = "/proc/net/ip_tables_names";
  await withFiles({ [Path.config]: manyNetworks(1000, "wg0"), [file]: "", "/small.yaml": EXAMPLE }, () => {
    const large = questionsOf(["status"]);
    assertEquals(large.slice(0, 2), Object.values(SURVEY.rules));
    const has = (questions: string[][], argv: string[]) => questions.some((q) => q.join(" ") === argv.join(" "));
    const own = tableQuestion(["inet", "crxn"]);
    for (const argv of [NFT_NAMES.tables, NFT_NAMES.chains, own, procQuestion([file])]) assert(has(large, argv));
    assert(!has(large, SURVEY.nft) && !has(large, procQuestion(["/proc/net/ip6_tables_names"])));
    const small = questionsOf(["status", "--config", "/small.yaml"]);
    assert(has(small, SURVEY.nft) && !has(small, NFT_NAMES.tables) && small[0]!.includes("show"));
    for (const questions of [large, small]) assertEquals(new Set(questions.map(String)).size, questions.length);
  });
});

Deno.test("questionsOf: nothing is asked for what does not look at the machine, or may not yet", async () => {
  const words = [[], ["up"], ["down"], ["doctor", "--fix"], ["doctor", "--explain", "probe"], ["status", "--help"]];
  // A folder of its own: on the host a rehearsal may have left the lock of a turn that ended.
  await withFiles({ [Path.config]: EXAMPLE }, () => {
    for (const args of words) assertEquals(questionsOf(args), []);
  });
});

Deno.test("questionsOf: up asks ahead only after a turn that ended, and hears nothing old when another was at work since", async () => {
  await withFiles({ [Path.config]: EXAMPLE, ...DEVICES, "/run/.keep": "" }, async () => {
    assertEquals(questionsOf(["up"]), []);
    const system = new SystemRunner();
    const turn = async () => (await lock(system, "down"))[Symbol.dispose]();
    const clock = ["/bin/sh", "-c", "date +%s%N"];
    const first = await lock(system, "up");
    assertEquals(questionsOf(["up"]), []);
    first[Symbol.dispose]();
    assert(questionsOf(["up"]).length > 5);
    /** @returns whether the answer is one from before `between` */
    const isOld = async (between: () => Promise<unknown>) => {
      const runner = new AheadRunner();
      runner.ask([clock]);
      await new Promise((resolve) => setTimeout(resolve, 50));
      const asked = BigInt(Date.now()) * 1_000_000n;
      await between();
      using mine = await lock(system, "up");
      runner.since(mine.last);
      return BigInt((await runner.run(clock)).stdout) < asked;
    };
    assertEquals(await isOld(() => Promise.resolve()), true);
    assertEquals(await isOld(turn), false);
  });
});
