/** What the checks of routing say, and what they leave alone. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { CheckInput } from "../../checks/check.ts";
import { lookup } from "../../checks/fib.ts";
import type { RouteAnswer } from "../../checks/flow.ts";
import { legsOf } from "../../checks/legs.ts";
import { CHECKS } from "../../checks/list.ts";
import { marksOf } from "../../checks/marks.ts";
import { pathOf } from "../../checks/path.ts";
import { runChecks } from "../../checks/run.ts";
import type { PolicySeen, Survey } from "../../gateway/survey.ts";
import { answersBut, answersOf } from "./surveys/answers.ts";
import { healthy, linkSeen, type Setup } from "./surveys/builder.ts";
import { reachOf } from "./surveys/fault.ts";
import { addPolicy, ROUTE_FAULTS, routeSeen } from "./surveys/route_faults.ts";

const found = (input: CheckInput, id: string) => runChecks(CHECKS, input).find((f) => f.id === id)!;
const worse = (input: CheckInput) =>
  runChecks(CHECKS, input).filter((f) => !["pass", "skip"].includes(f.verdict)).map((f) => `${f.verdict} ${f.id}`);
const broken = async (name: string) => {
  const fault = ROUTE_FAULTS.find((f) => f.name === name)!;
  const input = await healthy(fault.setup ?? "interface", fault.options ?? {});
  fault.make(input.survey, input);
  return input;
};

Deno.test("prefix-route: names the rule that leads the slice away, where to, and how it is removed", async () => {
  const finding = found(await broken("a rule that leads the slice into another table"), "prefix-route");
  assertEquals(
    finding.found,
    'the rule "100: from all to 2001:db8:300:4::/64 lookup 100" leads packets of clients to 2001:db8:300:4::a00:1 to ' +
      '"2001:db8:300:4::/64 dev eth0 table 100 proto boot metric 1024"',
  );
  assertEquals(finding.fix, [
    "/usr/sbin/ip -6 rule del priority 100 from all to 2001:db8:300:4::/64 lookup 100".split(" "),
  ]);
  // It is somebody else's: --fix leaves it alone.
  assertEquals(finding.mend, undefined);
});

Deno.test("prefix-route: a rule that only leads to the table main is not the one to remove", async () => {
  const { fix } = found(
    await broken("a prohibit route, found by a rule of wg-quick that leads to main"),
    "prefix-route",
  );
  assertEquals(fix, [
    ["/usr/sbin/ip", "-6", "route", "del", "prohibit", "2001:db8:300:4::a01:3/128", "metric", "1024"],
  ]);
});

Deno.test("prefix-route: the kernel's answer and the rules are shown as evidence", async () => {
  const input = await broken("a rule that leads the slice into another table");
  input.answers = answersOf(input);
  const { evidence } = found(input, "prefix-route");
  assertEquals(evidence!.map((e) => e.command.slice(1, 4).join(" ")), [
    "-6 route get",
    "-6 rule show",
    "-6 route show",
  ]);
  assertEquals(evidence![0]!.output, "dev eth0");
});

Deno.test("a rule that many packets meet is one finding; the others say who names it", async () => {
  const input = await broken("a rule for everything, which many packets meet");
  assertEquals(worse(input), ["fail overlay-route"]);
  const pool = found(input, "pool-route");
  assertEquals([pool.verdict, pool.found], [
    "skip",
    'overlay-route names the rule "100: from all lookup 100"',
  ]);
});

Deno.test("overlay-route: what nothing seen explains is still a fault, in the kernel's words", async () => {
  const input = await healthy("interface");
  input.answers = answersBut(input, (f) => f.iif === "nat64-ygg" && f.family === "inet" ? { error: "Odd" } : undefined);
  assertEquals(worse(input), ["fail overlay-route"]);
  assertStringIncludes(
    found(input, "overlay-route").found!,
    "the kernel says of packets from the translator to 10.0.0.1: Odd",
  );
});

Deno.test("overlay-route: the kernel's answer counts more than what the rules seem to say", async () => {
  const input = await broken("a narrower route inside the overlay");
  const via = legsOf(input).map(({ flow, want }): RouteAnswer => ({
    flow,
    ...(typeof want === "object"
      ? { type: "unicast", device: want.device }
      : want === "local"
      ? { type: "local" }
      : { error: "x" }),
  }));
  assertEquals(worse({ ...input, answers: via }), []);
});

Deno.test("overlay-route: on a gateway the machine's own packets are no part of the path", async () => {
  const input = await healthy("interface");
  addPolicy(input.survey, { family: "inet", iif: "lo", to: "10.0.0.0/8" });
  input.survey.routes.push(routeSeen("default", { table: "100", device: "eth0" }));
  const findings = runChecks(CHECKS, input);
  assertEquals(findings.filter((f) => f.verdict === "fail").map((f) => f.id), ["overlay-route"]);
  assertEquals(pathOf(CHECKS, findings, input).find((s) => s.hop === "overlay")?.state, "ok");
});

Deno.test("overlay-route: a network of the machine's own inside the overlay is only worth saying", async () => {
  const input = await healthy("interface");
  input.survey.routes.push(routeSeen("10.9.0.0/16", { device: "eth1", protocol: "kernel" }));
  assertEquals(worse(input), ["warn overlay-route"]);
});

Deno.test("forwarding-sysctl: the kernel's answer to it is no fault of a route", async () => {
  const input = await healthy("interface");
  input.survey.sysctls["net/ipv4/conf/wg0/forwarding"] = "0";
  const refused = { error: "No route to host" };
  input.answers = answersBut(input, (f) => f.iif === "wg0" && !f.to.startsWith("10.5.") ? refused : undefined);
  assertEquals(worse(input), ["fail forwarding-sysctl"]);
});

Deno.test("rp-filter: says which device drops what, by whose setting, and the way back", async () => {
  const input = await broken("strict rp_filter, and a mark that only the way there has");
  const { found: text, fix } = found(input, "rp-filter");
  assertStringIncludes(
    text!,
    "rp_filter is 1 (strict) on wg0, by that of all: answers from 10.0.0.1 to the pool are dropped",
  );
  assertStringIncludes(
    text!,
    'is "10.0.0.0/8 dev eth0 table 101 proto boot metric 0" by the rule "101: from 100.64.0.0/16',
  );
  assertEquals(fix, [["/usr/sbin/sysctl", "-w", "net/ipv4/conf/wg0/rp_filter=2"]]);
});

for (
  const [all, own, verdict, text] of [
    ["0", "0", "pass", "off: nothing is dropped"],
    ["1", "0", "pass", "strict on wg0, strict on nat64-ygg: nothing is dropped"],
    ["2", "1", "pass", "loose on wg0, loose on nat64-ygg: nothing is dropped"],
    [undefined, "1", "skip", "net.ipv4.conf.*.rp_filter was not read"],
  ] as const
) {
  Deno.test(`rp-filter: all ${all}, device ${own}: ${verdict}`, async () => {
    const input = await healthy("interface");
    if (all === undefined) delete input.survey.sysctls["net/ipv4/conf/all/rp_filter"];
    else input.survey.sysctls["net/ipv4/conf/all/rp_filter"] = all;
    input.survey.sysctls["net/ipv4/conf/wg0/rp_filter"] = own;
    const finding = found(input, "rp-filter");
    assertEquals([finding.verdict, finding.found], [verdict, text]);
  });
}

const HARMLESS: [string, Setup, (s: Survey) => void][] = [
  ["wg-quick's rules", "interface", (s) => {
    for (const family of ["inet", "inet6"] as const) {
      addPolicy(s, { family, priority: 32764, table: "main", suppress: 0 });
      addPolicy(s, { family, priority: 32765, not: true, mark: { value: 51820, mask: 0xffffffff }, table: "51820" });
    }
    s.routes.push(routeSeen("default", { table: "51820", device: "wg1" }));
  }],
  ["VRF's rule, and a VRF that the gateway's devices are not in", "interface", (s) => {
    for (const family of ["inet", "inet6"] as const) addPolicy(s, { family, priority: 1000, action: "l3mdev" });
    s.links.push(linkSeen("red", { kind: "vrf", data: { table: 10 } }), linkSeen("eth1", { master: "red" }));
    s.routes.push(routeSeen("default", { table: "10", type: "unreachable" }));
  }],
  ["a rule for the machine's own address", "interface", (s) => {
    addPolicy(s, { family: "inet6", from: "2001:db8:9::10/128", table: "200" });
    s.routes.push(routeSeen("default", { family: "inet6", table: "200", device: "eth1" }));
  }],
  ["a mark that nothing sets", "interface", (s) => {
    addPolicy(s, { family: "inet", mark: { value: 9, mask: 0xffffffff } });
    s.routes.push(routeSeen("default", { table: "100", type: "blackhole" }));
  }],
  ["a rule for a user", "yggdrasil", (s) => {
    addPolicy(s, { family: "inet", odd: true });
    s.routes.push(routeSeen("default", { table: "100", type: "blackhole" }));
  }],
  ["a table that is looked into first and knows the same", "interface", (s) => {
    addPolicy(s, { family: "inet" });
    s.routes.push(routeSeen("10.0.0.0/8", { table: "100", device: "wg0" }));
  }],
  ["a default route with two next hops", "interface", (s) => {
    const route = s.routes.find((r) => r.to === "default")!;
    route.hops = [{ device: "eth1", via: "fe80::2" }, { device: "eth0", via: "fe80::1" }];
  }],
];

for (const [name, setup, make] of HARMLESS) {
  Deno.test(`runChecks: ${name} are no fault`.replace(/^(runChecks: a .*) are/, "$1 is"), async () => {
    const input = await healthy(setup);
    make(input.survey);
    assertEquals(worse(input), []);
    assertEquals(worse({ ...input, answers: answersOf(input) }), []);
  });
}

Deno.test("uplink: answers that a rule of their own leads out elsewhere may be meant so, unless crxn.yaml names the uplink", async () => {
  const input = await healthy("interface");
  input.survey.links.push(linkSeen("eth1"));
  addPolicy(input.survey, { family: "inet6", from: "2001:db8:300::/48" });
  input.survey.routes.push(routeSeen("default", { family: "inet6", table: "100", device: "eth1" }));
  assertEquals(worse(input), ["warn uplink"]);
  input.blueprint.config.uplink = "eth0";
  assertEquals(worse(input), ["fail uplink"]);
});

Deno.test("uplink: one that crxn.yaml names and that is gone is told with the device that may be it", async () => {
  const input = await healthy("interface");
  input.blueprint.config.uplink = "eth9";
  const finding = found(input, "uplink");
  assertEquals(
    finding.found,
    "the uplink eth9, that crxn.yaml names, does not exist; eth0 has the IPv6 default route: it may be the same under a new name",
  );
  assertEquals(finding.want, "uplink: eth0");
  assert(finding.carries, "packets pass");
});

Deno.test("uplink: another device with router advertisements that is gone is not taken for it", async () => {
  const input = await healthy("interface");
  const file = input.survey.files["/etc/sysctl.d/crxn.conf"]!;
  file.content += "net/ipv6/conf/eth7/accept_ra = 2\n";
  assertEquals(found(input, "uplink").verdict, "pass");
  input.survey.sysctls["net/ipv6/conf/eth0/accept_ra"] = "1";
  assertStringIncludes(found(input, "uplink").found!, "the uplink eth7, that `crxn up` found, does not exist");
});

Deno.test("tunnel-routing: a renamed link is told by its address, with the commands that name it again", async () => {
  const finding = found(await broken("the overlay link renamed"), "tunnel-routing");
  assertEquals(finding.found, "the overlay link wg0 does not exist; wg9 has its address: it was renamed");
  assertEquals(finding.fix?.map((argv) => argv.slice(1).join(" ")), [
    "link set dev wg9 down",
    "link set dev wg9 name wg0",
    "link set dev wg0 up",
  ]);
});

Deno.test("tunnel-routing: a renamed tunnel gets its name again before its routes", async () => {
  const { fix } = found(await broken("a tunnel renamed"), "tunnel-routing");
  // A second tunnel to the same node cannot be made.
  assertEquals(fix?.map((argv) => argv.slice(1).join(" ")), [
    "link set dev odd down",
    "link set dev odd name crxn-6fa49781",
    "link set dev crxn-6fa49781 up",
    "-4 route replace 10.0.0.0/8 dev crxn-6fa49781 proto 64",
  ]);
});

Deno.test("overlay-peers: a far node that a rule leads packets away from is not called silent", async () => {
  const input = await broken("the tunnel's packets led elsewhere");
  input.reach = reachOf(input, [0]);
  assertEquals(worse(input), ["fail tunnel-routing"]);
  input.survey.policies = input.survey.policies!.filter((p) => p.table !== "100");
  assertEquals(worse(input), ["fail overlay-peers"]);
});

Deno.test("legsOf: overlay networks inside each other are asked by the device of the longest", async () => {
  const input = await healthy("two nodes");
  const devices = new Map(
    legsOf(input).filter((l) => l.check === "overlay-route").map((l) => [l.flow.to, l.want] as const),
  );
  assertEquals(devices.get("10.0.0.1"), { device: "crxn-6fa49781" });
  assertEquals(devices.get("10.7.0.1"), { device: input.blueprint.ways[1]!.device });
});

Deno.test("legsOf: answers of a node come from a network of its own, not from another's inside it", async () => {
  const input = await healthy("two nodes");
  const { ways } = input.blueprint;
  ways[1]!.networks = ["10.0.0.0/16"];
  input.survey.routes.find((r) => r.to === "10.7.0.0/16" && r.type === "unicast")!.to = "10.0.0.0/16";
  const sources = (check: string) =>
    legsOf(input).filter((l) => l.check === check).map((l) => [l.flow.iif, l.flow.from]);
  for (const check of ["overlay-address", "pool-route"]) {
    const seen = new Map(sources(check) as [string, string][]);
    assertEquals(seen.get(ways[0]!.device), "10.255.255.254", check);
    assertEquals(seen.get(ways[1]!.device), "10.0.0.1", check);
  }
});

Deno.test("uplink: a VPN's TUN device that takes answers to clients is named, though no translator", async () => {
  const input = await healthy("interface");
  input.survey.links.push(linkSeen("tun0", { kind: "tun" }));
  input.survey.routes.push(routeSeen("2000::/3", { device: "tun0" }));
  assertEquals(worse(input), ["fail uplink"]);
});

Deno.test("overlay-route: a route that is missing is named beside a rule that takes the overlay address", async () => {
  const input = await healthy("interface");
  const taken = { family: "inet", priority: 0, to: "10.5.0.1/32", action: "prohibit" } as const;
  input.survey.policies = [taken, ...input.survey.policies!];
  input.survey.routes = input.survey.routes.filter((r) => r.to !== "10.0.0.0/8" || r.type !== "unicast");
  assertEquals(worse(input), ["fail overlay-address", "fail overlay-route"]);
});

const PAIRS: [string, (s: Survey) => void, string[]][] = [
  ["a translator's device that is gone, beside a rule for the slice", (s) => {
    s.links = s.links.filter((l) => l.name !== "nat64-ygg");
    s.routes = s.routes.filter((r) => r.device !== "nat64-ygg");
    addPolicy(s, { family: "inet6", to: "2001:db8:300:4::a01:3/128", action: "prohibit" });
  }, ["fail translator-device", "fail prefix-route"]],
  ["an overlay link that is down, beside a narrower route", (s) => {
    s.links.find((l) => l.name === "wg0")!.up = false;
    s.routes = s.routes.filter((r) => r.device !== "wg0" || r.type !== "unicast");
    s.routes.push(routeSeen("10.1.0.0/16", { device: "eth0" }));
  }, ["fail tunnel-routing", "fail overlay-route"]],
  ["an overlay link that is down, and nothing else", (s) => {
    s.links.find((l) => l.name === "wg0")!.up = false;
    s.routes = s.routes.filter((r) => r.device !== "wg0" || r.type !== "unicast");
  }, ["fail tunnel-routing"]],
  ["a rule that ends answers, beside a lost default router", (s) => {
    addPolicy(s, { family: "inet6", from: "2001:db8:300::/48", action: "prohibit" });
  }, ["fail uplink", "fail accept-ra"]],
];

for (const [name, make, want] of PAIRS) {
  Deno.test(`runChecks: ${name}: ${want.length === 2 ? "both are named" : "one is named"}`, async () => {
    const input = await healthy("interface");
    make(input.survey);
    if (want.includes("fail accept-ra")) input.host!.neighbours![0]!.states = ["FAILED"];
    assertEquals(worse(input).sort(), want.sort());
    assertEquals(worse({ ...input, answers: answersOf(input) }).sort(), want.sort());
  });
}

const POLICIES: [string, Partial<PolicySeen>, string][] = [
  ["a source that fits", { from: "100.64.0.0/16" }, "eth1"],
  ["a source that does not", { from: "100.65.0.0/16" }, "wg0"],
  ["not a source that fits", { not: true, from: "100.64.0.0/16" }, "wg0"],
  ["the device it comes in by", { iif: "nat64-ygg" }, "eth1"],
  ["another device", { iif: "lo" }, "wg0"],
  ["the device a socket is bound to", { oif: "wg0" }, "wg0"],
  ["no mark", { not: true, mark: { value: 1, mask: 0xff } }, "eth1"],
  ["a mark", { mark: { value: 1, mask: 0xff } }, "wg0"],
  ["a protocol", { also: ["ipproto", "tcp"] }, "wg0"],
  ["all, but for short prefixes", { suppress: 0 }, "wg0"],
];

for (const [name, policy, device] of POLICIES) {
  Deno.test(`lookup: a rule for ${name} leads to ${device}`, async () => {
    const { survey } = await healthy("interface");
    addPolicy(survey, { family: "inet", ...policy });
    survey.routes.push(routeSeen("default", { table: "100", device: "eth1" }));
    const flow = { family: "inet" as const, to: "10.1.0.3", from: "100.64.0.2", iif: "nat64-ygg" };
    assertEquals(lookup(survey, flow).devices, [device]);
  });
}

Deno.test("marksOf: marks of rules that match, of chains, and both where it cannot be told", () => {
  const chain = (name: string, rules: string[]) => ({ name, rules: rules.map((r) => r.split(" ")) });
  const packet = { in: "wg0", source: "10.0.0.1", destination: "100.64.0.2", state: "NEW" as const };
  const marks = (...rules: string[]) =>
    marksOf({
      mangle: { PREROUTING: chain("PREROUTING", rules), OWN: chain("OWN", ["-j MARK --set-xmark 0x10/0xf0"]) },
    }, packet);
  assertEquals(marksOf(undefined, packet), [0]);
  assertEquals(marks("-i wg0 -j MARK --set-xmark 0x7/0xffffffff"), [7]);
  assertEquals(marks("-i eth0 -j MARK --set-xmark 0x7/0xffffffff"), [0]);
  assertEquals(marks("-p tcp -j MARK --set-xmark 0x7/0xffffffff"), [0, 7]);
  assertEquals(marks("-i wg0 -j MARK --set-xmark 0x7/0xffffffff", "-j OWN"), [0x17]);
  assertEquals(marks("-i wg0 -j ACCEPT", "-j OWN"), [0]);
});
