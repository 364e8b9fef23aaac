import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { CheckInput } from "../../checks/check.ts";
import { CHECKS } from "../../checks/list.ts";
import { runChecks } from "../../checks/run.ts";
import { metricsText, NOTHING } from "../../commands/metrics.ts";
import { WITHOUT_PROBE } from "../../commands/status.ts";
import { type Status, statusOf } from "../../commands/status_data.ts";
import { ensureRequirements } from "../rig/mod.ts";
import { promtool } from "./promtool.ts";
import { decode, type Json, patched } from "../recorded/codec.ts";

// What crxn status --prometheus prints, judged by Prometheus' own promtool.

const SURVEYS = new URL("../recorded/surveys/", import.meta.url);
const read = (path: string) => JSON.parse(Deno.readTextFileSync(new URL(path, SURVEYS)));
const names = (folder: string) =>
  [...Deno.readDirSync(new URL(folder, SURVEYS))].map(({ name }) => name).filter((n) => n.endsWith(".json")).sort();

const statusOfInput = (input: CheckInput): Status => statusOf(input, runChecks(CHECKS, input, WITHOUT_PROBE));

Deno.test("crxn status --prometheus: promtool finds nothing to say, whatever the gateway's state", async (t) => {
  await ensureRequirements([{ file: "/usr/bin/promtool", package: "prometheus" }]);
  const healthy = names("healthy").map((name) => decode((read(`healthy/${name}`) as { input: Json }).input));
  const up = statusOfInput(healthy[0]!);
  const good = metricsText(up);
  await t.step("the control: it refuses what is broken", async () => {
    assertEquals(await promtool(good), "");
    const type = "# TYPE crxn_state gauge";
    assertStringIncludes(good, type);
    for (
      const [what, broken] of [
        ["a value that is no number", good.replace(/^(crxn_state\S*) \d/m, "$1 many")],
        ["a name with a dash", good.replaceAll("crxn_state", "crxn-state")],
        ["a label without its end", good.replace('{state="up"}', '{state="up}')],
        ["a counter without _total", good.replaceAll("crxn_service_restarts_total", "crxn_service_restarts")],
        ["no help", good.replace(/^# HELP crxn_state .*\n/m, "")],
      ] as const
    ) assert(await promtool(broken) !== "", `promtool lets pass ${what}`);
  });
  await t.step("every recorded machine, healthy", async () => {
    for (const input of healthy) assertEquals(await promtool(metricsText(statusOfInput(input))), "");
  });
  await t.step("recorded machines with a fault, one in ten", async () => {
    for (const name of names("broken").filter((_, i) => i % 10 === 0)) {
      const { of, changes } = read(`broken/${name}`);
      const input = decode(patched((read(`healthy/${of}.json`) as { input: Json }).input, changes));
      assertEquals(await promtool(metricsText(statusOfInput(input))), "", name);
    }
  });
  await t.step("nothing at all", async () => assertEquals(await promtool(metricsText(NOTHING)), ""));
  await t.step("names of peers and devices that nobody expects, and all that is rare", async () => {
    const odd: Status = {
      ...up,
      state: "degraded",
      peers: [
        'tls://"quoted"\\back\nslash:1',
        "tls://[fe80::1%25eth0]:9001?password=x",
        "Ü — \u{1f600}",
        "",
        "\x07\x1b[2J",
      ].map((
        uri,
        i,
      ) => ({ uri, up: i % 2 === 0, inbound: false, latency: i * 1.5 })),
      hops: [
        ...up.hops,
        { ...up.hops.at(-1)!, device: "eth0.100" },
        ...up.hops.slice(1, 2).map((h) => ({ ...h, device: "nat64-ygg-2" })),
      ],
      lastFault: { at: "2026-11-29T21:00:00.000Z", id: "prefix-route", found: "x", mended: false },
      tracking: { entries: 5, limit: 100, dropped: 3 },
      pool: { network: "100.64.0.0/16", size: 65536, used: 7, clients: 3 },
      confirm: { until: "2026-11-29T21:00:00.000Z", seconds: 120 },
    };
    const text = metricsText(odd);
    assertEquals(await promtool(text), "");
    for (
      const line of [
        'crxn_last_fault_timestamp_seconds{check="prefix-route",mended="false"} 1795986000',
        "crxn_confirm_pending 1",
        "crxn_confirm_until_timestamp_seconds 1795986000",
        "crxn_clients 3",
        "crxn_tracked_connections 5",
        "crxn_tracking_dropped_packets_total 3",
      ]
    ) assert(text.split("\n").includes(line), `${line} is not in:\n${text}`);
    assert(/^crxn_build_info\{version="\d+\.\d+\.\d+"\} 1$/m.test(text));
  });
});
