/** `crxn doctor --fix` on a fake machine: what it mends, what it leaves, and that `down` still takes all of it back. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { CrxnError } from "../../gateway/errors.ts";
import { refused } from "./fake/answer.ts";
import { WALK } from "./fake/configs.ts";
import { FakeMachine } from "./fake/machine.ts";
import { Play } from "./fake/play.ts";
import { differences, snapshot } from "./fake/snapshot.ts";

type Break = (machine: FakeMachine) => unknown;

const GATEWAY = WALK["interface gateway"]!;
const JOURNAL = "/var/lib/crxn/journal.jsonl";

const ip = (words: string): Break => (m) => m.network.ip(words.split(" "));
const iptables = (words: string): Break => (m) => m.netfilter.command("ip", words.split(" "));
const systemctl = (words: string): Break => (m) => m.systemd.run(words.split(" "));
const sysctl = (setting: string): Break => (m) => m.sysctls.run(["-q", "-w", setting]);
const append = (path: string): Break => (m) => m.write(path, `${m.read(path)}# of somebody\n`);

const FAULTS: [name: string, id: string, breaks: Break][] = [
  ["forwarding off", "forwarding-sysctl", sysctl("net/ipv4/ip_forward=0")],
  ["the pool's route gone", "pool-route", ip("-4 route del 100.64.0.0/16 dev nat64-ygg")],
  ["the blackhole gone", "blackhole-route", ip("-6 route del blackhole 2a04:5b80:300:4::/64")],
  ["the NAT rules gone", "nat-rule", iptables("-w -t nat -F CRXN-POSTROUTING")],
  ["tayga stopped", "translator-service", systemctl("stop tayga@ygg.service")],
  ["tayga not enabled", "translator-service", systemctl("disable tayga@ygg.service")],
  ["tayga masked", "translator-service", async (m) => {
    await m.systemd.run(["stop", "tayga@ygg.service"]);
    await m.systemd.run(["mask", "tayga@ygg.service"]);
  }],
  ["tayga's config changed", "translator-config", append("/etc/tayga/ygg.conf")],
  ["a unit file changed", "drift", append("/etc/systemd/system/crxn-overlay.service")],
  ["the overlay's route gone", "overlay-route", ip("-4 route del 10.0.0.0/8 dev wg0")],
  ["the overlay's address gone", "overlay-address", ip("address del 10.5.0.1/32 dev wg0")],
  ["tayga's device down", "translator-device", ip("link set dev nat64-ygg down")],
  ["a file of rules gone", "drift", (m) => Deno.removeSync(`${m.folder}/etc/crxn/rules.v4`)],
  ["Debian's tayga runs", "conflicts", systemctl("start tayga.service")],
];

/** A gateway that is up, and how the machine was before. */
async function gateway(config = GATEWAY) {
  const machine = new FakeMachine({ version: "13" });
  const play = new Play(machine);
  const first = snapshot(machine);
  assertEquals(await play.up(config), 0, play.said);
  return { machine, play, first, [Symbol.dispose]: () => machine[Symbol.dispose]() };
}

/** Without those that only look. */
const changing = (commands: string[][]) =>
  commands.filter(([p, ...words]) =>
    !/\/(ping|unshare|journalctl|systemd-sysctl|ps|df|networkctl|nmcli)$/.test(p!) && !words.includes("-batch")
  );

const test = (name: string, fn: () => Promise<void>) => Deno.test({ name, fn, ignore: Deno.uid() !== 0 });
const told = (findings: { id: string; verdict: string; found?: string }[]) =>
  findings.filter((f) => ["fail", "warn"].includes(f.verdict)).map((f) => `${f.id}: ${f.found}`);

for (const [name, id, breaks] of FAULTS) {
  test(`doctor --fix: ${name}: mended, and down takes all back`, async () => {
    using scene = await gateway();
    const { machine, play, first } = scene;
    await breaks(machine);
    const before = await play.doctor(GATEWAY);
    assertEquals(before.code, 1, "nothing was broken");
    assert(told(before.findings).some((line) => line.startsWith(id)), told(before.findings).join("\n"));
    const after = await play.doctor(GATEWAY, { fix: true });
    assertEquals([after.code, told(after.findings)], [0, []], JSON.stringify(after.fixed));
    assertEquals(after.fixed?.map((f) => `${f.id} ${f.result}`), [`${id} mended`]);
    assertEquals((await play.steps(GATEWAY)).map((s) => s.title), []);
    assertEquals(await play.down(), 0, play.said);
    assertEquals(differences(first, snapshot(machine)), []);
  });
}

test("doctor --fix: many faults at once are all mended", async () => {
  using scene = await gateway();
  const { machine, play, first } = scene;
  for (const [, , breaks] of FAULTS) await breaks(machine);
  const { code, findings, fixed } = await play.doctor(GATEWAY, { fix: true });
  assertEquals([code, told(findings)], [0, []], JSON.stringify(fixed, null, 1));
  assertEquals(await play.down(), 0, play.said);
  assertEquals(differences(first, snapshot(machine)), []);
});

test("doctor --fix: a healthy machine is not touched", async () => {
  using scene = await gateway();
  const { machine, play } = scene;
  const [journal, done] = [machine.read(JOURNAL), machine.commands.length];
  const { code, fixed } = await play.doctor(GATEWAY, { fix: true });
  assertEquals([code, fixed], [0, []]);
  assertEquals(machine.read(JOURNAL), journal);
  assertEquals(changing(machine.commands.slice(done)), []);
});

