import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { chainItem, fileItem, type Item, routeItem, serviceItem, sysctlItem } from "../../gateway/item.ts";
import { type Before, type Line, replay, withComing } from "../../gateway/journal.ts";
import { undoScript } from "../../gateway/undo_script.ts";
import { blueprint } from "../../gateway/blueprint.ts";
import { parseConfig } from "../../gateway/config/parse.ts";
import { FACTS, GOLDEN } from "./golden_configs.ts";

const at = "2026-11-27T00:00:00.000Z";
const did = (item: Item, before: Before = {}): Line => ({ v: 1, did: { item, before }, at });

/** Whether sh(1) can read it. */
async function assertReadable(script: string): Promise<void> {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, script);
  const { code, stderr } = await new Deno.Command("/bin/sh", { args: ["-n", file] }).output();
  await Deno.remove(file);
  assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
}

Deno.test("undoScript: in the order of `down`, each with its former state", async () => {
  const script = undoScript(
    replay([
      did(fileItem("/etc/new.conf", "x"), { file: null, folders: ["/etc/a", "/etc/a/b"] }),
      did(fileItem("/etc/old.conf", "x"), { file: { base64: btoa("it's old\n"), mode: 0o640, uid: 0, gid: 7 } }),
      did(sysctlItem(["net/ipv4/ip_forward"], "1"), { sysctls: { "net/ipv4/ip_forward": "0", "net/gone": "" } }),
      did(chainItem("inet6", "nat", "POSTROUTING", []), { table: false }),
      did(routeItem("10.0.0.0/8", { device: "wg0", metric: 7 })),
      did(serviceItem("tayga@ygg.service"), {
        unit: { load: "loaded", active: "active", enabled: "enabled" },
        folders: ["/var/lib/tayga", "/var/lib/tayga/ygg"],
      }),
      { v: 1, brought: ["tayga"], at },
    ]),
    at,
  );
  await assertReadable(script);
  const lines = [
    "stop tayga@ygg.service",
    "tree /var/lib/tayga/ygg",
    "folder /var/lib/tayga",
    "route -4 10.0.0.0/8 7",
    "chain ip6 nat POSTROUTING CRXN-POSTROUTING",
    "try sysctl -e -q -w net/ipv4/ip_forward=0",
    "restore /etc/old.conf 640 0 7 <<'END'",
    "remove /etc/new.conf",
    "folder /etc/a/b",
    "folder /etc/a",
    "table ip6 nat",
    "again --quiet enable tayga@ygg.service",
    "again start tayga@ygg.service",
    `{"v":1,"brought":["tayga"],"at":"${at}"}`,
  ];
  const places = lines.map((line) => script.indexOf(`\n${line}\n`));
  assertEquals(places.map((p, i) => p < 0 ? lines[i] : ""), places.map(() => ""));
  assertEquals(places, places.toSorted((a, b) => a - b));
  assert(!script.includes("disable tayga@ygg.service"), "it was enabled before");
});

Deno.test("undoScript: of a journal with nothing in it, and of every kind of gateway", async () => {
  await assertReadable(undoScript(replay([]), at));
  for (const { config, facts } of Object.values(GOLDEN)) {
    const { items } = blueprint(await parseConfig(config, "crxn.yaml"), { ...FACTS, ...facts });
    await assertReadable(undoScript(replay(items.map((item) => did(item))), at));
  }
});

Deno.test("undoScript: a name that no shell may read anything into", async () => {
  const script = undoScript(replay([did(fileItem("/etc/a'b $(reboot).conf", ""), { file: null })]), at);
  await assertReadable(script);
  assertStringIncludes(script, `\nremove '/etc/a'\\''b $(reboot).conf'\n`);
});

Deno.test("withComing: what is going to be made counts, and how it was first stays", () => {
  const [one, other] = [sysctlItem(["a"], "1"), sysctlItem(["b"], "1")];
  const journal = replay([did(one, { sysctls: { a: "0" } })]);
  const coming = withComing(journal, [
    { item: { ...one, value: "2" }, before: { sysctls: { a: "1" } } },
    { item: other, before: { sysctls: { b: "0" } } },
  ]);
  assertEquals([...coming.entries.values()].map((e) => e.before.sysctls), [{ a: "0" }, { b: "0" }]);
  assertEquals(journal.entries.size, 1);
});
