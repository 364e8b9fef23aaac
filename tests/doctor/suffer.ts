/** One fault, or several at once: made, named by doctor, mended or left alone, undone. */

import type { Hop } from "../../checks/check.ts";
import type { Diagnosis } from "../machines/diagnosis.ts";
import { told } from "../machines/diagnosis.ts";
import { HOST } from "../machines/story.ts";
import { ping, until } from "../rig/mod.ts";
import { declaredIds, type Fault, type Harmless, MAPPED, type Traffic } from "./fault.ts";
import { fingerprint, perform, type Scene } from "./scene.ts";

/** What doctor made of a fault. */
export interface Seen {
  fault: string;
  /** Ids that failed (or, when none did, that warn), without a probe that only felt it. */
  named: string[];
  verdict: "fail" | "warn" | "pass";
  hop?: Hop;
  mended: boolean;
}

export interface Suffered {
  seen: Seen;
  /** What is not as declared, in words; empty when all is well. */
  complaints: string[];
  /** The machine is as before. */
  whole: boolean;
}

/** Called while the fault is there, with what doctor said; nothing is mended yet. */
export type Witness = (seen: Seen) => Promise<void>;

const PATIENCE = 5;

export async function suffer(scene: Scene, fault: Fault, witness?: Witness): Promise<Suffered> {
  const complaints: string[] = [];
  const { gw } = scene;
  const patience = fault.patience ?? PATIENCE;
  await perform(scene, fault.breaks);
  const traffic = await settled(scene, fault.traffic);
  if (traffic !== fault.traffic) complaints.push(`the client's packets: ${traffic}, declared: ${fault.traffic}`);
  const diagnosis = await diagnose(scene);
  const seen: Seen = { fault: fault.name, ...judgement(diagnosis, fault.id), mended: false };
  await witness?.(seen);
  complaints.push(...compared(fault, seen, diagnosis));
  const before = fault.mended ? "" : await fingerprint(scene);
  const fixed = await gw.run(["crxn", "doctor", "--fix", "--yes", "--json", "--target", HOST]);
  if (/^\s+at .*:\d+:\d+/m.test(fixed.stderr)) complaints.push(`--fix printed a stack trace:\n${fixed.stderr}`);
  // What --fix says at its end is what doctor would say.
  const content = fixed.code === 0 && saidIn(fixed.stdout) === "";
  if (fault.mended) {
    await forgetSizes(scene);
    seen.mended = fixed.code === 0 && (await settled(scene, "flows", patience)) === "flows";
    if (!seen.mended) {
      complaints.push(`--fix did not mend it (exit code ${fixed.code}):\n${saidIn(fixed.stdout)}${fixed.stderr}`);
    }
  } else {
    if (await fingerprint(scene) !== before) {
      complaints.push(`--fix changed something:\n${changes(before, await fingerprint(scene))}`);
    }
    const expected = fault.verdict === "warn" ? 0 : 1;
    if (fixed.code !== expected) complaints.push(`--fix ended with ${fixed.code}, not ${expected}: ${fixed.stderr}`);
  }
  const whole = (seen.mended && content && !fault.undoes) || await restore(scene, [fault], patience, complaints);
  return { seen, complaints, whole };
}

/** All at once: each is named. */
export async function sufferAll(scene: Scene, faults: Fault[]): Promise<Omit<Suffered, "seen">> {
  const complaints: string[] = [];
  for (const fault of faults) await perform(scene, fault.breaks);
  await settled(scene, faults.some((f) => f.traffic === "lost") ? "lost" : "flows");
  const diagnosis = await diagnose(scene);
  for (const { id, name, verdict = "fail" } of faults) {
    const finding = diagnosis.findings.find((f) => f.id === id);
    if (finding?.verdict !== verdict) {
      complaints.push(`${name}: ${id} is ${finding?.verdict} (${finding?.found}), not ${verdict}`);
    }
  }
  if (complaints.length > 0) complaints.push(told(diagnosis));
  const patience = Math.max(...faults.map((f) => f.patience ?? PATIENCE));
  if (faults.some((f) => f.mended)) await scene.gw.run(["crxn", "doctor", "--fix", "--yes", "--target", HOST]);
  return { complaints, whole: await restore(scene, [...faults].reverse(), patience, complaints) };
}

/** Something that is no fault: not one word worse than pass. */
export async function overlook(scene: Scene, { makes, undoes }: Harmless): Promise<Omit<Suffered, "seen">> {
  const complaints: string[] = [];
  await perform(scene, makes);
  if (await settled(scene, "flows") !== "flows") complaints.push("it is not harmless: the client's packets are lost");
  const words = told(await diagnose(scene));
  if (words !== "") complaints.push(`doctor says:\n${words}`);
  await perform(scene, undoes);
  return { complaints, whole: await healthy(scene, PATIENCE, complaints) };
}

/** A path MTU that the client has learnt is remembered for ten minutes, and ICMP in fragments is not translated (RFC 7915). */
const forgetSizes = ({ client }: Scene) => client.must(["ip", "-6", "route", "flush", "cache"]);

