/** `crxn status`, from surveys. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { CHECKS } from "../../checks/list.ts";
import { runChecks } from "../../checks/run.ts";
import type { CheckInput } from "../../checks/check.ts";
import { metricsText, NOTHING } from "../../commands/metrics.ts";
import { statusOf } from "../../commands/status_data.ts";
import { duration, size, statusLines } from "../../commands/status_output.ts";
import { addressFromKey } from "../../gateway/yggdrasil_address.ts";
import { CONFIGS, FAR, healthy, OWN, SECOND, type Setup } from "./surveys/builder.ts";
import { replay } from "../../gateway/journal.ts";

const plain = (text: string) => text;
const PAINT = { bold: plain, dim: plain, red: plain, green: plain, yellow: plain, cyan: plain };
const look = (input: CheckInput) => statusOf(input, runChecks(CHECKS, input));
const text = (input: CheckInput) => statusLines(look(input), PAINT, 5_000).join("\n");

for (const setup of Object.keys(CONFIGS) as Setup[]) {
  Deno.test(`statusLines: ${setup} is up, on 80 columns and 24 lines`, async () => {
    const input = await healthy(setup);
    const lines = text(input).split("\n");
    // Each further far node is one more device, and one more line of its own.
    const more = 2 * Math.max(0, input.blueprint.nodes.length - 1);
    assertStringIncludes(lines[0]!, ": up");
    assertEquals(lines.filter((l) => l.length > 80), []);
    assert(lines.length <= 24 + more, `${lines.length} lines`);
  });
}

Deno.test("statusOf: a gateway over yggdrasil tells who it is, its peers, pool and tunnel", async () => {
  const input = await healthy("yggdrasil");
  input.survey.poolUsed = 3;
  const { self, tunnel, pool, peers, hops } = look(input);
  assertEquals(self.publicKey, OWN);
  assertEquals(tunnel, { device: "crxn-6fa49781", kind: "vxlan", why: "a test" });
  assertEquals(pool, { network: "100.64.0.0/16", size: 65536, used: 3 });
  assertEquals(peers.map((p) => [p.uri, p.up]), [["tls://192.0.2.9:443", true]]);
  assertEquals(hops.map((h) => [h.name, h.device, h.state, h.rx.packets]), [
    ["uplink", "eth0", "up", 5],
    ["translator", "nat64-ygg", "up", 5],
    ["overlay", "crxn-6fa49781", "up", 5],
    ["underlay", "ygg", "up", 5],
  ]);
});

Deno.test("statusOf: several far nodes: each with its address, device and networks, and a hop", async () => {
  const input = await healthy("two nodes");
  const { nodes, hops, tunnel, gateway, self } = look(input);
  assertEquals(nodes, [
    { key: FAR, address: addressFromKey(FAR), device: "crxn-6fa49781", networks: ["10.0.0.0/8"] },
    { key: SECOND, address: addressFromKey(SECOND), device: "crxn-3b6a27bc", networks: ["10.7.0.0/16"] },
  ]);
  assertEquals(hops.map((h) => `${h.name} ${h.device}`), [
    "uplink eth0",
    "translator nat64-ygg",
    "overlay crxn-6fa49781",
    "overlay crxn-3b6a27bc",
    "underlay ygg",
  ]);
  assertEquals([tunnel!.device, gateway.networks, self.overlay], [
    "crxn-6fa49781",
    ["10.0.0.0/8", "10.7.0.0/16"],
    "10.5.0.1/24",
  ]);
  const lines = text(input);
  assertStringIncludes(lines, `far node ${addressFromKey(FAR)} for 10.0.0.0/8\n`);
  assertStringIncludes(lines, `           ${addressFromKey(SECOND)} for 10.7.0.0/16\n`);
});

Deno.test("statusOf: with tunnel routing the daemon's device is the overlay, and there is no other below it", async () => {
  const { nodes, hops, tunnel } = look(await healthy("two nodes", { ckr: "2" }));
  assertEquals(nodes!.map((n) => n.device), ["ygg", "ygg"]);
  assertEquals(hops.map((h) => h.name), ["uplink", "translator", "overlay"]);
  assertEquals(tunnel, { device: "ygg", kind: "ckr", why: "a test" });
});

Deno.test("statusOf: over an existing link there are no nodes", async () => {
  assertEquals(look(await healthy("interface")).nodes, undefined);
});

Deno.test("statusOf: degraded names the fault and the hop", async () => {
  const input = await healthy("interface");
  Object.assign(input.survey.units["tayga@ygg.service"]!, { active: "failed", sub: "failed" });
  const seen = look(input);
  assertEquals(seen.state, "degraded");
  assertEquals(seen.faults.map((f) => f.id), ["translator-service"]);
  assertEquals(seen.hops.find((h) => h.name === "translator")?.state, "faulty");
  assertStringIncludes(text(input), "crxn doctor");
});

Deno.test("statusOf: down when nothing of it is here", async () => {
  const { blueprint, survey } = await healthy("interface");
  const bare = {
    ...survey,
    files: {},
    units: {},
    rules: { inet: {}, inet6: {} },
    nftables: [],
    native: [],
    links: survey.links.filter((l) => l.name !== "nat64-ygg"),
  };
  const input = { blueprint, survey: bare, journal: replay([]), troubles: [] };
  assertEquals(look(input).state, "down");
  assertStringIncludes(text(input), "crxn up");
});

Deno.test("statusOf: the pool's use is unknown without root, not zero", async () => {
  const input = await healthy("interface");
  input.survey.root = false;
  assertEquals(look(input).pool?.used, null);
});

Deno.test("size: three digits and a decimal prefix", () => {
  assertEquals([0, 999, 1000, 1_234_567, 99_600_000, 5e12].map(size), [
    "0 B",
    "999 B",
    "1.0 kB",
    "1.2 MB",
    "100 MB",
    "5.0 TB",
  ]);
});

Deno.test("duration: the two largest units", () => {
  assertEquals([0, 59, 61, 3600, 93_784].map(duration), ["0 s", "59 s", "1 min 1 s", "1 h", "1 d 2 h"]);
});

Deno.test("metricsText: every line is of Prometheus' text format, and says what status says", async () => {
  const input = await healthy("yggdrasil");
  input.survey.poolUsed = 3;
  const lines = metricsText(look(input)).split("\n");
  for (const line of lines) {
    assertMatch(
      line,
      /^(# HELP crxn_[a-z_]+ [A-Z][^\n]*\.|# TYPE crxn_[a-z_]+ (gauge|counter)|crxn_[a-z_]+(\{([a-z]+="([^"\\]|\\.)*",?)+\})? \d+(\.\d+)?)$/,
    );
  }
  const value = (start: string) => Number(lines.find((l) => l.startsWith(`${start} `))?.split(" ").at(-1));
  assertEquals(value('crxn_state{state="up"}'), 1);
  assertEquals(value('crxn_state{state="degraded"}'), 0);
  assertEquals(value('crxn_pool_addresses{pool="100.64.0.0/16"}'), 65536);
  assertEquals(value('crxn_pool_addresses_used{pool="100.64.0.0/16"}'), 3);
  assertEquals(value('crxn_hop_receive_packets_total{hop="translator",device="nat64-ygg"}'), 5);
  assertEquals(value('crxn_peer_up{uri="tls://192.0.2.9:443"}'), 1);
  // Each family is named once, and all its samples follow.
  const families = lines.filter((l) => l.startsWith("# TYPE")).map((l) => l.split(" ")[2]);
  assertEquals(families.length, new Set(families).size);
  assertEquals(lines.some((l) => l.startsWith("crxn_fault{")), false);
  const [peer] = input.survey.overlay!.peers;
  input.survey.overlay!.peers.unshift({ ...peer!, up: false });
  assertEquals(metricsText(look(input)).match(/^crxn_peer_up.*$/gm), ['crxn_peer_up{uri="tls://192.0.2.9:443"} 1']);
  input.survey.links.find((l) => l.name === "nat64-ygg")!.up = false;
  assertStringIncludes(metricsText(look(input)), 'crxn_fault{check="translator-device"} 1');
});

Deno.test("metricsText: where there is nothing, it is down", () => {
  assertStringIncludes(metricsText(NOTHING), 'crxn_state{state="down"} 1');
  assertEquals(metricsText(NOTHING).match(/^# TYPE \S+/gm), [
    "# TYPE crxn_build_info",
    "# TYPE crxn_state",
    "# TYPE crxn_confirm_pending",
  ]);
});
