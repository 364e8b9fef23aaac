/** What holds for all checks together: their ids, their order, and that each item of a blueprint has one that speaks for it. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { manual, pageOf } from "../../checks/explain.ts";
import { CHECKS } from "../../checks/list.ts";
import { ownerOf } from "../../checks/owner.ts";
import { runChecks } from "../../checks/run.ts";
import { wantedIds } from "../../commands/doctor.ts";
import { CrxnError } from "../../gateway/errors.ts";
import { replay } from "../../gateway/journal.ts";
import { faultTable } from "../doctor/results.ts";
import { CONFIGS, healthy, type Setup } from "./surveys/builder.ts";

const CONTRACT =
  "packages tun-device overlay-service overlay-identity overlay-peers tunnel-routing overlay-address overlay-route " +
  "translator-service translator-config translator-device pool pool-route prefix-route blackhole-route forwarding-sysctl rp-filter uplink accept-ra " +
  "forward-policy input-policy nat-rule mss-clamp path-mtu prefix-routed conntrack conflicts network-managers disk clock logs drift upkeep probe";

Deno.test("CHECKS: has the ids of the contract, in its order", () => {
  assertEquals(CHECKS.map((c) => c.id).join(" "), CONTRACT);
});

Deno.test("CHECKS: needs name checks that exist", () => {
  const ids = CHECKS.map((c) => c.id);
  assertEquals(CHECKS.flatMap((c) => c.needs).filter((id) => !ids.includes(id)), []);
});

for (const setup of Object.keys(CONFIGS) as Setup[]) {
  Deno.test(`ownerOf: every item of ${setup} belongs to a check that exists`, async () => {
    const { blueprint } = await healthy(setup);
    const ids = new Set(CHECKS.map((c) => c.id));
    assert(blueprint.items.length > 10);
    assertEquals(blueprint.items.filter((i) => !ids.has(ownerOf(i, blueprint))), []);
  });
}

Deno.test("manual: docs/doctor.md is current", async () => {
  const file = new URL("../../docs/doctor.md", import.meta.url);
  const text = `${manual(CHECKS)}\n${faultTable()}`;
  if (Deno.env.get("UPDATE") === "1") await Deno.writeTextFile(file, text);
  assertEquals(await Deno.readTextFile(file), text, "UPDATE=1 deno task test:unit writes it anew");
});

Deno.test("pageOf: fits 80 columns and has all that a reader needs", () => {
  for (const check of CHECKS) {
    const page = pageOf(check);
    assertEquals(page.split("\n").filter((l) => l.length > 80 && l.trim().includes(" ")), []);
    for (
      const word of [check.id, "Looks at:", "Why it matters:", "How it breaks:", "How to mend it:", "To look by hand:"]
    ) assertStringIncludes(page, word);
  }
});

Deno.test("runChecks: reports only what was asked for, and skips it while its prerequisite fails", async () => {
  const input = await healthy("yggdrasil");
  delete input.survey.overlay;
  const findings = runChecks(CHECKS, input, new Set(["overlay-peers"]));
  assertEquals(findings.map((f) => [f.id, f.verdict]), [["overlay-peers", "skip"]]);
  assertStringIncludes(findings[0]!.found!, "overlay-service");
});

Deno.test("runChecks: a machine without any gateway has one fault, which says what to do", async () => {
  const { blueprint, survey } = await healthy("interface");
  const bare = {
    ...survey,
    files: {},
    units: {},
    rules: { inet: {}, inet6: {} },
    nftables: [],
    native: [],
    links: survey.links.filter((l) => l.name !== "nat64-ygg"),
    routes: [],
  };
  const findings = runChecks(CHECKS, { blueprint, survey: bare, journal: replay([]), troubles: [] });
  assertEquals(findings.filter((f) => f.verdict === "fail").map((f) => f.id), ["drift"]);
  assertStringIncludes(findings.find((f) => f.id === "drift")!.found!, "crxn up");
});

Deno.test("runChecks: without root nothing is called broken that could only not be read", async () => {
  const input = await healthy("yggdrasil");
  const { overlay: _, ...rest } = input.survey;
  const survey = { ...rest, root: false, rules: {} };
  const path = "/etc/yggdrasil/yggdrasil.conf";
  survey.files = { ...survey.files, [path]: { mode: 0, uid: 0, gid: 0, modified: 0 } };
  const { journal: _journal, ...unread } = input;
  const findings = runChecks(CHECKS, { ...unread, survey });
  assertEquals(findings.filter((f) => f.verdict === "fail"), []);
  const unknown = findings.filter((f) => f.verdict === "unknown").map((f) => f.id);
  for (const id of ["overlay-service", "overlay-identity", "forward-policy", "nat-rule", "drift"]) {
    assert(unknown.includes(id), id);
  }
});

Deno.test("runChecks: a trouble met on the way is the finding of its check", async () => {
  const input = await healthy("yggdrasil");
  input.troubles.push({ check: "overlay-identity", verdict: "fail", found: "no key" });
  assertEquals(runChecks(CHECKS, input).filter((f) => f.verdict === "fail").map((f) => f.found), ["no key"]);
});

Deno.test("wantedIds: --only and --skip are lists of ids", () => {
  assertEquals([...wantedIds({ only: "probe, drift" })], ["probe", "drift"]);
  assertEquals(wantedIds({ skip: "probe" }).size, CHECKS.length - 1);
});

Deno.test("wantedIds: an unknown id is wrong usage, with the nearest one", () => {
  const error = assertThrows(() => wantedIds({ only: "forward-polcy" }), CrxnError) as CrxnError;
  assertEquals(error.exit, 64);
  assertStringIncludes(error.remedy!, "forward-policy");
});
