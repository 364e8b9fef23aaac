/** Which packets are asked about, and where rules, routes and marks lead them. */

import { assertEquals } from "@std/assert";
import { lookup } from "../../checks/fib.ts";
import { legsOf } from "../../checks/legs.ts";
import { marksOf } from "../../checks/marks.ts";
import type { PolicySeen } from "../../gateway/survey.ts";
import { healthy } from "./surveys/builder.ts";
import { addPolicy, routeSeen } from "./surveys/route_faults.ts";

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
