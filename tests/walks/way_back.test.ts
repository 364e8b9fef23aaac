import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { make } from "../../commands/make.ts";
import { compare } from "../../gateway/compare.ts";
import type { Pending } from "../../gateway/confirm.ts";
import { CrxnError } from "../../gateway/errors.ts";
import type { Item } from "../../gateway/item.ts";
import { Path } from "../../gateway/names.ts";
import { readJournal } from "../../machine/journal.ts";
import { Signals } from "../../machine/signals.ts";
import { refused } from "../unit/fake/answer.ts";
import { WALK } from "../unit/fake/configs.ts";
import type { FakeMachine } from "../unit/fake/machine.ts";
import { differences, snapshot } from "../unit/fake/snapshot.ts";
import { GATEWAY, start, test, YGGDRASIL } from "./start.ts";

// `up --confirm`: what is gone back to, and when that is over.

// crxn lies where it stays, wherever these tests are.
Object.defineProperty(Deno, "mainModule", { value: "file:///usr/local/lib/crxn/main.ts", configurable: true });

const itemsNow = async (): Promise<Item[]> => [...(await readJournal()).entries.values()].map(({ item }) => item);

const wait = (machine: FakeMachine, items: Item[]) => {
  const pending: Pending = { v: 1, seconds: 120, until: new Date(Date.now() + 60_000).toISOString(), items };
  machine.write(Path.pending, JSON.stringify(pending) + "\n");
};

const waits = (machine: FakeMachine): Pending | undefined => {
  const text = machine.read(Path.pending);
  return text === undefined ? undefined : JSON.parse(text);
};

const OTHER = GATEWAY.replace("10.0.0.0/8", "172.20.0.0/14").replace("10.5.0.1/32", "10.5.0.9/32");

test("the way back: what somebody has put in one place does not keep the rest from coming back", async () => {
  const { machine, play } = start();
  using _ = machine;
  await play.up(GATEWAY);
  const former = await itemsNow();
  const was = snapshot(machine);
  await play.up(OTHER);
  machine.network.ip(["route", "replace", "10.0.0.0/8", "dev", "eth0", "proto", "static"]);
  wait(machine, former);
  play.said = "";
  assertEquals(await play.confirm({ expired: true }), 0);
  assertStringIncludes(play.said, "in the place of:\n  route 10.0.0.0/8");
  assertEquals(waits(machine), undefined);
  const left = differences(was, snapshot(machine));
  assertEquals(left.filter((line) => !line.includes("10.0.0.0/8")), []);
  assert(left.length <= 2);
});

test("the way back: the daemon that it needs stays until it is closed", async () => {
  const { machine, play } = start();
  using _ = machine;
  await play.up(WALK["yggdrasil with a fetched daemon"]!);
  const former = await itemsNow();
  const was = snapshot(machine);
  const programs = () => [...Deno.readDirSync(`${machine.folder}/usr/local/lib`)].length;
  assertEquals(programs(), 1);
  wait(machine, former);
  await play.up(YGGDRASIL);
  assertEquals(programs(), 1);
  await play.confirm({ expired: true });
  assertEquals(differences(was, snapshot(machine)), []);
  assertEquals(programs(), 1);

  wait(machine, former);
  await play.up(YGGDRASIL);
  await play.confirm();
  assertEquals(programs(), 0);
  assertEquals(await play.steps(YGGDRASIL), []);
});

test("the way back: it stays open where an up fails and not all of it could be taken back", async () => {
  const { machine, play } = start();
  using _ = machine;
  await play.up(GATEWAY);
  for (const taken of [false, true]) {
    // Which starts tayga anew.
    const prepared = await play.prepare(`${GATEWAY}\nnat64: {pool: 100.127.0.0/16}\n`);
    const steps = compare(prepared.blueprint.items, prepared.survey, prepared.journal);
    let failures = 0;
    machine.before = (argv) =>
      argv.includes("tayga@ygg.service") && (!taken || failures++ === 0) ? refused("made to fail", 3) : undefined;
    let abandoned = 0;
    using signals = new Signals(() => {});
    const pending: Pending = { v: 1, seconds: 120, until: "", items: [] };
    const way = {
      pending,
      abandon: () => Promise.resolve(void abandoned++),
      begin: () => Promise.resolve(pending),
    };
    const error = await make(play.context, prepared, steps, signals, way).catch((error) => error);
    machine.before = () => undefined;
    assertEquals([abandoned, error.remedy.includes("--confirm tries again")], taken ? [1, false] : [0, true]);
  }
});

test("down: from its beginning nothing waits any more, also when it fails", async () => {
  const { machine, play } = start();
  using _ = machine;
  await play.up(GATEWAY);
  wait(machine, await itemsNow());
  machine.before = (argv) =>
    argv.join(" ").includes("sysctl -e -q -w net/ipv6/conf/all/forwarding") ? refused("made to fail", 1) : undefined;
  await assertRejects(play.down, CrxnError, "made to fail");
  machine.before = () => undefined;
  assertEquals(waits(machine), undefined);
  assertEquals(await play.down(), 0);
});

test("up: with nothing to change it leaves the time of what waits, unless it says --confirm", async () => {
  const { machine, play } = start();
  using _ = machine;
  await play.up(GATEWAY);
  wait(machine, []);
  const before = { ...waits(machine)!, session: "192.0.2.7 22 192.0.2.1 5555" };
  machine.write(Path.pending, JSON.stringify(before) + "\n");
  assertEquals(await play.up(GATEWAY), 0);
  assertEquals(waits(machine), before);
  assertEquals(await play.up(GATEWAY, { confirm: 600 }), 0);
  const after = waits(machine)!;
  // Who may confirm stays the same.
  assertEquals([after.seconds, after.items, after.session], [600, [], before.session]);
  assert(Date.parse(after.until) > Date.parse(before.until));
  assertStringIncludes(play.said, "crxn confirm");
});

test("the way back: nothing is done to somebody's device that has the name of one of crxn's", async () => {
  const { machine, play } = start();
  using _ = machine;
  await play.up(YGGDRASIL);
  const former = await itemsNow();
  const name = former.flatMap((i) => i.kind === "link" && i.spec.type === "vxlan" ? [i.name] : [])[0]!;
  await play.up(GATEWAY);
  machine.network.addLink({ name, kind: "bridge", up: true, mtu: 1500 });
  wait(machine, former);
  play.said = "";
  assertEquals(await play.confirm({ expired: true }), 0);
  assertStringIncludes(play.said, `in the place of:\n  link ${name}`);
  assertEquals(machine.network.find(name)!.addresses, []);
});

test("the way back: a fetched daemon that the gateway of before does not need goes with it", async () => {
  const { machine, play } = start();
  using _ = machine;
  await play.up(YGGDRASIL);
  const former = await itemsNow();
  wait(machine, former);
  await play.up(WALK["yggdrasil with a fetched daemon"]!);
  const programs = () => [...Deno.readDirSync(`${machine.folder}/usr/local/lib`)].length;
  assertEquals(programs(), 1);
  // That it is left over is no reason to ask, while something waits.
  wait(machine, former);
  await play.confirm({ expired: true });
  assertEquals(programs(), 0);
});
