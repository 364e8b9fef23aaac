import { assertEquals, assertStringIncludes } from "@std/assert";
import { CHECKS } from "../../checks/list.ts";
import { pathOf } from "../../checks/path.ts";
import { runChecks } from "../../checks/run.ts";
import type { CheckInput } from "../../checks/check.ts";
import { Unit } from "../../gateway/names.ts";
import { see } from "../../gateway/see.ts";
import { statusOf } from "../../commands/status_data.ts";
import { healthy } from "./surveys/builder.ts";

const found = (input: CheckInput, id: string) => runChecks(CHECKS, input).find((f) => f.id === id)!;
const overlayState = (input: CheckInput) =>
  pathOf(CHECKS, runChecks(CHECKS, input), input).find((s) => s.hop === "overlay")?.state;

const stopped = async () => {
  const input = await healthy("interface");
  Object.assign(input.survey.units[Unit.link]!, { active: "inactive", sub: "dead" });
  return input;
};

/** As the kernel leaves it. */
function madeAnew({ survey }: CheckInput): void {
  survey.links.find((l) => l.name === "wg0")!.addresses = [];
  survey.routes = survey.routes.filter((r) => r.device !== "wg0");
}

Deno.test("overlay-service: a follower that is stopped says what it is for, and traffic still passes", async () => {
  const input = await stopped();
  const finding = found(input, "overlay-service");
  assertStringIncludes(finding.found!, "crxn-link.service is inactive (dead); nothing puts address and routes on wg0");
  assertEquals(finding.fix, [["/usr/bin/systemctl", "start", "crxn-link.service"]]);
  assertEquals(overlayState(input), "ok");
});

Deno.test("overlay-service: a link that came back unfollowed is mended at once, by one finding", async () => {
  const input = await stopped();
  madeAnew(input);
  assertEquals(overlayState(input), "broken");
  assertEquals(found(input, "overlay-address").verdict, "skip");
  assertEquals(found(input, "overlay-route").verdict, "skip");
  assertEquals(found(input, "overlay-service").fix, [
    ["/usr/sbin/ip", "address", "replace", "10.5.0.1/32", "dev", "wg0"],
    ["/usr/sbin/ip", "-4", "route", "replace", "10.0.0.0/8", "dev", "wg0", "proto", "64"],
    ["/usr/bin/systemctl", "start", "crxn-link.service"],
  ]);
});

Deno.test("overlay-address: with its follower running, a lost address is its own fault", async () => {
  const input = await healthy("interface");
  madeAnew(input);
  assertEquals(found(input, "overlay-address").verdict, "fail");
  assertEquals(found(input, "overlay-service").verdict, "pass");
});

Deno.test("overlay-route: a route of somebody else in the place is no fault of the follower", async () => {
  const input = await stopped();
  Object.assign(input.survey.routes.find((r) => r.to === "10.0.0.0/8" && r.type === "unicast")!, {
    device: "eth0",
    protocol: "static",
  });
  assertEquals(found(input, "overlay-route").verdict, "fail");
});

Deno.test("tunnel-routing: a link that is gone is its one finding; the follower waits, and the last resort holds", async () => {
  const input = await healthy("interface");
  madeAnew(input);
  input.survey.links = input.survey.links.filter((l) => l.name !== "wg0");
  const failing = runChecks(CHECKS, input).filter((f) => !["pass", "skip"].includes(f.verdict));
  assertEquals(failing.map((f) => `${f.verdict} ${f.id}`), ["fail tunnel-routing"]);
  const last = input.blueprint.items.find((i) => i.kind === "route" && i.type === "unreachable")!;
  assertEquals(see(last, input.survey).is, "present");
  const status = statusOf(input, failing);
  assertEquals(status.services.find((s) => s.unit === Unit.link)?.state, "active");
  assertEquals(status.hops.find((h) => h.name === "overlay")?.state, "missing");
});
