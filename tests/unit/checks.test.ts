/** Each fault made on a healthy survey is named by its own check, and by no other. */

import { assertEquals } from "@std/assert";
import type { CheckInput } from "../../checks/check.ts";
import { answersOf } from "./surveys/answers.ts";
import { FAULTS } from "./surveys/faults.ts";
import { ROUTE_FAULTS } from "./surveys/route_faults.ts";
import { healthy, type Options, type Setup } from "./surveys/builder.ts";
import { diagnose, settled } from "./surveys/diagnose.ts";

const HEALTHY: [string, Setup, Options][] = [
  ["a gateway over an existing link", "interface", {}],
  ["a gateway with router advertisement", "interface", { ra: true }],
  ["a gateway over yggdrasil with vxlan", "yggdrasil", {}],
  ["a gateway over yggdrasil with ip6gre", "yggdrasil", { tunnel: "ip6gre" }],
  ["an overlay node over yggdrasil", "node", {}],
  ["a gateway with two far nodes", "two nodes", {}],
  ["a gateway with two far nodes by ip6gre", "two nodes", { tunnel: "ip6gre" }],
  ["a gateway with tunnel routing", "two nodes", { ckr: "2" }],
  ["a node with tunnel routing of the newest kind", "node", { ckr: "newest" }],
  ["a gateway with tunnel routing of the oldest kind", "yggdrasil", { ckr: "1" }],
  ["an overlay node over an existing link", "interface node", {}],
  ["a gateway beside Docker", "interface", {
    rules: {
      inet: {
        filter: {
          FORWARD: { name: "FORWARD", policy: "DROP", rules: [["-j", "DOCKER-USER"]] },
          "DOCKER-USER": { name: "DOCKER-USER", rules: [["-j", "RETURN"]] },
        },
      },
      inet6: {},
    },
  }],
];

const worse = (input: CheckInput) =>
  diagnose(input).filter((f) => f.verdict !== "pass" && f.verdict !== "skip").map((f) =>
    `${f.id}: ${f.verdict}: ${f.found}`
  );

for (const [name, setup, options] of HEALTHY) {
  Deno.test(`runChecks: finds nothing on ${name}`, async () => {
    const input = await healthy(setup, options);
    assertEquals(worse(input), []);
    assertEquals(worse({ ...input, answers: answersOf(input) }), []);
  });
}

for (const { name, setup = "interface", options, check, make } of [...FAULTS, ...ROUTE_FAULTS]) {
  Deno.test(`runChecks: ${name} is named by ${check} alone, with the kernel's answers and without`, async () => {
    const input = await healthy(setup, options ?? {});
    make(input.survey, input);
    for (const asked of [input, { ...input, answers: answersOf(settled(input)) }]) {
      const failing = diagnose(asked).filter((f) => f.verdict === "fail").map((f) => f.id);
      assertEquals(failing, [check], worse(asked).join("\n"));
    }
  });
}
