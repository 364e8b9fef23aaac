import { assertEquals } from "@std/assert";
import { type Place, until } from "../rig/mod.ts";
import { crxn, HOST } from "./story.ts";

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
    // A slow machine may lose one of its first pings: that is a warning, and true.
    return (code === 0 && told(JSON.parse(stdout)) === "") || undefined;
  }).catch((error) => {
    throw new Error(`${error.message}\n${told(JSON.parse(last))}`);
  });
}

/** The state that `crxn status --json` gives. */
export async function statusOf(gw: Place, exit: number): Promise<string> {
  return JSON.parse((await crxn(gw, "status --json", exit)).stdout).state;
}
