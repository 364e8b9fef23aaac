/** What a rehearsal needs before it begins: packages and daemon, and keys for both ends. */

import { packageItems } from "../gateway/blueprint.ts";
import { compare } from "../gateway/compare.ts";
import type { Config } from "../gateway/config/types.ts";
import { daemonPath, programItems } from "../gateway/daemon.ts";
import { CrxnError, Exit } from "../gateway/errors.ts";
import { capabilityOf, STOCK } from "../gateway/capability.ts";
import type { Identity } from "../gateway/facts.ts";
import { linkOf } from "../gateway/survey.ts";
import { readDaemon } from "../machine/daemon.ts";
import { newIdentity } from "../machine/identity.ts";
import { readJournal } from "../machine/journal.ts";
import type { Runner } from "../machine/run.ts";
import { programsOf, readSurvey } from "../machine/survey.ts";
import { alone } from "./alone.ts";
import { type Context, requireDebian, requireYggdrasil } from "./context.ts";
import { bring } from "./install.ts";

export function requireRehearsable(config: Config, file: string | undefined): void {
  if (config.overlay.routes.length > 0) return;
  throw new CrxnError(
    Exit.config,
    `${file ?? "The config"} has no overlay route, so there is no host to send traffic to.`,
    "Add one under overlay.routes, or run `crxn rehearse` without --config.",
  );
}

/** Installs what is missing. @returns the MTU of the existing overlay link, if this machine has it */
export async function bringMissing(context: Context, config: Config): Promise<number | undefined> {
  const fetches = programItems(config);
  const programs = fetches.length > 0 ? programsOf(config, await readJournal()) ?? [] : [];
  const survey = await readSurvey(context.runner, { files: [], units: [], overlay: false, programs });
  // Nothing of it is started by systemd, so a container without it will do.
  requireDebian({ ...survey, systemd: true });
  const steps = compare([...packageItems(config), ...fetches], survey, { entries: new Map() });
  const missing = steps.flatMap((s) => s.packages ?? []);
  if (missing.length > 0) {
    context.ui.say(`Not here yet: ${missing.join(", ")}. Installing with apt; no service is started.`);
  }
  if (steps.length > 0) {
    using _alone = await alone(context, "rehearse");
    await bring(context, steps);
  }
  return linkOf(survey, config.overlay.interface)?.mtu;
}

/** New keys for both ends, of the daemon's generation. */
export async function identitiesFor(
  runner: Runner,
  { overlay }: Config,
): Promise<{ gateway: Identity; node: Identity }> {
  const daemon = overlay.type === "yggdrasil" ? await readDaemon(runner, daemonPath(overlay.daemon), true) : undefined;
  requireYggdrasil(daemon ? { daemon } : {});
  const { generation } = capabilityOf(daemon?.normalised ?? "") ?? STOCK;
  return { gateway: await newIdentity(generation), node: await newIdentity(generation) };
}
