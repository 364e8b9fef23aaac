/** Upkeep: what a config says of it, whom its units call, and what the check says. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { CHECKS } from "../../checks/list.ts";
import { runChecks } from "../../checks/run.ts";
import { settledFacts } from "../../checks/settle.ts";
import { statusOf } from "../../commands/status_data.ts";
import { blueprint } from "../../gateway/blueprint.ts";
import { parseConfig } from "../../gateway/config/parse.ts";
import type { Item } from "../../gateway/item.ts";
import { replay } from "../../gateway/journal.ts";
import { callerMade, isMetrics, sumOf } from "../../gateway/upkeep.ts";
import { kindOf } from "../../machine/ahead.ts";
import { unitsAsked, unitsLogged } from "../../machine/always.ts";
import { Unit, unitPath } from "../../gateway/names.ts";
import { FACTS } from "./golden_configs.ts";
import { healthy } from "./surveys/builder.ts";

const GATEWAY =
  "address: 10.5.0.1/32\nprefix: 2a04:5b80:300:4::/96\noverlay: {type: interface, interface: ovl0, routes: [{to: 10.0.0.0/8}]}\n";
const FILE = "/var/lib/prometheus/node-exporter/crxn.prom";
const CALLER = { command: ["/opt/a b/crxn%$", 'run"$\\%'], config: "/etc/crxn/crxn.yaml" };
const of = (text: string) => parseConfig(`${GATEWAY}${text}`, "f");
const itemsOf = async (text: string, caller = CALLER): Promise<Item[]> =>
  blueprint(await of(text), { ...FACTS, caller }).items;
const did = (item: Item) => ({ v: 1 as const, did: { item, before: {} }, at: "" });

Deno.test("upkeep: spans and files, and nothing at all where nothing is switched on", async () => {
  assertEquals((await of("upkeep: {mend: 5min}\n")).upkeep, { mend: 300 });
  assertEquals((await of("upkeep: {mend: 60s}\n")).upkeep, { mend: 60 });
  assertEquals((await of("upkeep: {mend: 1day}\n")).upkeep, { mend: 86400 });
  assertEquals((await of(`upkeep: {mend: false, metrics: ${FILE}}\n`)).upkeep, { metrics: FILE });
  for (const off of ["", "upkeep: {}\n", "upkeep: {mend: false}\n"]) {
    const config = await of(off);
    assertEquals(config.upkeep, undefined);
    assertEquals(blueprint(config, FACTS).items, blueprint(await of(""), FACTS).items);
  }
});

for (
  const [what, text, says] of [
    ["a span that is too short", "{mend: 30s}", "30s"],
    ["a span that is too long", "{mend: 2days}", "2days"],
    ["a number without a unit", "{mend: 5}", "5"],
    ["true", "{mend: true}", "true"],
    ["a file in /etc", "{metrics: /etc/crxn.prom}", "is not in a folder for data of this kind"],
    ["a file in /proc", "{metrics: /proc/crxn.prom}", "is not in a folder"],
    ["crxn's own folder", "{metrics: /var/lib/crxn/a.prom}", "is not in a folder"],
    ["another name", "{metrics: /var/lib/a.txt}", "does not end in .prom"],
    ["a way up", "{metrics: /var/lib/../../etc/a.prom}", "is not a plain path"],
    ["a relative path", "{metrics: var/a.prom}", "is not an absolute path"],
    ["characters that mean something", "{metrics: '/var/lib/%i $x.prom'}", "not allowed"],
    ["an unknown key", "{mends: 5min}", "did you mean mend?"],
  ] as const
) {
  Deno.test(`upkeep: ${what} is an error with its place`, async () => {
    const error = await assertRejects(() => of(`upkeep: ${text}\n`), Error);
    assertStringIncludes(error.message, "f:4:");
    assertStringIncludes(error.message, says);
  });
}

Deno.test("callerMade: by the journal, and without it by the files of the units, whatever the path", async () => {
  const items = await itemsOf(`upkeep: {mend: 5min, metrics: ${FILE}}\n`);
  assertEquals(callerMade(replay(items.map(did)), {}), CALLER);
  const files = Object.fromEntries(
    items.flatMap((i) =>
      i.kind === "file" ? [[i.path, { content: i.content, mode: 0o644, uid: 0, gid: 0, modified: 0 }]] : []
    ),
  );
  assertEquals(callerMade(undefined, files), CALLER);
  assertEquals(callerMade(replay([]), files), undefined);
  assertEquals(callerMade(undefined, {}), undefined);
});

Deno.test("callerMade: up from another path: the file of the unit says whom it calls now", async () => {
  const there = { command: ["/usr/bin/crxn"], config: "/etc/crxn/crxn.yaml" };
  const text = `upkeep: {mend: 5min, metrics: ${FILE}}\n`;
  const [first, then] = [await itemsOf(text), await itemsOf(text, there)];
  // What up has steps for: the rest is as it was.
  const changed = then.filter((item, i) => JSON.stringify(item) !== JSON.stringify(first[i]));
  assertEquals(changed.map((i) => i.id), [Unit.mend, Unit.metrics].map((unit) => `file ${unitPath(unit)}`));
  assertEquals(callerMade(replay([...first, ...changed].map(did)), {}), there);
});

Deno.test("settledFacts: another copy of crxn that looks changes nothing about whom the units call", async () => {
  const items = await itemsOf("upkeep: {mend: 5min}\n");
  const { survey } = await healthy("interface");
  const facts = { ...FACTS, caller: { command: ["/root/other/crxn"], config: "/root/x.yaml" } };
  assertEquals(settledFacts(facts, replay(items.map(did)), survey, undefined).caller, CALLER);
  assertEquals(settledFacts(facts, replay([]), survey, undefined).caller, facts.caller);
});

Deno.test("sumOf: another config has another", async () => {
  const [a, b] = [await of("upkeep: {mend: 5min}\n"), await of("upkeep: {mend: 6min}\n")];
  assertEquals(sumOf(a), sumOf(await of("upkeep: {mend: 300s}   # the same\n")));
  assert(sumOf(a) !== sumOf(b) && /^[0-9a-f]{16}$/.test(sumOf(a)));
});

Deno.test("kindOf: guesses the units of upkeep, so that they are asked ahead", async () => {
  for (
    const text of [
      "upkeep: {mend: 5min}\n",
      `upkeep:\n  # x\n  mend: false\n  metrics: ${FILE}\n`,
      `upkeep:\n  mend: 1h\n\n  metrics: "${FILE}"\nnat64: {}\n`,
      "nat64: {}\n",
    ]
  ) {
    const guess = kindOf(GATEWAY + text)!;
    const right = { overlay: "interface" as const, instances: ["ygg"], upkeep: (await of(text)).upkeep ?? {} };
    assertEquals([unitsAsked(guess), unitsLogged(guess)], [unitsAsked(right), unitsLogged(right)], text);
  }
});

Deno.test("isMetrics: only what crxn itself began", () => {
  for (const text of ["# HELP crxn_state x\n", "# TYPE crxn_state gauge\n", ""]) assert(isMetrics(text));
  for (const text of ["# HELP node_x\n", "x", "\u0000", "\n", "\nmine\n"]) assert(!isMetrics(text));
});

Deno.test("upkeep: the check names a timer that is off and a run that failed; without upkeep it is skipped", async () => {
  const input = await healthy("interface");
  const finding = () => runChecks(CHECKS, input, new Set(["upkeep"]))[0]!;
  assertEquals(finding().verdict, "skip");
  const config = { ...input.blueprint.config, upkeep: { mend: 300 } };
  input.blueprint = blueprint(config, { ...input.blueprint.facts, caller: CALLER });
  for (const item of input.blueprint.items) {
    if (item.kind === "file") {
      input.survey.files[item.path] ??= { content: item.content, mode: 0o644, uid: 0, gid: 0, modified: 0 };
    }
  }
  const unit = (name: string, active: string) => ({
    unit: name,
    load: "loaded",
    active,
    sub: "",
    enabled: "enabled",
    since: 0,
    pid: 0,
    restarts: 0,
    fragment: unitPath(name),
    needsReload: false,
    result: "success",
  });
  input.survey.units["crxn-mend.timer"] = unit("crxn-mend.timer", "active");
  input.survey.units["crxn-mend.service"] = unit("crxn-mend.service", "inactive");
  assertEquals(finding().verdict, "pass");
  input.survey.units["crxn-mend.service"] = unit("crxn-mend.service", "failed");
  assertEquals(finding().verdict, "warn");
  assertStringIncludes(finding().found!, "the last mend did not mend everything");
  input.survey.units["crxn-mend.timer"] = unit("crxn-mend.timer", "inactive");
  assertEquals(finding().verdict, "warn");
  assertEquals(finding().mend?.items.map((i) => i.id), ["service crxn-mend.timer"]);
});

Deno.test("statusOf: the last fault is the last that the timer's log has", async () => {
  const input = await healthy("interface");
  const line = (message: string, at: number, unit = "crxn-mend.service") => ({
    unit,
    at,
    priority: 5,
    message,
    manager: false,
  });
  input.host = {
    now: 0,
    log: [
      line("mended: nat-rule: a", 1000),
      line("not mended: prefix-route: b: c", 2000),
      line("mended: nat-rule: a", 3000, "tayga@ygg.service"),
      line("Finished.", 4000),
    ],
  };
  const last = () => statusOf(input, runChecks(CHECKS, input)).lastFault;
  // It is well by now: nobody has to be told that it was not mended.
  assertEquals(last(), undefined);
  const { routes } = input.survey;
  input.survey.routes = routes.filter((r) => !r.device?.startsWith("nat64"));
  assertEquals(last(), { at: "1970-01-01T00:00:02.000Z", id: "prefix-route", found: "b: c", mended: false });
  input.host.log = input.host.log!.slice(0, 1);
  assertEquals(last()?.mended, true);
  input.host.log = [];
  assertEquals(last(), undefined);
});
