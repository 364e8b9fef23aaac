/** Findings of packets that the probe lost: which check tells, and what it shows. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { CHECKS } from "../../checks/list.ts";
import { pathOf } from "../../checks/path.ts";
import type { Through } from "../../checks/probe_result.ts";
import { runChecks } from "../../checks/run.ts";
import { healthy } from "./surveys/builder.ts";
import { by, get, probed, through } from "./surveys/probed.ts";

Deno.test("probe: a loss is one finding, at its station", async () => {
  const input = { ...await healthy("interface"), probe: probed(through("small", "q4-forwarded")) };
  const findings = runChecks(CHECKS, input);
  assertEquals(findings.filter((f) => f.verdict === "fail").map((f) => f.id), ["probe"]);
  assertEquals(pathOf(CHECKS, findings, input).map((s) => s.state), ["ok", "ok", "broken", "unknown", "unknown"]);
});

Deno.test("forward-policy: what crxn's own limits drop is no case for a rule of somebody's", async () => {
  const input = {
    ...await healthy("interface"),
    probe: probed(through("small", "q6-forwarded", by("inet crxn", "sources", "drop"))),
  };
  const found = () => runChecks(CHECKS, input).find((f) => f.id === "forward-policy")!;
  assertEquals([found().verdict, found().fix], ["fail", undefined]);
  assertStringIncludes(found().want!, "nat64.limits");
  input.survey.native!.find((c) => c.name === "sources")!.rules.unshift({ expr: [{ drop: null }] });
  assertEquals(found().fix?.map((argv) => argv.join(" ")), ["crxn up --yes"]);
});

Deno.test("forward-policy: a drop that no readable rule tells of is named by the kernel's trace", async () => {
  const cases: [string, Partial<Through>, string, string][] = [
    [
      "q4-forwarded",
      by("inet site", "forward", "ip daddr @closed drop"),
      'between nat64-ygg and wg0: inet site forward, rule "ip daddr @closed drop"',
      "/usr/sbin/nft insert rule inet site forward iifname nat64-ygg oifname wg0 accept",
    ],
    [
      "a4-prerouted",
      by("ip raw", "PREROUTING", "drop"),
      'on the way back, between wg0 and nat64-ygg: ip raw PREROUTING, rule "drop"',
      "/usr/sbin/iptables -w -t raw -I PREROUTING 1 -i wg0 -j ACCEPT",
    ],
  ];
  for (const [missed, more, where, fix] of cases) {
    const input = { ...await healthy("interface"), probe: probed(through("small", missed, more)) };
    const findings = runChecks(CHECKS, input).filter((f) => f.verdict === "fail");
    assertEquals(findings.map((f) => f.id), ["forward-policy"]);
    assertEquals(findings[0]!.found, `packets to 10.1.0.3 are lost ${where}`);
    assertEquals(findings[0]!.fix?.map((argv) => argv.join(" ")), [fix]);
    assertEquals(findings[0]!.mend, undefined);
  }
});

Deno.test("probe: a fault with a name of its own keeps the place, and is not named twice", async () => {
  const input = { ...await healthy("interface"), probe: probed(through("small", "q4-routed", get(""))) };
  input.survey.sysctls["net/ipv4/ip_forward"] = "0";
  const finding = runChecks(CHECKS, input).find((f) => f.id === "probe")!;
  assertEquals([finding.verdict, finding.hop], ["skip", "forward"]);
  assertEquals(
    finding.found,
    "no answer from 10.1.0.3; lost between nat64-ygg and wg0: routing, net.ipv4.ip_forward is 0, which forwarding-sysctl explains",
  );
});

Deno.test("probe: packets that were counted on their way out are not explained by a fault before", async () => {
  for (const [missed, want] of [["a4-in", ["accept-ra", "probe"]], ["q6-in", ["accept-ra"]]] as const) {
    const input = { ...await healthy("interface"), probe: probed(through("small", missed)) };
    input.survey.routes = input.survey.routes.filter((r) => r.to !== "default");
    const failed = runChecks(CHECKS, input).filter((f) => f.verdict === "fail").map((f) => f.id);
    assertEquals(failed, [...want]);
  }
});

Deno.test("probe: what its own client loses is no fault of the gateway's", async () => {
  for (const missed of ["q6-in"]) {
    const input = { ...await healthy("interface"), probe: probed(through("small", missed)) };
    assertEquals(runChecks(CHECKS, input, new Set(["probe"]))[0]!.verdict, "unknown");
  }
});

Deno.test("probe: only what is lost in tayga restarts it", async () => {
  const translator = { device: "nat64-ygg", rx: 0, tx: 0 };
  const at = async (missed: string) => {
    const input = { ...await healthy("interface"), probe: { ...probed(through("small", missed)), translator } };
    return runChecks(CHECKS, input, new Set(["probe"]))[0]!;
  };
  assertEquals((await at("q4-in")).fix, [["/usr/bin/systemctl", "restart", "tayga@ygg.service"]]);
  const routed = await at("q6-routed");
  assertEquals([routed.hop, routed.fix], ["translator", undefined]);
});

Deno.test("probe: TCP that this machine drops is a fault, TCP that the host ignores is not", async () => {
  const at = async (missed: string) => {
    const input = { ...await healthy("interface"), probe: probed(through("tcp", missed)) };
    return runChecks(CHECKS, input, new Set(["probe"]))[0]!;
  };
  assertEquals((await at("q4-forwarded")).verdict, "fail");
  assertStringIncludes((await at("q4-forwarded")).found!, "pings pass, TCP to 10.1.0.3 does not; lost between");
  assertEquals((await at("a4-in")).verdict, "pass");
  // Nothing was sent at all: a slow machine.
  assertEquals((await at("q6-in")).verdict, "pass");
});

Deno.test("probe: a host that was guessed need not answer, but what is lost on this machine is lost", async () => {
  const at = async (missed: string) => {
    const input = { ...await healthy("interface"), probe: probed(through("small", missed), "guess") };
    return runChecks(CHECKS, input, new Set(["probe"]))[0]!;
  };
  assertEquals((await at("a4-in")).verdict, "skip");
  assertEquals((await at("q4-in")).verdict, "fail");
});
