import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { CrxnError } from "../../gateway/errors.ts";
import { chainItem, fileItem, type Item, routeItem, serviceItem, sysctlItem } from "../../gateway/item.ts";
import { type Before, isNoted, type Line, replay } from "../../gateway/journal.ts";
import { undoActions } from "../../gateway/undo.ts";
import {
  clearJournal,
  noteBrought,
  noteFetched,
  noteRemoved,
  noteTogether,
  noteUndone,
  parseJournal,
  readJournal,
} from "../../machine/journal.ts";
import { placeFiles } from "../../machine/place.ts";
import { keepIdentity, newIdentity } from "../../machine/identity.ts";
import { FakeMachine } from "./fake/machine.ts";
import { Play } from "./fake/play.ts";
import { WALK } from "./fake/configs.ts";

const at = "2026-11-23T12:00:00.000Z";
const did = (item: Item, before: Before = {}): Line => ({ v: 1, did: { item, before }, at });
const undid = (item: Item): Line => ({ v: 1, undid: item.id, at });
const route = routeItem("10.0.0.0/8", { device: "wg0" });
const text = (...lines: Line[]) => lines.map((l) => JSON.stringify(l) + "\n").join("");

Deno.test("replay: the first state is the one to go back to, the last item is the one that is there", () => {
  const one = sysctlItem(["net/ipv4/ip_forward"], "1");
  const journal = replay([did(one, { sysctls: { a: "0" } }), did({ ...one, value: "2" }, { sysctls: { a: "1" } })]);
  const entry = journal.entries.get(one.id)!;
  assertEquals(entry, { item: { ...one, value: "2" }, before: { sysctls: { a: "0" } } });
});

Deno.test("replay: what was taken back is gone, and made again it has its new former state", () => {
  assertEquals(replay([did(route), undid(route)]).entries.size, 0);
  const file = fileItem("/etc/x.conf", "new");
  const old = { file: { base64: "b2xk", mode: 0o644, uid: 0, gid: 0 } };
  const journal = replay([did(file, { file: null }), undid(file), did(file, old)]);
  assertEquals(journal.entries.get(file.id)!.before, old);
});

Deno.test("replay: what comes after an item is taken back is remembered until it is settled", () => {
  const service = serviceItem("yggdrasil.service");
  const before = { unit: { load: "loaded", active: "active", enabled: "enabled" } };
  const lines = [did(service, before), undid(service)];
  assertEquals([...replay(lines).undone.keys()], [service.id]);
  assertEquals(replay([...lines, { v: 1, settled: true, at }]).undone.size, 0);
  // Made again before that: it did run before crxn, though it does not now.
  const again = replay([...lines, did(service, { unit: { load: "loaded", active: "inactive", enabled: "enabled" } })]);
  assertEquals(again.entries.get(service.id)!.before.unit!.active, "active");
  assertEquals(again.undone.size, 0);
});

Deno.test("replay: a folder or table that we made is handed on to the last of ours in it", () => {
  const [a, b] = [fileItem("/etc/tayga/a.conf", ""), fileItem("/etc/tayga/b.conf", "")];
  const other = fileItem("/etc/taygax/c.conf", "");
  const journal = replay([
    did(a, { file: null, folders: ["/etc/tayga"] }),
    did(b, { file: null, folders: [] }),
    did(other, { file: null, folders: [] }),
    undid(a),
  ]);
  assertEquals(journal.entries.get(b.id)!.before.folders, ["/etc/tayga"]);
  assertEquals(journal.entries.get(other.id)!.before.folders, []);
  const [in4, fwd4] = [chainItem("inet", "filter", "INPUT", []), chainItem("inet", "filter", "FORWARD", [])];
  const tables = replay([did(in4, { table: false }), did(fwd4, { table: true }), undid(in4)]);
  assertEquals(tables.entries.get(fwd4.id)!.before.table, false);
});

