import { assert, assertEquals } from "@std/assert";
import { Lab, type Machine, type Namespace, until } from "../rig/mod.ts";
import { type Fault, gatewayFaults, INTERFACE_FAULTS, yggdrasilFaults } from "./faults.ts";
import { pairOf, upOnBoth } from "./pair.ts";
import { answersWithin, assertAnswers, assertSilent, chaptersOf, crxn, HOST, sceneOf } from "./story.ts";

interface Diagnosis {
  healthy: boolean;
  path: { hop: string; state: string }[];
  findings: { id: string; verdict: string; found?: string; fix?: string[][] }[];
}

async function doctor(gw: Machine, exit: number, args = ""): Promise<Diagnosis> {
  return JSON.parse((await crxn(gw, `doctor --json${args}`, exit)).stdout);
}

const told = ({ findings }: Diagnosis) =>
  findings.filter((f) => !["pass", "skip"].includes(f.verdict)).map((f) => `${f.verdict} ${f.id}: ${f.found}`).join(
    "\n",
  );

/** Not one finding worse than pass, with a host to probe and without. */
async function assertHealthy(gw: Machine): Promise<void> {
  const probed = await doctor(gw, 0, ` --target ${HOST}`);
  assertEquals(told(probed), "");
  assertEquals(probed.path.map((station) => station.state), ["ok", "ok", "ok", "ok", "ok"]);
  assertEquals(probed.findings.find((f) => f.id === "probe")?.verdict, "pass");
  assertEquals(told(await doctor(gw, 0)), "");
}

/** The same, as soon as peers that have just found each other stay together (0.5.12 may lose them once more). */
async function healthyWithin(seconds: number, gw: Machine): Promise<void> {
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

async function statusOf(gw: Machine, exit: number): Promise<string> {
  return JSON.parse((await crxn(gw, "status --json", exit)).stdout).state;
}

/** Breaks it, has doctor name it, has crxn mend it. `patience`: seconds until traffic flows again. */
async function suffer(gw: Machine, client: Namespace, fault: Fault, patience: number): Promise<void> {
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

/** One fault that is not as it should be does not keep the others from being tried. */
async function sufferAll(t: Deno.TestContext, gw: Machine, client: Namespace, faults: Fault[], patience: number) {
  for (const fault of faults) {
    const passed = await t.step(`${fault.name}: ${fault.id}`, () => suffer(gw, client, fault, patience));
    if (!passed) {
      await gw.must(`iptables -P FORWARD ACCEPT; ip6tables -P FORWARD ACCEPT; crxn doctor --fix --yes || true`);
    }
  }
  await t.step("healthy after all of that", async () => {
    await assertHealthy(gw);
    assertEquals(await statusOf(gw, 0), "up");
  });
}

for (const debian of ["bookworm", "trixie"] as const) {
  Deno.test(`crxn doctor: names each fault of a gateway over an existing interface, ${debian}`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const { client, gw } = await sceneOf(lab, { debian, image: "ready" });
    await chapter("not up yet", async () => {
      assertEquals(await statusOf(gw, 3), "down");
      const { path } = await doctor(gw, 1);
      assertEquals(path.filter((station) => station.state === "ok"), []);
    });
    await chapter("healthy", async () => {
      await crxn(gw, "up --yes");
      await assertAnswers(client);
      await assertHealthy(gw);
    });
    await sufferAll(t, gw, client, [...gatewayFaults("ovl0"), ...INTERFACE_FAULTS], 5);
  });

  Deno.test(`crxn doctor: names each fault of a gateway over yggdrasil, ${debian}`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const pair = await pairOf(lab, { debian, image: "ready", tunnel: "vxlan", dials: "gw" });
    const { client, gw, node, keys } = pair;
    await chapter("healthy, both of them", async () => {
      await upOnBoth(pair);
      await answersWithin(20, client);
      await healthyWithin(20, gw);
      await assertHealthy(gw);
      assertEquals(told(await doctor(node, 0)), "");
    });
    const tunnel = `crxn-${keys.node.slice(0, 8)}`;
    // What does not depend on the overlay is told above; a lost peer needs time to come back.
    const faults = gatewayFaults(tunnel).filter((fault) =>
      fault.hop === "overlay" || /forward|blackhole/.test(fault.id)
    );
    await sufferAll(t, gw, client, [...faults, ...yggdrasilFaults(tunnel)], 20);
  });
}
