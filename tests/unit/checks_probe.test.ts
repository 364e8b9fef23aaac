/** Where a lost packet was last seen, and the state of the path that follows. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { CHECKS } from "../../checks/list.ts";
import { pathOf } from "../../checks/path.ts";
import { lastSeen } from "../../checks/probe.ts";
import type { Probed } from "../../checks/probe_result.ts";
import { runChecks } from "../../checks/run.ts";
import { planProbe } from "../../gateway/probe_plan.ts";
import { parsePing } from "../../machine/probe_traffic.ts";
import { FAR, healthy } from "./surveys/builder.ts";
import { addressFromKey } from "../../gateway/yggdrasil_address.ts";

const probed = (translator: [number, number], overlay: [number, number], received = 0): Probed => ({
  ran: true,
  kind: "prefix",
  target: "10.1.0.3",
  address: "2001:db8:300:4::a01:3",
  sent: 3,
  received,
  command: ["ping"],
  output: "",
  translator: { device: "nat64-ygg", tx: translator[0], rx: translator[1] },
  overlay: { device: "wg0", tx: overlay[0], rx: overlay[1] },
});

const CASES: [string, [number, number], [number, number], string, string][] = [
  ["nothing reached tayga", [0, 0], [0, 0], "translator", "took no packets"],
  ["tayga let nothing out", [3, 0], [0, 0], "translator", "none came out"],
  ["the firewall took them", [3, 3], [0, 0], "forward", "between nat64-ygg and wg0"],
  ["nobody answered", [3, 3], [3, 0], "target", "no answer came back"],
  ["the answers were dropped", [3, 3], [3, 3], "forward", "on the way back"],
  ["the answers were not translated", [6, 3], [3, 3], "translator", "on the way back"],
];

for (const [name, translator, overlay, hop, where] of CASES) {
  Deno.test(`lastSeen: ${name}: ${hop}`, () => {
    const seen = lastSeen(probed(translator, overlay));
    assertEquals(seen.hop, hop);
    assertStringIncludes(seen.where, where);
  });
}

Deno.test("probe: lost beyond the overlay link breaks the target, and nothing before it", async () => {
  const input = { ...await healthy("interface"), probe: probed([3, 3], [3, 0]) };
  const findings = runChecks(CHECKS, input);
  assertEquals(findings.filter((f) => f.verdict === "fail").map((f) => f.id), ["probe"]);
  assertEquals(pathOf(CHECKS, findings, input).map((s) => s.state), ["ok", "ok", "ok", "ok", "broken"]);
});

Deno.test("probe: a yggdrasil node without any connection loses its packets in the overlay", async () => {
  const input = { ...await healthy("yggdrasil"), probe: probed([3, 3], [1, 0]) };
  input.survey.overlay!.peers = [];
  const { overlay } = input.blueprint.config;
  if (overlay.type === "yggdrasil") overlay.peers = [];
  const findings = runChecks(CHECKS, input, new Set(["probe"]));
  assertEquals(findings.map((f) => [f.verdict, f.hop]), [["fail", "overlay"]]);
});

Deno.test("probe: a fault that has its name already is not named twice", async () => {
  const input = { ...await healthy("interface"), probe: probed([3, 3], [0, 0]) };
  input.survey.sysctls["net/ipv4/ip_forward"] = "0";
  const findings = runChecks(CHECKS, input);
  assertEquals(findings.filter((f) => f.verdict === "fail").map((f) => f.id), ["forwarding-sysctl"]);
  assertEquals(pathOf(CHECKS, findings, input).map((s) => s.state), ["ok", "ok", "broken", "unknown", "unknown"]);
});

Deno.test("probe: a fault of the next boot explains no loss of today", async () => {
  const input = { ...await healthy("interface"), probe: probed([3, 3], [3, 0]) };
  input.host!.sysctlLines!.push({
    file: "/etc/sysctl.d/zz.conf",
    line: 1,
    key: "net/ipv4/conf/wg0/forwarding",
    value: "0",
  });
  const failed = runChecks(CHECKS, input).filter((f) => f.verdict === "fail").map((f) => f.id);
  assertEquals(failed, ["forwarding-sysctl", "probe"]);
});

Deno.test("probe: what is lost for want of a package, or of room on the disk, has its name already", async () => {
  const dead = { active: "failed", sub: "failed", result: "exit-code" };
  const without = { ...await healthy("interface"), probe: probed([0, 0], [0, 0]) };
  delete without.survey.packages!["tayga"];
  const full = { ...await healthy("interface"), probe: probed([0, 0], [0, 0]) };
  Object.assign(full.host!.disks!.find((d) => d.folder === "/var/lib/tayga")!, { mount: "/var", free: 0 });
  for (const [input, id] of [[without, "packages"], [full, "disk"]] as const) {
    Object.assign(input.survey.units["tayga@ygg.service"]!, dead);
    const failed = runChecks(CHECKS, input).filter((f) => f.verdict === "fail").map((f) => f.id);
    assertEquals(failed, [id]);
  }
});

Deno.test("pathOf: a node without a TUN driver is broken in the overlay", async () => {
  const input = await healthy("node");
  input.survey.tun = false;
  Object.assign(input.survey.units["yggdrasil.service"]!, { active: "failed", result: "exit-code" });
  assertEquals(pathOf(CHECKS, runChecks(CHECKS, input), input), [
    { hop: "forward", state: "ok" },
    { hop: "overlay", state: "broken" },
    { hop: "target", state: "unknown" },
  ]);
});

Deno.test("pathOf: a firewall that keeps peers away breaks the overlay, not the uplink", async () => {
  const input = await healthy("yggdrasil");
  input.survey.overlay!.peers = [];
  const filter = (input.survey.rules.inet!["filter"] ??= {});
  const drop = { name: "OUTPUT", policy: "ACCEPT", rules: ["-d 192.0.2.9/32 -j DROP".split(" ")] };
  filter["OUTPUT"] = drop;
  const findings = runChecks(CHECKS, input);
  assertEquals(findings.filter((f) => f.verdict === "fail").map((f) => f.id), ["input-policy"]);
  assertEquals(pathOf(CHECKS, findings, input).find((s) => s.state === "broken")?.hop, "overlay");
});

Deno.test("probe: an answer through the prefix makes the whole path good", async () => {
  const input = { ...await healthy("interface"), probe: probed([6, 6], [3, 3], 3) };
  assertEquals(pathOf(CHECKS, runChecks(CHECKS, input), input).map((s) => s.state), ["ok", "ok", "ok", "ok", "ok"]);
});

Deno.test("planProbe: the target goes through the prefix; without one the far node is asked, or nobody", async () => {
  const [gateway, ygg, node] = await Promise.all([
    healthy("interface"),
    healthy("yggdrasil"),
    healthy("interface node"),
  ]);
  assertEquals(planProbe(gateway.blueprint, "10.1.0.3"), {
    kind: "prefix",
    target: "10.1.0.3",
    address: "2001:db8:300:4::a01:3",
  });
  assertEquals(planProbe(ygg.blueprint), {
    kind: "overlay",
    target: addressFromKey(FAR),
    address: addressFromKey(FAR),
  });
  assertEquals(planProbe(node.blueprint, "10.5.0.1"), { kind: "direct", target: "10.5.0.1", address: "10.5.0.1" });
  assertEquals("reason" in planProbe(gateway.blueprint), true);
});

Deno.test("parsePing: counts and the average time", () => {
  const output =
    "3 packets transmitted, 2 received, 33% packet loss, time 403ms\nrtt min/avg/max/mdev = 0.051/0.062/0.080/0.013 ms";
  assertEquals(parsePing(output, 3), { sent: 3, received: 2, rtt: 0.062 });
  assertEquals(parsePing("ping: connect: Network is unreachable", 3), { sent: 3, received: 0 });
});
