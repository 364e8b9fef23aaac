/** What the probe asks the kernel to count and to trace, what comes of it, and where its client and its host are. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { parseTrace } from "../../checks/probe_trace.ts";
import { parseAddress } from "../../gateway/cidr.ts";
import { parseConfig } from "../../gateway/config/parse.ts";
import { planGuess, probeClient } from "../../gateway/probe_plan.ts";
import { parseCounters, POINTS, traceLines, type Watch, watchTable } from "../../gateway/probe_points.ts";
import { healthy } from "./surveys/builder.ts";
import { linkSeen } from "./surveys/put.ts";

Deno.test("parseTrace: policies and rules of iptables-nft, as nft 1.0.6 and 1.1.3 print them", () => {
  const policy = `trace id 8aabf863 inet probe-1 trace packet: iif "nat64-ygg" ip saddr 100.64.154.79 ip daddr 10.1.0.3
trace id 8aabf863 inet probe-1 trace rule ip daddr 10.1.0.3 meta nftrace set 1 (verdict continue)
trace id 8aabf863 inet probe-1 trace policy accept 
trace id 8aabf863 ip filter FORWARD packet: iif "nat64-ygg" oif "ovl0" ip saddr 100.64.154.79 ip daddr 10.1.0.3
trace id 8aabf863 ip filter FORWARD rule  counter packets 0 bytes 0 jump CRXN-FORWARD (verdict jump CRXN-FORWARD)
trace id 8aabf863 ip filter CRXN-FORWARD rule iifname "nat64-ygg" oifname "ovl0" ip daddr 10.0.0.0/8  counter packets 0 bytes 0 return (verdict return)
trace id 8aabf863 ip filter FORWARD policy drop `;
  assertEquals(parseTrace(policy, "probe-1"), { table: "ip filter", chain: "FORWARD" });
  assertEquals(parseTrace(policy, "probe-2"), undefined);
  const rule = `trace id a0f1b53b inet probe-1 trace packet: iif "nat64-ygg" ip saddr 100.64.154.79 ip daddr 10.1.0.3
trace id a0f1b53b ip mangle FORWARD rule ip daddr 10.1.0.0/16  counter packets 0 bytes 0 drop (verdict drop)
trace id a0f1b53b ip mangle FORWARD packet: iif "nat64-ygg" oif "ovl0"
trace id a0f1b53b ip mangle FORWARD unknown rule handle 9 (verdict drop)
trace id 00000001 ip other FORWARD rule drop (verdict drop)`;
  assertEquals(parseTrace(rule, "probe-1"), {
    table: "ip mangle",
    chain: "FORWARD",
    rule: "ip daddr 10.1.0.0/16 drop",
  });
  const unknown = rule.split("\n").filter((line) => !line.includes("  counter")).join("\n");
  assertEquals(parseTrace(unknown, "probe-1"), { table: "ip mangle", chain: "FORWARD", rule: "handle 9" });
  assertEquals(parseTrace("trace id 8aabf863 inet probe-1 trace policy accept \nnonsense", "probe-1"), undefined);
});

Deno.test("parseCounters: nft's JSON, and nothing where it is something else", () => {
  const counter = (name: string, packets: number) => ({
    counter: { family: "inet", name, table: "probe-1", handle: 2, packets, bytes: 0 },
  });
  const json = JSON.stringify({
    nftables: [
      { metainfo: { version: "1.0.6", release_name: "Lester Gooch #5", json_schema_version: 1 } },
      ...[counter("solicited", 2), counter("left", 1), counter("small-q6-in", 3), counter("tcp-a6-out", 1)],
    ],
  });
  const seen = parseCounters(json)!;
  assertEquals([seen.solicited, seen.left], [2, 1]);
  assertEquals([seen.flows.small!["q6-in"], seen.flows.small!["q6-out"], seen.flows.tcp!["a6-out"]], [3, 0, 1]);
  for (const bad of ["", "{}", '{"nftables": [{"metainfo": {}}]}', "Error: No such file"]) {
    assertEquals(parseCounters(bad), undefined);
  }
});

Deno.test("watchTable: one line, owned by its nft, with a counter for every point and flow", () => {
  const watch: Watch = {
    client: "2001:db8::1",
    mapped: "2001:db8::2",
    target: "10.1.0.3",
    device: "probe-1",
    translators: ["nat64-ygg"],
    overlay: "wg0",
    uplink: "eth0",
    small: 1,
    large: 2,
    port: 80,
  };
  const table = watchTable("probe-1", watch);
  assertEquals(table.includes("\n"), false);
  assertStringIncludes(table, "table inet probe-1 { flags owner;");
  assertStringIncludes(table, "@th,64,128 0x20010db8000000000000000000000001");
  assertEquals(table.match(/ counter name "/g)?.length, POINTS.length * 3 + 2);
  assertEquals(traceLines("probe-1", "tcp", watch).length, 5);
});

const CLIENTS: [
  routed: string | undefined,
  prefix: string,
  clients: string | undefined,
  address: string | undefined,
][] = [
  [undefined, "2001:db8:300:4::/96", undefined, "2001:db8:300:4:0:1:c712:3456"],
  [undefined, "2001:db8:300:4:0:1::/96", undefined, "2001:db8:300:4::c712:3456"],
  ["2001:db8:300::/48", "2001:db8:300:4::/64", undefined, "2001:db8:300:5::c712:3456"],
  ["2001:db8:300:4::/96", "2001:db8:300:4::/96", undefined, "fd64:c7b6:c11e::1"],
  [undefined, "2001:db8:300:4::/96", "2001:db8:c::/48", "2001:db8:c:ffff:ffff:ffff:ffff:c11d"],
  [undefined, "2001:db8:300:4::/96", "2001:db8:c::7/128", undefined],
];

for (const [routed, prefix, clients, address] of CLIENTS) {
  Deno.test(`probeClient: ${routed ?? "/64"} around ${prefix}, clients ${clients ?? "any"}: ${address}`, async () => {
    const config = await parseConfig(
      `address: 10.5.0.1/32
prefix: ${prefix}
${routed ? `routed: ${routed}` : ""}
overlay: {type: interface, interface: wg0, routes: [{to: 10.0.0.0/8}]}
${clients ? `nat64: {clients: ['${clients}']}` : ""}
`,
      "crxn.yaml",
    );
    const uplink = linkSeen("eth0", {
      addresses: [{ address: "2001:db8:9::12:3456/64", family: "inet6", scope: "global", dynamic: false }],
    });
    const found = probeClient(config, uplink);
    assertEquals("address" in found ? found.address : undefined, address);
    if ("address" in found) assert(parseAddress(found.address));
  });
}

Deno.test("planGuess: the host of a network of one, or the first of the first network; nobody on a node", async () => {
  const gateway = await healthy("interface");
  assertEquals(planGuess(gateway.blueprint)?.target, "10.0.0.1");
  gateway.blueprint.config.overlay.routes.push({ to: "10.9.0.7/32" } as never);
  assertEquals(planGuess(gateway.blueprint)?.target, "10.9.0.7");
  assertEquals(planGuess((await healthy("interface node")).blueprint), undefined);
});
