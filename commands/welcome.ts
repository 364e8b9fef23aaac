/** The end of `up`: waits until the path works, pings through it, and says what to try and what the far end needs. */

import type { CheckInput, Finding } from "../checks/check.ts";
import { CHECKS } from "../checks/list.ts";
import { runChecks, SENDING } from "../checks/run.ts";
import { embed } from "../gateway/address.ts";
import type { Blueprint } from "../gateway/blueprint.ts";
import type { Step } from "../gateway/step.ts";
import { network } from "../gateway/cidr.ts";
import type { Config } from "../gateway/config/types.ts";
import { confirmJson, confirmLine, type Pending } from "../gateway/confirm.ts";
import { Exit, type ExitCode } from "../gateway/errors.ts";
import { planJson } from "../gateway/plan.ts";
import { Prefixes } from "../gateway/prefixes.ts";
import type { Runner } from "../machine/run.ts";
import { unitLogs } from "../machine/logs.ts";
import { dialAgain, readOverlay } from "../machine/yggdrasil.ts";
import { ping } from "../machine/ping.ts";
import type { Context, Prepared } from "./context.ts";
import { briefJson, briefLines } from "./doctor_brief.ts";
import { waitForUnits } from "./steady.ts";
import { farewell } from "./farewell.ts";
import { fitSegments, measureAhead, segmentsJson, segmentsLines } from "./segments.ts";
import { paintFor } from "./ui.ts";

interface Done {
  changed: Step[];
  target?: string;
  /** What waits to be confirmed. */
  pending?: Pending;
  /** Reads the machine for `doctor`'s checks; without it they are not asked. */
  look?: () => Promise<CheckInput>;
}

/** A ping and what it was for. */
interface Tried {
  what: string;
  address: string;
  /** Milliseconds; undefined when nothing came back. */
  milliseconds?: number;
  /** Without an answer `up` has failed. */
  must: boolean;
}

export async function welcome(context: Context, prepared: Prepared, done: Done): Promise<ExitCode> {
  const { ui } = context;
  const { blueprint, survey } = prepared;
  const { down: early, settled, fallen } = await waitForUnits(
    context,
    blueprint.items,
    done.changed.length > 0,
    survey.units,
  );
  // While they show that they stay up, the path is tried.
  const broken = new AbortController();
  void settled.then((down) => down.length > 0 && broken.abort(), () => {});
  const tried = early.length > 0 ? [] : await tryPath(context, blueprint, done, broken.signal);
  const silent = tried.some((t) => t.must && t.milliseconds === undefined);
  const fits = early.length === 0 && !silent && (done.changed.length > 0 || done.target !== undefined);
  const measuring = fits && done.look ? measureAhead(context, blueprint, prepared.survey, done.target) : undefined;
  const [seen, unsteady] = await Promise.all([done.look?.(), settled]);
  const findings = seen ? findingsOf(seen) : [];
  const segments = seen && fits && unsteady.length === 0
    ? await fitSegments(context, seen, done.target, measuring)
    : undefined;
  const changed = [...done.changed, ...segments?.steps ?? []];
  const down = unsteady.length > 0 ? unsteady : await fallen();
  const failed = down.length > 0 || silent;
  ui.done();
  if (ui.json) {
    ui.out(JSON.stringify(
      {
        schema: "crxn.up/1",
        ok: !failed,
        changes: changed.length,
        steps: planJson(changed),
        failedUnits: down,
        pings: tried,
        findings: briefJson(findings),
        ...(segments ? { segments: segmentsJson(segments) } : {}),
        self: selfOf(blueprint),
        ...(done.pending ? { confirm: confirmJson(done.pending) } : {}),
      },
      null,
      2,
    ));
    return failed ? Exit.failed : Exit.ok;
  }
  ui.out(
    changed.length > 0 ? `Done: ${changed.length} changes.` : "Nothing to do: the machine is as it should be.",
  );
  for (const unit of down) {
    ui.out(`  ${unit} does not run. The end of its log (\`journalctl -u ${unit}\`):`);
    ui.out((await unitLogs(context.runner, unit, 8)).replace(/^/gm, "    "));
  }
  for (const { what, address, milliseconds } of tried) {
    ui.out(`  ${what} ${address} ${milliseconds === undefined ? "does not answer" : `answers in ${milliseconds} ms`}`);
  }
  for (const line of segments ? segmentsLines(segments) : []) ui.out(`  ${line}`);
  for (const line of briefLines(findings, paintFor(Deno.stdout))) ui.out(`  ${line}`);
  if (failed) ui.out("`crxn doctor` looks for the cause.");
  else if (findings.length > 0) ui.out("  `crxn doctor` says more.");
  if (!failed && tried.length === 0) {
    ui.out("  No host of the overlay is known here, so none was pinged; --target names one.");
  }
  if (done.changed.length > 0) { for (const line of farewell(blueprint)) ui.out(line); }
  if (done.pending) ui.out(confirmLine(done.pending));
  return failed ? Exit.failed : Exit.ok;
}

