/** What the checks of routing say, and whose doing it is. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { CheckInput } from "../../checks/check.ts";
import type { RouteAnswer } from "../../checks/flow.ts";
import { legsOf } from "../../checks/legs.ts";
import { CHECKS } from "../../checks/list.ts";
import { pathOf } from "../../checks/path.ts";
import { runChecks } from "../../checks/run.ts";
import { answersBut, answersOf } from "./surveys/answers.ts";
import { healthy } from "./surveys/builder.ts";
import { worse } from "./surveys/diagnose.ts";
import { reachOf } from "./surveys/fault.ts";
import { linkSeen } from "./surveys/put.ts";
import { addPolicy, ROUTE_FAULTS, routeSeen } from "./surveys/route_faults.ts";

const found = (input: CheckInput, id: string) => runChecks(CHECKS, input).find((f) => f.id === id)!;
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
