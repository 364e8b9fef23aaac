/** Where packets got lost by what was counted, and by whose rule. Traces and counters are from real machines. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { isAnswered, lossOf } from "../../checks/probe_loss.ts";
import type { FlowName, Probed, Through } from "../../checks/probe_result.ts";
import { placeOf } from "../../checks/probe_words.ts";
import { CHECKS } from "../../checks/list.ts";
import { pathOf } from "../../checks/path.ts";
import { runChecks } from "../../checks/run.ts";
import { PATH, POINTS } from "../../gateway/probe_points.ts";
import { healthy } from "./surveys/builder.ts";

/** A flow that was seen up to (and without) this point, and where else. */
function through(
  flow: FlowName,
  missed: string | undefined,
  more: Partial<Through> = {},
  aside: string[] = [],
): Through {
  const at = missed === undefined ? PATH.length : PATH.findIndex((p) => p.id === missed);
  assert(at >= 0, `there is no point ${missed}`);
  const seen = Object.fromEntries(POINTS.map((p) => [p.id, aside.includes(p.id) ? 3 : 0]));
  for (const p of PATH.slice(0, at)) seen[p.id] = 3;
  const whole = Object.fromEntries(POINTS.map((p) => [p.id, p.aside ? 0 : 3]));
  const flows = Object.fromEntries((["small", "large", "tcp"] as const).map((name) => [
    name,
    { sent: 3, back: name === flow && missed !== undefined ? 0 : 3, command: ["ping"], output: "" },
  ]));
  return {
    client: "2001:db8:300:4:0:1:c700:10",
    device: "probe-1",
    target: "10.1.0.3",
    mapped: "2001:db8:300:4::a01:3",
    translator: "nat64-ygg",
    overlay: "wg0",
    flows,
    counts: { small: whole, large: whole, tcp: whole, [flow]: seen },
    ...more,
  };
}

const probed = (seen: Through, kind: Probed["kind"] = "prefix"): Probed => ({
  ran: true,
  kind,
  target: seen.target,
  address: seen.mapped,
  sent: 3,
  received: kind === "prefix" || kind === "guess" ? seen.flows.small!.back : 3,
  command: ["ping"],
  output: "",
  through: seen,
});

const get = (output: string): Partial<Through> => ({ route: { command: ["ip", "route", "get"], output } });
const by = (table: string, chain: string, rule?: string): Partial<Through> => ({
  dropped: { table, chain, ...(rule ? { rule } : {}), flow: "small" },
});

const CASES: [missed: string, Partial<Through>, aside: string[], hop: string, where: string][] = [
  ["q6-in", {}, [], "uplink", "at the probe's own client"],
  [
    "q6-prerouted",
    by("ip6 raw", "PREROUTING", "drop"),
    [],
    "forward",
    'between eth0 and nat64-ygg: ip6 raw PREROUTING, rule "drop"',
  ],
  [
    "q6-routed",
    get("RTNETLINK answers: Network is unreachable"),
    [],
    "translator",
    "routing, there is no route for them",
  ],
  [
    "q6-routed",
    get("x from y dev eth1 table 9 proto static"),
    ["q6-astray"],
    "translator",
    "they are sent to eth1 by table 9",
  ],
  ["q6-forwarded", by("inet guard", "mine"), [], "forward", "between eth0 and nat64-ygg: inet guard mine, policy DROP"],
  ["q6-out", {}, [], "forward", "POSTROUTING, by a rule that nftables does not trace"],
  ["q4-in", {}, [], "translator", "packets went into nat64-ygg, none came out"],
  [
    "q4-routed",
    get("RTNETLINK answers: Invalid argument"),
    [],
    "overlay",
    "between nat64-ygg and wg0: routing, a blackhole route",
  ],
  ["q4-forwarded", by("ip filter", "CRXN-FORWARD", "drop"), [], "forward", "set by crxn"],
  ["a4-in", {}, [], "target", "beyond wg0: packets left, no answer came back"],
  ["a4-in", get("10.1.0.3 FAILED"), [], "overlay", "no neighbour there answers for 10.1.0.3"],
  ["a4-in", get("10.0.0.1 FAILED \n10.1.0.3 lladdr 02:00:00:00:00:01 STALE"), [], "target", "no answer came back"],
  [
    "a4-in",
    get("10.1.0.3 lladdr 02:00:00:00:00:99 PERMANENT"),
    [],
    "overlay",
    "no answer came back; the link address of 10.1.0.3 is fixed by hand",
  ],
  ["a4-in", get("10.9.0.9 lladdr 02:00:00:00:00:99 PERMANENT"), [], "target", "no answer came back"],
  ["a4-in", {}, ["a4-elsewhere"], "target", "answers come in by another device than wg0"],
  [
    "a4-routed",
    get(""),
    ["a4-local"],
    "translator",
    "taken for the machine's own: nothing gives them the pool's address back",
  ],
  ["a4-routed", get("RTNETLINK answers: Invalid cross-device link"), [], "translator", "rp_filter"],
  [
    "a4-forwarded",
    by("ip filter", "FORWARD"),
    [],
    "forward",
    "on the way back, between wg0 and nat64-ygg: ip filter FORWARD, policy DROP",
  ],
  ["a6-in", {}, [], "translator", "on the way back, in the translator"],
  [
    "a6-routed",
    get("RTNETLINK answers: No route to host"),
    [],
    "uplink",
    "on the way back, between nat64-ygg and eth0: routing",
  ],
];