Deno.test("isNoted: a line about what is noted as it is would change nothing, whatever came before it", () => {
  const file = fileItem("/etc/tayga/x.conf", "two");
  const service = serviceItem("tayga@ygg.service");
  const lines = [
    did({ ...file, content: "one" }, { file: null, folders: ["/etc/tayga"] }),
    did(service, { unit: { load: "loaded", active: "active", enabled: "enabled" } }),
    undid(service),
    did(service, { unit: { load: "loaded", active: "inactive", enabled: "" } }),
    did(file, { file: { base64: "b25l", mode: 0o644, uid: 0, gid: 0 } }),
    undid(route),
  ];
  const journal = replay(lines);
  for (const item of [file, service]) {
    assert(isNoted(journal, JSON.parse(JSON.stringify(item))), item.id);
    assertEquals(replay([...lines, did(item, { file: null })]), journal);
  }
  for (const item of [{ ...file, content: "one" }, route]) assert(!isNoted(journal, item), item.id);
  assert(!isNoted(replay([...lines, undid(service)]), service), "taken back, and not settled yet");
});

Deno.test("replay: packages that were brought add up", () => {
  const brought = (list: string[]): Line => ({ v: 1, brought: list, at });
  assertEquals(replay([brought(["a", "b"]), brought(["b", "c"])]).brought, ["a", "b", "c"]);
});

Deno.test("replay: a fetched daemon is known until it is removed, and a journal without any reads as before", () => {
  const one = { path: "/usr/local/lib/crxn/yggdrasil-1", url: "https://h/1", sha256: "11", program: "12" };
  const two = { ...one, path: "/usr/local/lib/crxn/yggdrasil-2" };
  const fetched = (what: typeof one): Line => ({ v: 1, fetched: what, at });
  const lines = [fetched(one), fetched(two), did(route), { v: 1, removed: one.path, at } as Line, undid(route)];
  assertEquals([...replay(parseJournal(text(...lines))).fetched.values()], [two]);
  // Fetched once more: what is there now counts.
  assertEquals(replay([fetched(one), fetched({ ...one, program: "13" })]).fetched.get(one.path)!.program, "13");
  assertEquals(replay(parseJournal(text(did(route)))).fetched.size, 0);
});

Deno.test("parseJournal: a last line without its end was never finished", () => {
  const whole = text(did(route), undid(route));
  for (const cut of [1, 5, 30]) {
    const lines = parseJournal(whole.slice(0, -cut));
    assertEquals(lines, [did(route)]);
  }
  assertEquals(parseJournal(""), []);
  assertEquals(parseJournal(whole).length, 2);
});

Deno.test("parseJournal: a damaged line before the last one is an error with its place", () => {
  for (const bad of ["{garbage", "", "null", '"text"', "7"]) {
    const error = assertThrows(() => parseJournal(`${text(did(route))}${bad}\n${text(undid(route))}`), CrxnError);
    assert(error.message.startsWith("/var/lib/crxn/journal.jsonl:2: "), error.message);
  }
});

Deno.test("parseJournal: a line that is JSON, but not what its kind needs, is damaged", () => {
  const whole = { v: 1, did: { item: route, before: {} }, at: "" };
  const lines = [
    { ...whole, did: { größe: route, before: {} } },
    { ...whole, did: { item: { ...route, kind: "rout" }, before: {} } },
    { ...whole, did: { item: { ...route, to: 7 }, before: {} } },
    { ...whole, did: { item: route } },
    { ...whole, did: { item: route, before: { folders: [7] } } },
    { ...whole, did: { item: route, before: { file: {} } } },
    { v: 1, undid: 7, at: "" },
    { v: 1, brought: "tayga", at: "" },
    { v: 1, fetched: { path: "/x" }, at: "" },
  ];
  assertEquals(parseJournal(`${JSON.stringify(whole)}\n`).length, 1);
  for (const line of lines) {
    assertThrows(() => parseJournal(`${JSON.stringify(line)}\n`), CrxnError, "is damaged", JSON.stringify(line));
  }
});

