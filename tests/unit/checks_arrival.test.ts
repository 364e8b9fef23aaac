/** prefix-routed and accept-ra: whether packets for the prefix arrive, what was said on the way, and what it means. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { CheckInput } from "../../checks/check.ts";
import { CHECKS } from "../../checks/list.ts";
import type { Arrival } from "../../checks/probe_result.ts";
import { runChecks } from "../../checks/run.ts";
import { answersOf } from "../../machine/arrival.ts";
import { icmpError, toldMtu } from "../../machine/probe_traffic.ts";
import { healthy } from "./surveys/builder.ts";

const ask = (id: string, input: CheckInput) => runChecks(CHECKS, input, new Set([id]))[0]!;

const arrival = (more: Partial<Arrival>): Arrival => ({
  address: "2001:db8:300:4:0:1:c700:10",
  command: ["ping"],
  output: "",
  ...more,
});
const connected = ({ survey }: CheckInput) => {
  survey.routes.push({
    family: "inet6",
    to: "2001:db8:300:4::/64",
    type: "unicast",
    device: "eth0",
    table: "main",
    protocol: "kernel",
    metric: 256,
  });
};

const ARRIVALS: [name: string, Arrival | undefined, (input: CheckInput) => void, verdict: string, says: RegExp][] = [
  [
    "an answer",
    arrival({ answeredBy: "2001:db8::1", solicited: 0, left: 2 }),
    () => {},
    "pass",
    /2001:db8::1 .* arrives$/,
  ],
  [
    "an answer after ndppd's",
    arrival({ answeredBy: "2001:db8::1", solicited: 1, left: 2 }),
    connected,
    "pass",
    /ndppd/,
  ],
  [
    "asked for",
    arrival({ solicited: 3, left: 2 }),
    () => {},
    "fail",
    /is not routed here but on-link: the router asks for/,
  ],
  ["asked for, in its own network", arrival({ solicited: 3, left: 2 }), connected, "fail", /the uplink's own network/],
  ["silence", arrival({ solicited: 0, left: 2 }), () => {}, "unknown", /does not answer .* does not ask/],
  ["silence, nothing counted", arrival({}), () => {}, "unknown", /does not answer/],
  [
    "silence, in its own network",
    arrival({ solicited: 0, left: 2 }),
    connected,
    "warn",
    /lies in the uplink's own network/,
  ],
  ["a firewall kept it", arrival({ solicited: 0, left: 0 }), () => {}, "skip", /does not forward/],
  ["not sent", undefined, () => {}, "skip", /not measured/],
  ["not sent, own network", undefined, connected, "warn", /lies in the uplink's own network/],
  [
    "not sent, own network, proxy_ndp",
    undefined,
    (input) => {
      connected(input);
      input.survey.sysctls["net/ipv6/conf/eth0/proxy_ndp"] = "1";
    },
    "pass",
    /proxy_ndp/,
  ],
  [
    "no default route",
    undefined,
    ({ survey }) => {
      survey.routes = survey.routes.filter((r) => r.to !== "default");
    },
    "skip",
    /no IPv6 default route/,
  ],
];

for (const [name, seen, change, verdict, says] of ARRIVALS) {
  Deno.test(`prefix-routed: ${name}: ${verdict}`, async () => {
    const input = { ...await healthy("interface"), ...(seen ? { arrival: seen } : {}) };
    change(input);
    const finding = ask("prefix-routed", input);
    assertEquals(finding.verdict, verdict, finding.found);
    assertMatch(finding.found!, says);
    if (verdict === "fail" || verdict === "warn") {
      const rules = "rule 2001:db8:300:4::a00:0/104 { static } rule 2001:db8:300:4:0:1:c700:c11e/128 { static }";
      assertStringIncludes(finding.want!, `proxy eth0 { ${rules} }`);
    }
  });
}

Deno.test("pings: what ICMP errors say, in both families and both versions of ping", () => {
  assertEquals(toldMtu("From 10.0.0.1 icmp_seq=1 Frag needed and DF set (mtu = 1400)"), 1400);
  assertEquals(toldMtu("From 2001:db8::1 icmp_seq=1 Packet too big: mtu=1440"), 1440);
  assertEquals(toldMtu("ping: sendmsg: Message too long\nping: local error: message too long, mtu: 1420"), 1420);
  assertEquals(toldMtu("64 bytes from 10.1.0.3: icmp_seq=1 ttl=61 time=0.3 ms"), undefined);
  const output = "From 2001:db8:9::1 icmp_seq=1 Time exceeded: Hop limit\nFrom fe80::1%eth0: icmp_seq=2 x\n";
  assertEquals(icmpError(output), "2001:db8:9::1: Time exceeded: Hop limit");
  assertEquals(answersOf(output)[0], "2001:db8:9::1");
  assertEquals(answersOf("64 bytes from 2001:db8::9: icmp_seq=1 ttl=64 time=1 ms"), ["2001:db8::9"]);
});

const FIXED: [name: string, Arrival | undefined, states: string[], verdict: string][] = [
  ["and silence", arrival({ solicited: 0, left: 2 }), ["PERMANENT"], "warn"],
  ["and an answer", arrival({ answeredBy: "2001:db8::1", solicited: 0, left: 2 }), ["PERMANENT"], "pass"],
  ["and nothing that left", arrival({ solicited: 0, left: 0 }), ["PERMANENT"], "pass"],
  ["and nothing measured", undefined, ["PERMANENT"], "pass"],
  ["that the kernel found, and silence", arrival({ solicited: 0, left: 2 }), ["REACHABLE"], "pass"],
];

for (const [name, arrived, states, verdict] of FIXED) {
  Deno.test(`accept-ra: a fixed link address of the router ${name}: ${verdict}`, async () => {
    const input = await healthy("interface");
    input.host!.neighbours![0]!.states = states;
    if (arrived) input.arrival = arrived;
    const outcome = ask("accept-ra", input);
    assertEquals(outcome.verdict, verdict);
    if (verdict === "warn") assertMatch(outcome.found!, /link address of the router \S+ on eth0 is fixed by hand/);
  });
}