async function restore(scene: Scene, faults: Fault[], patience: number, complaints: string[]): Promise<boolean> {
  try {
    for (const { undoes } of faults) if (undoes) await perform(scene, undoes);
    await forgetSizes(scene);
  } catch (error) {
    complaints.push(`undoing it failed: ${error instanceof Error ? error.message : error}`);
  }
  if (!await healthy(scene, patience, complaints)) return false;
  const traffic = await settled(scene, "flows", patience);
  if (traffic !== "flows") complaints.push(`afterwards the client's packets: ${traffic}`);
  return traffic === "flows";
}

/** Whether the gateway is healthy again; where only crxn's own `up` brings it back, that is a complaint as well. */
async function healthy(scene: Scene, patience: number, complaints: string[]): Promise<boolean> {
  const whole = async (seconds: number) => {
    let last = "";
    const good = await until("health", seconds, async () => {
      const { code, stdout } = await scene.gw.run(["crxn", "doctor", "--json", "--target", HOST]);
      last = saidIn(stdout);
      return (code === 0 && last === "") || undefined;
    }).catch(() => false);
    return good ? "" : last || "doctor said nothing";
  };
  const words = await whole(patience);
  if (words === "") return true;
  complaints.push(`afterwards doctor says:\n${words}`);
  await scene.gw.run(["crxn", "up", "--yes"]);
  return await whole(patience) === "";
}

const saidIn = (json: string): string => {
  try {
    return told(JSON.parse(json));
  } catch {
    return json;
  }
};

export async function diagnose({ gw }: Scene): Promise<Diagnosis> {
  const output = await gw.run(["crxn", "doctor", "--json", "--target", HOST]);
  try {
    return JSON.parse(output.stdout);
  } catch {
    throw new Error(`doctor ended with ${output.code} and said:\n${output.stdout}${output.stderr}`);
  }
}

/** What becomes of the client's pings, asked until it is what is expected, or for `seconds`. */
async function settled({ client }: Scene, expected: Traffic, seconds = 3): Promise<Traffic> {
  let last: Traffic = "flows";
  await until(expected, seconds, async () => {
    last = await trafficOf(client);
    return last === expected || undefined;
  }).catch(() => {});
  return last;
}

async function trafficOf(client: Scene["client"]): Promise<Traffic> {
  const [small, large, tcp] = await Promise.all([
    ping(client, MAPPED, { count: 2 }),
    ping(client, MAPPED, { count: 3, size: 1400 }),
    // Nobody listens there: an answer is an answer.
    client.run(["timeout", "1", "bash", "-c", `</dev/tcp/${MAPPED}/9`]),
  ]);
  if (small.received === 0) return "lost";
  if (!tcp.stderr.includes("refused")) return "tcp lost";
  return large.received === 0 ? "large lost" : "flows";
}

/** What doctor says, in the terms of a fault. A probe that fails beside another check only feels it. */
function judgement({ findings, path }: Diagnosis, id: string): Pick<Seen, "named" | "verdict" | "hop"> {
  const ids = (verdict: string) => findings.filter((f) => f.verdict === verdict).map((f) => f.id);
  const failing = ids("fail");
  const named = failing.filter((f) => f !== "probe" || id === "probe" || failing.length === 1);
  const hop = path.find((station) => station.state === "broken")?.hop as Hop | undefined;
  const warnings = ids("warn");
  return {
    named: named.length > 0 ? named : warnings,
    verdict: named.length > 0 ? "fail" : warnings.length > 0 ? "warn" : "pass",
    ...(hop ? { hop } : {}),
  };
}

/** Differences between what is declared and what was seen, but for the mending. */
function compared(fault: Fault, seen: Seen, diagnosis: Diagnosis): string[] {
  const complaints: string[] = [];
  if (seen.named.toSorted().join() !== declaredIds(fault) || seen.verdict !== (fault.verdict ?? "fail")) {
    complaints.push(
      `declared: ${fault.verdict ?? "fail"} ${declaredIds(fault)}; doctor says:\n${told(diagnosis) || "nothing"}`,
    );
  }
  if (seen.hop !== fault.hop) complaints.push(`the path is broken at ${seen.hop}, declared: ${fault.hop}`);
  const finding = diagnosis.findings.find((f) => f.id === fault.id);
  if (finding && fault.says && !fault.says.test(finding.found ?? "")) {
    complaints.push(`${fault.id} does not say ${fault.says}: ${finding.found}`);
  }
  if (finding?.verdict === "fail" && (finding.fix ?? []).length === 0 && !finding.want) {
    complaints.push(`${fault.id} says nothing about what to do`);
  }
  return complaints;
}

/** The lines in which two texts differ. */
function changes(before: string, after: string): string {
  const [was, is] = [before, after].map((text) => new Set(text.split("\n")));
  return [
    ...[...was!].filter((line) => !is!.has(line)).map((line) => `- ${line}`),
    ...[...is!].filter((line) => !was!.has(line)).map((line) => `+ ${line}`),
  ].join("\n");
}
