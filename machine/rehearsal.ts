/** What happens on the stage of a rehearsal: the machines are built from their blueprints, then traffic goes through. */

import { Program } from "../gateway/action.ts";
import { type Blueprint, blueprint } from "../gateway/blueprint.ts";
import { makeCommands } from "../gateway/commands.ts";
import type { Config } from "../gateway/config/types.ts";
import { daemonPath } from "../gateway/daemon.ts";
import { CrxnError, Exit } from "../gateway/errors.ts";
import { type Facts, factsOf, type Identity } from "../gateway/facts.ts";
import type { Place, Rehearsal } from "../gateway/rehearsal.ts";
import { adminSocket, relocate, type Relocated } from "../gateway/rehearsal_items.ts";
import { layout } from "../gateway/rehearsal_layout.ts";
import type { HopCount, PingResult } from "../gateway/rehearsal_report.ts";
import { act } from "./apply.ts";
import { writeAtomically } from "./files.ts";
import { readLinks } from "./ip.ts";
import { ipBatch } from "./namespace.ts";
import { ping } from "./rehearsal_traffic.ts";
import type { Stage } from "./rehearsal_stage.ts";
import { readSurvey } from "./survey.ts";
import { chooseTunnel } from "./tunnel.ts";
import { parsePeers } from "./yggdrasil.ts";

export interface Machine {
  place: Place;
  blueprint: Blueprint;
  relocated: Relocated;
}

/** Lays the cables. */
export async function layCables(stage: Stage, rehearsal: Rehearsal): Promise<void> {
  for (const { place, lines } of layout(rehearsal, stage.namespaceOf)) {
    await ipBatch(stage.runnerIn(place), stage.namespaceOf(place), lines);
  }
}

/** Computes what the machine in `place` should be: by the same blueprint, from facts read inside its namespace. */
export async function design(
  stage: Stage,
  place: Place,
  config: Config,
  identity: Identity,
  tunnel?: Facts["tunnel"],
): Promise<Machine> {
  const runner = stage.runnerIn(place);
  const { overlay } = config;
  const daemon = overlay.type === "yggdrasil" ? { daemon: daemonPath(overlay.daemon) } : {};
  const survey = await readSurvey(runner, { files: [], units: [], overlay: false, ...daemon });
  const more = overlay.type === "interface"
    ? {}
    : { identity, tunnel: tunnel ?? await chooseTunnel(runner, overlay, survey, { entries: new Map() }) };
  const made = blueprint(config, factsOf(config, survey, more));
  return { place, blueprint: made, relocated: relocate(made, stage.folderOf(place)) };
}

/** Makes every item as `up` would, and starts the overlay's daemon. tayga is left for later. */
export async function build(stage: Stage, { place, relocated }: Machine): Promise<void> {
  const runner = stage.runnerIn(place);
  for (const folder of relocated.folders) await Deno.mkdir(folder, { recursive: true });
  for (const file of relocated.files) await writeAtomically(file.path, file.content, { mode: file.mode });
  for (const item of relocated.items) {
    stage.signal.throwIfAborted();
    for (const action of makeCommands(item)) await act(runner, action);
  }
  if (relocated.overlay) stage.start(place, relocated.overlay);
}

/** Waits until the two daemons have found each other. */
export async function meet(stage: Stage): Promise<void> {
  const runner = stage.runnerIn("gateway");
  const endpoint = `-endpoint=unix://${adminSocket(stage.folderOf("gateway"))}`;
  await stage.until("The gateway's yggdrasil did not connect to the far node's", 20, async () => {
    const { code, stdout } = await runner.run([Program.yggdrasilctl, endpoint, "-json", "getPeers"], {
      timeoutSeconds: 5,
    });
    return code === 0 && parsePeers(stdout).some((p) => p.up) ? true : undefined;
  });
}

/** Waits until `from` gets an answer from `to`. */
export async function answers(stage: Stage, from: Place, to: string, what: string, seconds = 20): Promise<void> {
  const runner = stage.runnerIn(from);
  await stage.until(what, seconds, async () => (await ping(runner, to, 1, 0.3)).received > 0 ? true : undefined);
}

/**
 * Without tayga nothing may come through: only then does an answer later on mean anything.
 * @throws CrxnError 1 when somebody answers
 */
export async function staysSilent(stage: Stage, rehearsal: Rehearsal): Promise<PingResult> {
  const result = await ping(stage.runnerIn(rehearsal.from), rehearsal.target, 2, 0.5);
  if (result.received === 0) return result;
  throw new CrxnError(
    Exit.failed,
    `${rehearsal.target} answered although tayga was not running: a ping through the gateway would prove nothing.`,
  );
}

/** Packets on every device along the way, as the kernel counted them. A device that is missing is left out. */
export async function countHops(stage: Stage, rehearsal: Rehearsal, machines: Machine[]): Promise<HopCount[]> {
  const at = (place: Place) => machines.find((m) => m.place === place)?.blueprint;
  const gateway = at("gateway");
  const wanted: [Place, string | undefined][] = [
    ["gateway", rehearsal.client ? rehearsal.uplink : undefined],
    ...(gateway?.workers ?? []).map((w): [Place, string] => ["gateway", w.device]),
    ["gateway", gateway?.overlayDevice],
    ["node", at("node")?.overlayDevice],
    ["host", "eth0"],
  ];
  const links = new Map(
    await Promise.all(stage.places.map(async (p) => [p, await readLinks(stage.runnerIn(p)).catch(() => [])] as const)),
  );
  return wanted.flatMap(([place, device]) => {
    const link = links.get(place)?.find((l) => l.name === device);
    return link ? [{ place, device: link.name, received: link.rx.packets, sent: link.tx.packets }] : [];
  });
}
