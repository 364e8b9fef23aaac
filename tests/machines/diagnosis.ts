import { assert, assertEquals } from "@std/assert";
import { type Namespace, type Place, until } from "../rig/mod.ts";
import type { Fault } from "./faults.ts";
import { answersWithin, assertAnswers, assertSilent, crxn, HOST } from "./story.ts";

// What stories about `crxn doctor` have in common.

/** What `crxn doctor --json` says. */
export interface Diagnosis {
  healthy: boolean;
  path: { hop: string; state: string }[];
  findings: { id: string; verdict: string; found?: string; want?: string; fix?: string[][] }[];
}

/** Asks doctor and expects that exit code. */
export async function doctor(gw: Place, exit: number, args = ""): Promise<Diagnosis> {
  return JSON.parse((await crxn(gw, `doctor --json${args}`, exit)).stdout);
}

/** Every finding that is worse than pass, one a line. */
export const told = ({ findings }: Diagnosis) =>
  findings.filter((f) => !["pass", "skip"].includes(f.verdict)).map((f) => `${f.verdict} ${f.id}: ${f.found}`).join(
    "\n",
  );

/** Not one finding worse than pass, with a host to probe and without. */
export async function assertHealthy(gw: Place): Promise<void> {
  const probed = await doctor(gw, 0, ` --target ${HOST}`);
  assertEquals(told(probed), "");
  assertEquals(probed.path.map((station) => station.state), ["ok", "ok", "ok", "ok", "ok"]);
  assertEquals(probed.findings.find((f) => f.id === "probe")?.verdict, "pass");
  assertEquals(told(await doctor(gw, 0)), "");
}

/** The same, as soon as peers that have just found each other stay together (0.5.12 may lose them once more). */
export async function healthyWithin(seconds: number, gw: Place): Promise<void> {
  let last = "";
  await until("a healthy gateway", seconds, async () => {
    const { code, stdout } = await gw.run(["crxn", "doctor", "--json", "--target", HOST]);
    last = stdout;
    return code === 0 || undefined;
  }).catch((error) => {
    throw new Error(`${error.message}\n${told(JSON.parse(last))}`);
  });
  assertEquals(told(JSON.parse(last)), "");
}

/** The state that `crxn status --json` gives. */
export async function statusOf(gw: Place, exit: number): Promise<string> {
  return JSON.parse((await crxn(gw, "status --json", exit)).stdout).state;
}

/** Breaks it, has doctor name it, has crxn mend it. `patience`: seconds until traffic flows again. */
export async function suffer(gw: Place, client: Namespace, fault: Fault, patience: number): Promise<void> {
  await gw.must(fault.breaks);
  if (fault.hop && !fault.flows) await assertSilent(client);
  else await assertAnswers(client);
  const seen = await doctor(gw, 1, ` --target ${HOST}`);
  assertEquals(seen.healthy, false);
  const finding = seen.findings.find((f) => f.id === fault.id);
  assertEquals(finding?.verdict, "fail", `${fault.id} should fail; what was found:\n${told(seen)}`);
  assert((finding?.fix ?? []).length > 0, `${fault.id} names no remedy`);
  assertEquals(seen.path.find((station) => station.state === "broken")?.hop, fault.hop, told(seen));
  // One fault is one finding; only the probe may feel it too.
  const others = seen.findings.filter((f) =>
    f.verdict === "fail" && ![fault.id, "probe", ...fault.also ?? []].includes(f.id)
  );
  assertEquals(others.map((f) => `${f.id}: ${f.found}`), [], "doctor blames more than what is broken");
  assertEquals(await statusOf(gw, 1), "degraded");
  await crxn(gw, fault.mend === "up" ? "up --yes" : "doctor --fix --yes");
  await answersWithin(patience, client);
  await healthyWithin(patience, gw);
  if (fault.after) await gw.must(fault.after);
}