test("doctor --fix: the same faults, mended twenty times, do not let the journal grow", async () => {
  using scene = await gateway();
  const { machine, play, first } = scene;
  const lines = () => machine.read(JOURNAL)!.split("\n").length;
  const mend = async (breaks: Break) => {
    await breaks(machine);
    const { code, fixed } = await play.doctor(GATEWAY, { fix: true });
    assertEquals([code, fixed!.length > 0], [0, true], JSON.stringify(fixed));
  };
  const made = lines();
  for (let i = 0; i < 20; i++) {
    await mend(iptables("-w -t nat -D POSTROUTING -m comment --comment crxn:jump -j CRXN-POSTROUTING"));
  }
  assertEquals(lines(), made);
  for (const [, , breaks] of FAULTS) await mend(breaks);
  const once = lines();
  for (const [, , breaks] of FAULTS) await mend(breaks);
  assertEquals(lines(), once);
  assertEquals((await play.steps(GATEWAY)).map((s) => s.title), []);
  assertEquals(await play.down(), 0, play.said);
  assertEquals(differences(first, snapshot(machine)), []);
});

test("doctor --fix: a mend that fails is told with what the program said, and does not stop the others", async () => {
  using scene = await gateway();
  const { machine, play } = scene;
  await sysctl("net/ipv4/ip_forward=0")(machine);
  await ip("-6 route del blackhole 2a04:5b80:300:4::/64")(machine);
  machine.before = (argv) => argv.includes("blackhole") ? refused("RTNETLINK answers: Not today", 2) : undefined;
  const { code, findings, fixed } = await play.doctor(GATEWAY, { fix: true });
  assertEquals(code, 1);
  assertEquals(told(findings).map((l) => l.split(":")[0]), ["blackhole-route"]);
  assertEquals(fixed?.map((f) => `${f.id} ${f.result}`), ["blackhole-route failed", "forwarding-sysctl mended"]);
  assertStringIncludes(fixed?.[0]?.reason ?? "", "Not today");
});

test("doctor --fix: --only and --skip limit what is mended", async () => {
  using scene = await gateway();
  const { machine, play } = scene;
  await sysctl("net/ipv4/ip_forward=0")(machine);
  await ip("-6 route del blackhole 2a04:5b80:300:4::/64")(machine);
  const only = await play.doctor(GATEWAY, { fix: true, only: "blackhole-route" });
  assertEquals(only.fixed?.map((f) => f.id), ["blackhole-route"]);
  assertEquals(machine.sysctls.values.get("net/ipv4/ip_forward"), "0");
  const rest = await play.doctor(GATEWAY, { fix: true, skip: "forwarding-sysctl" });
  assertEquals([rest.code, rest.fixed], [0, []]);
  assertEquals((await play.doctor(GATEWAY, { fix: true })).code, 0);
});

test("doctor --fix: somebody else's rule stays, and the command is told", async () => {
  using scene = await gateway();
  const { machine, play } = scene;
  await iptables("-w -t mangle -A FORWARD -o wg0 -j DROP")(machine);
  const { code, fixed } = await play.doctor(GATEWAY, { fix: true });
  assertEquals(code, 1);
  assertEquals(fixed?.map((f) => `${f.id} ${f.result}`), ["forward-policy left"]);
  assertEquals(fixed?.[0]?.commands?.[0]?.[0], "/usr/sbin/iptables");
});

test("doctor --fix: without a terminal and without --yes nothing is asked and nothing done", async () => {
  using scene = await gateway();
  const { machine, play } = scene;
  await sysctl("net/ipv4/ip_forward=0")(machine);
  play.context.options.yes = false;
  const error = await play.doctor(GATEWAY, { fix: true }).then(() => undefined, (e) => e);
  assert(error instanceof CrxnError && error.exit === 64, String(error));
  assertEquals(machine.sysctls.values.get("net/ipv4/ip_forward"), "0");
});

test("doctor --fix: a parameter that was right before up is right after down, whatever happened in between", async () => {
  using machine = new FakeMachine({ version: "13" });
  const play = new Play(machine);
  machine.sysctls.run(["-q", "-w", "net/ipv4/ip_forward=1"]);
  const first = snapshot(machine);
  assertEquals(await play.up(GATEWAY), 0, play.said);
  await sysctl("net/ipv4/ip_forward=0")(machine);
  assertEquals((await play.doctor(GATEWAY, { fix: true })).code, 0);
  assertEquals(await play.down(), 0, play.said);
  assertEquals(differences(first, snapshot(machine)), []);
});

test("doctor --fix: with a damaged journal nothing is changed", async () => {
  using scene = await gateway();
  const { machine, play } = scene;
  await ip("-6 route del blackhole 2a04:5b80:300:4::/64")(machine);
  machine.write(JOURNAL, `what\n${machine.read(JOURNAL)}`);
  const done = machine.commands.length;
  const { code, fixed } = await play.doctor(GATEWAY, { fix: true });
  assertEquals(code, 1);
  assert(fixed?.every((f) => f.result === "left"), JSON.stringify(fixed));
  assertEquals(changing(machine.commands.slice(done)), []);
});