Deno.test("parseJournal: another version of crxn is named", () => {
  assertThrows(() => parseJournal('{"v":2}\n'), CrxnError, "format 2");
  assertThrows(() => parseJournal('{"v":1,"blessed":"x"}\n'), CrxnError, "does not know");
});

Deno.test("undoActions: a route is removed as it is there, and only when it carries our mark", () => {
  const seen = { family: "inet" as const, to: "10.0.0.0/8", type: "unicast", table: "main", metric: 0 };
  const survey = (protocol: string) => ({ routes: [{ ...seen, device: "wg9", protocol }] }) as never;
  // A kill came between the note (wg0) and the change.
  const [action] = undoActions({ item: route, before: {} }, survey("64"));
  assert(action?.do === "run" && action.argv.join(" ").endsWith("route del 10.0.0.0/8 dev wg9 proto 64"));
  assertEquals(undoActions({ item: route, before: {} }, survey("static")), []);
});

const onMachine = (name: string, fn: (machine: FakeMachine) => Promise<void>) =>
  Deno.test({
    name,
    ignore: Deno.uid() !== 0,
    fn: async () => {
      using machine = new FakeMachine();
      placeFiles(machine.folder);
      await fn(machine);
    },
  });

onMachine("noteUndone: a line that was cut short is replaced, not glued to", async (machine) => {
  const path = `${machine.folder}/var/lib/crxn/journal.jsonl`;
  const survey = { sysctls: {}, units: {}, nftables: [] } as never;
  await noteTogether([route], survey);
  Deno.writeTextFileSync(path, Deno.readTextFileSync(path) + '{"v":1,"undid":"ro');
  await noteUndone(route.id);
  assertEquals((await readJournal()).entries.size, 0);
  // One long line only, cut short: nothing is left of it.
  Deno.writeTextFileSync(path, '{"v":1,"did":{"ite');
  await noteBrought(["tayga"]);
  assertEquals((await readJournal()).brought, ["tayga"]);
});

onMachine("clearJournal: what was brought and fetched stays known, in a file for root alone", async (machine) => {
  const fetched = { path: "/usr/local/lib/crxn/yggdrasil-1", url: "https://h/1", sha256: "11", program: "12" };
  await noteBrought(["tayga"]);
  await noteFetched(fetched);
  await noteTogether([route], { sysctls: {}, units: {}, nftables: [] } as never);
  await clearJournal(await readJournal());
  const journal = await readJournal();
  assertEquals([journal.entries.size, journal.brought, [...journal.fetched.values()]], [0, ["tayga"], [fetched]]);
  assertEquals(Deno.statSync(`${machine.folder}/var/lib/crxn/journal.jsonl`).mode! & 0o777, 0o600);
  await noteRemoved(fetched.path);
  await clearJournal({ ...await readJournal(), brought: [] });
  assertEquals(machine.read("/var/lib/crxn/journal.jsonl"), undefined);
});

onMachine(
  "noteTogether: a folder and a journal that only root can read, whoever makes the folder first",
  async (machine) => {
    const mode = (path: string) => (Deno.statSync(machine.folder + path).mode! & 0o7777).toString(8);
    await keepIdentity(await newIdentity());
    await noteBrought([]);
    assertEquals(mode("/var/lib/crxn"), "700");
    assertEquals(mode("/var/lib/crxn/journal.jsonl"), "600");
    assertEquals(mode("/var/lib/crxn/yggdrasil.key"), "600");
  },
);

onMachine("up, down: refuse a damaged journal before anything is touched", async (machine) => {
  const play = new Play(machine);
  machine.write("/var/lib/crxn/journal.jsonl", "damaged\n");
  await assertRejects(() => play.up(WALK["interface gateway"]!), CrxnError, "journal.jsonl:1");
  await assertRejects(() => play.down(), CrxnError, "journal.jsonl:1");
  assertEquals(machine.commands.filter(([p]) => !p!.endsWith("ping")), []);
});
