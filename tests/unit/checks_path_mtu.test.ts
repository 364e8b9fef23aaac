/** path-mtu: which packets pass, how that is measured, and what it means. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import type { CheckInput } from "../../checks/check.ts";
import { CHECKS } from "../../checks/list.ts";
import type { LegSize } from "../../checks/probe_result.ts";
import { runChecks } from "../../checks/run.ts";
import { measureLeg } from "../../machine/leg_sizes.ts";
import type { Runner } from "../../machine/run.ts";
import { healthy, type Setup } from "./surveys/builder.ts";

const ask = (id: string, input: CheckInput) => runChecks(CHECKS, input, new Set([id]))[0]!;

const leg = (name: LegSize["leg"], full: number, passes?: number, told?: number): LegSize => ({
  leg: name,
  device: name === "overlay" ? "wg0" : "eth0",
  to: "10.1.0.3",
  full,
  ...(passes === undefined ? {} : { passes }),
  ...(told === undefined ? {} : { told }),
  command: ["ping"],
  output: "",
});

// wg0 has an MTU of 1420, so the clamp is 1380: packets of 1420 bytes in IPv4, of 1440 in IPv6.
const SIZES: [name: string, Setup, LegSize[], verdict: string, says: string, want?: string][] = [
  [
    "all whole",
    "interface",
    [leg("client", 1500, 1500), leg("overlay", 1420, 1420)],
    "pass",
    "1420 bytes whole over the overlay",
  ],
  ["nobody there", "interface", [leg("overlay", 1420)], "skip", "nobody answers: 10.1.0.3"],
  ["nobody to ask", "interface", [], "skip", "--target"],
  [
    "the path says its size itself",
    "interface",
    [leg("whole", 1500, 1440, 1440)],
    "pass",
    "1440 bytes from client to target",
  ],
  [
    "a black hole below the clamp",
    "interface",
    [leg("overlay", 1420, 1300)],
    "fail",
    "vanish without an ICMP error; TCP is held to segments of 1380 only",
    "an MTU of 1300 on wg0, or `crxn up --target",
  ],
  ["a black hole above the clamp", "interface", [leg("client", 1500, 1460)], "warn", "segments of 1380, which pass"],
  ["smaller, and it is told", "interface", [leg("overlay", 1420, 1300, 1300)], "warn", "refused with an ICMP error"],
  [
    "none but the smallest",
    "interface",
    [leg("overlay", 1420, 104)],
    "fail",
    "none of 576 to 1420, which is no MTU",
    "`tc -s qdisc show dev wg0`",
  ],
  [
    "to clients",
    "interface",
    [leg("client", 1500, 1300)],
    "fail",
    "to the IPv6 router",
    "an MTU of 1300 on eth0, or `crxn up --target IPV4`, which measures again and holds TCP to 1240 bytes",
  ],
  [
    "from end to end only",
    "interface",
    [leg("whole", 1500, 1400)],
    "fail",
    "from client to target",
    "an MTU of 1380 on wg0, or nat64.mss: 1340",
  ],
  [
    "one leg, felt by the whole",
    "interface",
    [leg("overlay", 1420, 1300), leg("whole", 1500, 1320)],
    "fail",
    "over the overlay",
  ],
  [
    "below a tunnel of ours",
    "yggdrasil",
    [leg("underlay", 1570, 1400)],
    "fail",
    "over yggdrasil",
    "holds TCP to 1290 bytes",
  ],
];

for (const [name, setup, legs, verdict, says, want] of SIZES) {
  Deno.test(`path-mtu: ${name}: ${verdict}`, async () => {
    const finding = ask("path-mtu", { ...await healthy(setup), legs });
    assertEquals(finding.verdict, verdict, finding.found);
    assertStringIncludes(finding.found!, says);
    if (want) assertStringIncludes(finding.want!, want);
    if (name.includes("felt")) assertEquals(finding.found!.includes("from client"), false);
  });
}

/** A path on which packets up to `limit` bytes (IPv4) pass. */
const path = (limit: number, told?: number): Runner & { sent: number } => ({
  sent: 0,
  run(argv) {
    this.sent++;
    const size = Number(argv[argv.indexOf("-s") + 1]) + 28;
    const count = Number(argv[argv.indexOf("-c") + 1]);
    const passed = size <= limit;
    const error = !passed && told ? `From 10.0.0.1 icmp_seq=1 Frag needed and DF set (mtu = ${told})\n` : "";
    const stdout = `${error}${count} packets transmitted, ${passed ? count : 0} received`;
    return Promise.resolve({ argv, code: passed ? 0 : 1, stdout, stderr: "" });
  },
});

const plan = { leg: "overlay" as const, device: "wg0", to: "10.1.0.3", full: 1500, from: "10.5.0.1" };

Deno.test("measureLeg: the full size, the size that is told, or a search that is right to the byte", async () => {
  assertEquals((await measureLeg(path(1500), plan)).passes, 1500);
  assertEquals((await measureLeg(path(1400, 1400), plan)).passes, 1400);
  // Whoever tells a size that does not pass is not believed.
  const liar = await measureLeg(path(1300, 1400), plan);
  assertEquals([liar.told, liar.passes], [1400, 1300]);
  for (const limit of [1499, 1480, 1420, 1280, 1000, 700]) {
    const seen = path(limit);
    const { passes } = await measureLeg(seen, plan);
    assertEquals(passes, limit);
    assertEquals(seen.sent <= 28, true, `${seen.sent} pings for ${limit}`);
  }
  assertEquals((await measureLeg(path(0), plan)).passes, undefined);
});