for (const [missed, more, aside, hop, where] of CASES) {
  Deno.test(`probe: lost before ${missed}: ${hop}, ${where}`, async () => {
    const { survey } = await healthy("interface");
    const seen = through("small", missed, more, aside);
    const place = placeOf(lossOf(seen, "small")!, seen, survey, "eth0");
    assertEquals(place.hop, hop);
    assertStringIncludes(place.where, where);
  });
}

Deno.test("probe: an ICMP error from beyond is handed on", async () => {
  const { survey } = await healthy("interface");
  const seen = through("small", "a4-in");
  seen.flows.small!.error = "2001:db8:300:4::a01:1: Destination unreachable: No route";
  assertEquals(
    placeOf(lossOf(seen, "small")!, seen, survey, "eth0").where,
    "beyond wg0: packets left, but an error: 2001:db8:300:4::a01:1: Destination unreachable: No route",
  );
});

Deno.test("probe: who set a policy is told by the chains beside it", async () => {
  const { survey } = await healthy("interface");
  survey.rules.inet!.filter!["ufw-user-forward"] = { name: "ufw-user-forward", rules: [] };
  const seen = through("small", "q4-forwarded", by("ip filter", "FORWARD"));
  const { where } = placeOf(lossOf(seen, "small")!, seen, survey, "eth0");
  assertEquals(where, "between nat64-ygg and wg0: ip filter FORWARD, policy DROP, set by ufw");
});

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

Deno.test("probe: a rule that takes the tunnel's packets is between tunnel and yggdrasil", async () => {
  const { survey } = await healthy("yggdrasil");
  const tunnel = { device: "ygg", "t-sent": 3, "t-out": 0, "t-in": 0, "t-taken": 0 };
  const where = (more: Partial<Through>) => {
    const seen = through("small", "a4-in", more);
    return placeOf(lossOf(seen, "small")!, seen, survey, "eth0").where;
  };
  const rule = by("inet x", "y", "drop");
  assertEquals(where({ tunnel, ...rule }), 'between wg0 and ygg: inet x y, rule "drop"');
  const back = { ...tunnel, "t-out": 3, "t-in": 3 };
  assertEquals(where({ tunnel: back, ...rule }), 'on the way back, between ygg and wg0: inet x y, rule "drop"');
  assertEquals(where({ tunnel: { ...back, "t-taken": 3 } }), "beyond wg0: packets left, no answer came back");
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

Deno.test("isAnswered: a reset counts only when it came from the overlay", () => {
  assertEquals(isAnswered(through("tcp", undefined), "tcp"), true);
  const rejected = through("tcp", "q4-forwarded");
  rejected.flows.tcp!.back = 1;
  assertEquals(isAnswered(rejected, "tcp"), false);
  assertEquals(lossOf(rejected, "tcp")?.hook, "FORWARD");
});

Deno.test("probe: a queue that somebody has put on a device may be it; the kernel's own may not", async () => {
  const { survey } = await healthy("interface");
  const placed = (missed: string, device: string, qdisc: string) => {
    const links = survey.links.map((l) => l.name === device ? { ...l, qdisc } : l);
    const seen = through("small", missed);
    return placeOf(lossOf(seen, "small")!, seen, { ...survey, links }, "eth0");
  };
  const sent = { hop: "target" as const, where: "beyond wg0: packets left, no answer came back" };
  assertEquals(placed("a4-in", "wg0", "fq_codel"), sent);
  const held = placed("a4-in", "wg0", "tbf");
  assertEquals([held.hop, held.held], ["overlay", "wg0"]);
  assertStringIncludes(held.where, `${sent.where}; the queue of wg0 is held by tc(8) (tbf)`);
  assertStringIncludes(placed("q4-in", "nat64-ygg", "netem").where, "none came out; the queue of nat64-ygg is held");
});
