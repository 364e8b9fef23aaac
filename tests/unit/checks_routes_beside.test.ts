/** What the checks of routing leave alone, and two faults of which neither hides the other. */

import { assertEquals } from "@std/assert";
import type { Survey } from "../../gateway/survey.ts";
import { answersOf } from "./surveys/answers.ts";
import { healthy, type Setup } from "./surveys/builder.ts";
import { worse } from "./surveys/diagnose.ts";
import { linkSeen } from "./surveys/put.ts";
import { addPolicy, routeSeen } from "./surveys/route_faults.ts";

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