/** What `doctor` would find fault with, as far as that needs no packets: those were sent just now. */
function findingsOf(seen: CheckInput): Finding[] {
  const quick = new Set(CHECKS.map((c) => c.id).filter((id) => !SENDING.includes(id)));
  return runChecks(CHECKS, seen, quick).filter((f) => f.verdict === "fail" || f.verdict === "warn");
}

/** Pings the far nodes through the overlay and the target through the prefix, each until it answers, time is up, or a unit is known to be broken. */
async function tryPath(
  { ui, runner }: Context,
  blueprint: Blueprint,
  done: Done,
  broken: AbortSignal,
): Promise<Tried[]> {
  const { config } = blueprint;
  const wanted: Omit<Tried, "milliseconds">[] = [];
  if (config.overlay.type === "yggdrasil") {
    for (const { address } of blueprint.nodes) wanted.push({ what: "far node", address, must: false });
  }
  const through = (ipv4: string) => config.prefix ? embed(config.prefix, ipv4) : ipv4;
  if (done.target) wanted.push({ what: "target", address: through(done.target), must: true });
  for (const hop of nextHops(config)) wanted.push({ what: "next hop", address: through(hop), must: false });
  // A changed machine gets the time that peers need to find each other; one that was up before does not.
  const seconds = done.changed.length > 0 ? 20 : 2;
  const peers = config.overlay.type === "yggdrasil" && done.changed.length > 0 ? config.overlay.peers : [];
  const redial = setInterval(() => void dialWhereAlone(runner, peers), REDIAL);
  try {
    return await Promise.all(wanted.map(async (one) => {
      ui.progress(`pinging ${one.address}`);
      return { ...one, ...await pingUntil(runner, one.address, seconds, broken) };
    }));
  } finally {
    clearInterval(redial);
  }
}

/** Milliseconds between two attempts to reach a peer, while nobody is connected. */
const REDIAL = 4000;

async function dialWhereAlone(runner: Runner, peers: string[]): Promise<void> {
  const overlay = await readOverlay(runner);
  if (overlay && !overlay.peers.some((p) => p.up)) await dialAgain(runner, peers);
}

/** Next hops that are themselves in the overlay, so that a ping to them goes all the way through. */
function nextHops(config: Config): string[] {
  if (config.overlay.type !== "interface") return [];
  const { routes } = config.overlay;
  const hops = new Set(routes.flatMap((r) => r.via ?? []));
  if (hops.size === 0) return [];
  const inside = new Prefixes<true>();
  for (const { to } of routes) inside.add(network(to), true);
  return [...hops].filter((hop) => inside.holding(network(`${hop}/32`)).length > 0);
}

async function pingUntil(
  runner: Runner,
  address: string,
  seconds: number,
  broken: AbortSignal,
): Promise<{ milliseconds?: number }> {
  const deadline = Date.now() + seconds * 1000;
  while (Date.now() < deadline && !broken.aborted) {
    const { times } = await ping(runner, address, { count: 1, waitSeconds: 1 });
    if (times[0] !== undefined) return { milliseconds: times[0] };
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return {};
}

const selfOf = ({ config, facts, nodes }: Blueprint) => ({
  address: config.address,
  ...(facts.identity ? { publicKey: facts.identity.publicKey, overlay: facts.identity.address } : {}),
  ...(facts.tunnel ? { tunnel: facts.tunnel } : {}),
  ...(nodes.length > 0 ? { nodes: nodes.map(({ key, address, networks }) => ({ key, address, networks })) } : {}),
});
