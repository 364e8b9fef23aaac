/** What `up` says of the machine in doctor's words, before it begins and at its end; and what `doctor` says without a config. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { foresee } from "../../checks/foresee.ts";
import { CHECKS } from "../../checks/list.ts";
import { runChecks } from "../../checks/run.ts";
import { reportLines } from "../../commands/doctor_output.ts";
import { paintFor } from "../../commands/ui.ts";
import { doctor } from "../../commands/doctor.ts";
import { CrxnError } from "../../gateway/errors.ts";
import { WALK } from "./fake/configs.ts";
import { FakeMachine } from "./fake/machine.ts";
import { Play } from "./fake/play.ts";
import { healthy } from "./surveys/builder.ts";

const GATEWAY = WALK["interface gateway"]!;
const test = (name: string, fn: () => Promise<void>) => Deno.test({ name, fn, ignore: Deno.uid() !== 0 });
const dropsOut = (machine: FakeMachine) =>
  machine.netfilter.command("ip6", ["-w", "-t", "mangle", "-A", "FORWARD", "-o", "eth0", "-j", "DROP"]);

for (const [name, config] of Object.entries(WALK)) {
  test(`up: ${name}: says nothing of faults where there are none`, async () => {
    using machine = new FakeMachine();
    const play = new Play(machine);
    assertEquals(await play.up(config), 0, play.said);
    assertEquals(play.said.match(/(fault|warning): [a-z-]+: .*/g), null);
  });
}

test("up: somebody's rule that will drop the packets is told before anything is done, and again at the end", async () => {
  using machine = new FakeMachine();
  const play = new Play(machine);
  dropsOut(machine);
  assertEquals(await play.up(GATEWAY, { dryRun: true }), 2);
  assertStringIncludes(play.said, "fault: forward-policy: packets from nat64-ygg to eth0 are dropped");
  const cures = [...play.said.matchAll(/^ {4}ip6tables (.* -j ACCEPT)$/gm)].map(([, words]) => words!.split(" "));
  assert(cures.length > 0, play.said);
  assertEquals(machine.read("/var/lib/crxn/journal.jsonl"), undefined);
  play.said = "";
  assertEquals(await play.up(GATEWAY), 0, play.said);
  assertEquals(play.said.match(/fault: forward-policy/g)?.length, 2, play.said);
  // The command that is told cures it.
  for (const words of cures) machine.netfilter.command("ip6", words);
  assertEquals((await play.doctor(GATEWAY)).code, 0);
});

Deno.test("foresee: what up mends itself is not told", async () => {
  const input = await healthy("interface");
  input.survey.rules = { inet: {}, inet6: {} };
  input.survey.units["tayga.service"] = { ...Object.values(input.survey.units)[0]!, unit: "tayga.service" };
  assertEquals(foresee(CHECKS, input).map((f) => f.id), []);
});

Deno.test("reportLines: what is wrong comes first, what is well by name only; no line but a command is longer than 80", async () => {
  const input = await healthy("interface");
  input.survey.sysctls["net/ipv4/ip_forward"] = "0";
  const findings = runChecks(CHECKS, input);
  const lines = reportLines({ healthy: false, path: [], findings }, input, paintFor({ isTerminal: () => false }));
  const first = lines.findIndex((l) => /^(FAIL|ok|-)/.test(l));
  assert(lines[first]!.startsWith("FAIL forwarding-sysctl"), lines.join("\n"));
  assertEquals(lines.filter((l) => l.startsWith("ok ")).length, 1);
  assertEquals(lines.filter((l) => l.length > 80 && !/^ {5}(fix| {3})/.test(l)), []);
  assert(lines.length <= 30, `${lines.length} lines`);
});

const without = async (play: Play, config: string) => {
  play.context.options.config = config;
  const error = await doctor(play.context, {}).then(() => undefined, (e) => e);
  assert(error instanceof CrxnError, String(error));
  return error;
};

test("doctor: without a config it says what the machine lacks, and how to begin", async () => {
  using machine = new FakeMachine({ packages: [] });
  const { exit, message, remedy, detail } = await without(new Play(machine), "/nowhere/crxn.yaml");
  assertEquals([exit, message], [78, "There is no config at /nowhere/crxn.yaml."]);
  assertStringIncludes(remedy!, "crxn init");
  assertStringIncludes(detail!.text!, "not installed yet: tayga, yggdrasil");
});

test("doctor: without the config of a gateway that is here it says what is not as it was made", async () => {
  using machine = new FakeMachine();
  const play = new Play(machine);
  assertEquals(await play.up(GATEWAY), 0, play.said);
  machine.network.ip("-4 route del 100.64.0.0/16 dev nat64-ygg".split(" "));
  const { exit, message, remedy, detail } = await without(play, "/nowhere/crxn.yaml");
  assertEquals(exit, 78);
  assertStringIncludes(message, "what crxn made from one is here");
  assertStringIncludes(remedy!, "crxn down");
  assertStringIncludes(detail!.text!, "route 100.64.0.0/16: missing");
});

test("doctor: without ip(8) nothing is said to be missing that only could not be seen", async () => {
  using machine = new FakeMachine();
  const play = new Play(machine);
  assertEquals(await play.up(GATEWAY), 0, play.said);
  const { run } = machine;
  machine.run = (argv, options) =>
    /\/(ip|sysctl)$/.test(argv[0]!)
      ? Promise.resolve({ argv, code: 127, stdout: "", stderr: "not found" })
      : run.call(machine, argv, options);
  const { findings } = await play.doctor(GATEWAY);
  const failing = findings.filter((f) => f.verdict === "fail" && !["drift", "accept-ra"].includes(f.id));
  assertEquals(failing.map((f) => `${f.id}: ${f.found}`), []);
});
