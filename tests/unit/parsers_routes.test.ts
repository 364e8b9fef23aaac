/** Parsers of routes, of the routing policy and of the kernel's answers, by what both Debians printed. */

import { assertEquals, assertRejects } from "@std/assert";
import type { Flow } from "../../checks/flow.ts";
import { parseRoutes } from "../../machine/ip.ts";
import { parsePolicies, readPolicies } from "../../machine/ip_rules.ts";
import { askRoutes, parseAnswers } from "../../machine/route_answers.ts";
import type { Result, RunOptions } from "../../machine/run.ts";
import { recorded } from "./recorded.ts";

const lookup = (priority: number, table: string, more = {}) => ({
  family: "inet",
  priority,
  ...more,
  action: "lookup",
  table,
});

for (const debian of ["bookworm", "trixie"]) {
  Deno.test(`parsePolicies: rules of every kind (${debian})`, () => {
    const policies = parsePolicies(recorded(debian, "ip-rule4.json"), "inet");
    assertEquals(policies as unknown[], [
      lookup(0, "local"),
      { family: "inet", priority: 100, from: "10.1.0.0/16", action: "blackhole" },
      { family: "inet", priority: 101, to: "10.1.0.3/32", action: "prohibit" },
      { family: "inet", priority: 102, from: "10.2.0.0/16", action: "unreachable" },
      lookup(103, "100", { iif: "nat64-ygg", oif: "ovl0", mark: { value: 1, mask: 0xff } }),
      { family: "inet", priority: 104, action: "goto", goto: 32766 },
      lookup(105, "100", { also: ["ipproto", "tcp", "dport", "80"] }),
      lookup(106, "100", { odd: true }),
      lookup(107, "100", { also: ["tos", "0x10"] }),
      { family: "inet", priority: 108, action: "nop" },
      lookup(109, "100", { odd: true }),
      { family: "inet", priority: 1000, action: "l3mdev" },
      { ...lookup(32764, "main"), suppress: 0 },
      lookup(32765, "51820", { not: true, mark: { value: 51820, mask: 0xffffffff } }),
      lookup(32766, "main"),
      lookup(32767, "default"),
    ]);
    assertEquals(parsePolicies(recorded(debian, "ip-rule6.json"), "inet6").slice(1, 3), [
      { family: "inet6", priority: 100, to: "2a04:5b80:300:4::/64", action: "lookup", table: "100" },
      {
        family: "inet6",
        priority: 101,
        not: true,
        from: "2a04:5b80:300:4::1/128",
        iif: "lo",
        action: "lookup",
        table: "100",
      },
    ]);
  });

  Deno.test(`parseRoutes: next hops, nexthop objects, metrics, sources and flags (${debian})`, () => {
    const routes = [
      ...parseRoutes(recorded(debian, "ip-route4-policy.json"), "inet"),
      ...parseRoutes(recorded(debian, "ip-route6-policy.json"), "inet6"),
    ];
    const of = (to: string) => {
      const { family: _family, to: _to, protocol: _protocol, metric: _metric, ...rest } = routes.find((r) =>
        r.to === to
      )!;
      return rest;
    };
    const main = { type: "unicast", table: "main" };
    assertEquals(of("10.6.0.0/16"), { type: "throw", table: "100" });
    assertEquals(of("10.7.0.0/16"), { type: "prohibit", table: "main" });
    assertEquals(of("10.8.0.0/16"), { ...main, device: "ovl0", nhid: 101, mtu: 1400, advmss: 1300 });
    assertEquals(of("10.9.0.0/16"), { ...main, hops: [{ device: "ovl0" }, { device: "eth0", via: "192.0.2.1" }] });
    assertEquals(of("2a04:5b80:300:4::a00:0/104"), { ...main, device: "nat64-ygg", flags: ["linkdown"] });
    assertEquals(of("192.0.2.0/24"), { ...main, device: "eth0", prefsrc: "192.0.2.10" });
    assertEquals(of("2001:db8:78::/48"), { ...main, device: "ovl0", from: "2001:db8:9::/64" });
    assertEquals(of("2001:db8:79::/48").type, "throw");
  });

  Deno.test(`parseAnswers: each question has its answer or its error (${debian})`, () => {
    const asked = ["a", "b", "c", "d", "e", "f", "g"].map((to): Flow => ({ family: "inet6", to }));
    const [out, err] = [recorded(debian, "ip-route-get6.out"), recorded(debian, "ip-route-get6.err")];
    const answers = parseAnswers(asked, out, err)!;
    assertEquals(answers.map((a) => [a.flow.to, a.device ?? a.error]), [
      ["a", "nat64-ygg"],
      ["b", "nat64-ygg"],
      ["c", "eth0"],
      ["d", "eth0"],
      ["e", "Invalid argument"],
      ["f", "Invalid argument"],
      ["g", "nat64-ygg"],
    ]);
    assertEquals(answers[2]!.via, "2001:db8:9::1");
  });
}

const FLOWS: Flow[] = [
  { family: "inet", to: "10.1.0.3", from: "100.64.0.2", iif: "nat64-ygg", mark: 7, also: ["ipproto", "tcp"] },
  { family: "inet6", to: "2000::1" },
];

/** A runner that answers everything alike, and keeps what it was asked. */
function runner(answer: Partial<Result>) {
  const asked: string[] = [];
  const run = (argv: string[], { stdin = "" }: RunOptions = {}) => {
    asked.push(`${argv.slice(1).join(" ")}: ${stdin.trim()}`);
    return Promise.resolve({ argv, code: 0, stdout: "", stderr: "", ...answer });
  };
  return { asked, run };
}

Deno.test("askRoutes: one run for each family, with all of a flow", async () => {
  const kernel = runner({ stdout: '[{"type":"local","dev":"lo","table":"local"}]\n' });
  const answers = await askRoutes(kernel, FLOWS);
  assertEquals(kernel.asked, [
    "-j -4 -force -batch -: route get 10.1.0.3 from 100.64.0.2 iif nat64-ygg mark 7 ipproto tcp",
    "-j -6 -force -batch -: route get 2000::1",
  ]);
  assertEquals(answers, FLOWS.map((flow) => ({ flow, type: "local", device: "lo", table: "local" })));
});

for (
  const [what, answer] of [
    ["says nothing", {}],
    ["is missing", { code: 127, stderr: "/usr/sbin/ip: not found" }],
    ["answers more than it was asked", { stdout: "[{}]\n[{}]\n" }],
    ["prints half an answer", { stdout: '[{"dev":"lo\n' }],
    ["does not know batches", { code: 255, stderr: 'Option "-batch" is unknown, try "ip -help".\n' }],
  ] as [string, Partial<Result>][]
) {
  Deno.test(`askRoutes: an ip that ${what} gives no answers, which is unknown`, async () => {
    assertEquals(await askRoutes(runner(answer), FLOWS), undefined);
  });
}

Deno.test("readPolicies: a kernel without policy routing has no rules, a missing ip is an error", async () => {
  assertEquals(await readPolicies(runner({ code: 2 })), []);
  await assertRejects(() => readPolicies(runner({ code: 127 })));
});
