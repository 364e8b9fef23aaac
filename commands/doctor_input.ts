/** What the checks are put to. A machine on which the blueprint cannot be computed as usual still gets an answer. */

import type { CheckInput, Trouble } from "../checks/check.ts";
import { factsWithStandIn, settledFacts, standIn, withDying } from "../checks/settle.ts";
import { type Blueprint, blueprint } from "../gateway/blueprint.ts";
import { ConfigError } from "../gateway/config/problem.ts";
import { CrxnError, Exit } from "../gateway/errors.ts";
import { daemonOf, type Facts, type MoreFacts } from "../gateway/facts.ts";
import { type Journal, replay } from "../gateway/journal.ts";
import { saidSince } from "../gateway/host.ts";
import { tunnelDevice, Unit } from "../gateway/names.ts";
import { portsMade } from "../gateway/overlay_nodes.ts";
import { mssMade } from "../gateway/segments.ts";
import type { Survey } from "../gateway/survey.ts";
import { ownCaller } from "../machine/confirm.ts";
import { readHost } from "../machine/host.ts";
import { readJournal } from "../machine/journal.ts";
import { questionsOf, readSurvey } from "../machine/survey.ts";
import { chooseTunnel } from "../machine/tunnel.ts";
import { findIdentity } from "../machine/identity.ts";
import { type Context, type LoadedConfig, prepare, type Prepared, requireYggdrasil } from "./context.ts";

type Tunnel = NonNullable<Facts["tunnel"]>;

export async function readInput(context: Context, loaded: LoadedConfig): Promise<CheckInput> {
  const [input, host] = await Promise.all([readGateway(context, loaded), readHost(context.runner, loaded.config)]);
  const survey = withDying(input.survey, host.now);
  const daemon = survey.units[Unit.yggdrasil];
  const daemonLog = host.log && daemon && saidSince(host, Unit.yggdrasil, daemon.since).map((l) => l.message);
  return { ...input, survey, host, ...(daemonLog ? { daemonLog } : {}) };
}

async function readGateway(context: Context, loaded: LoadedConfig): Promise<CheckInput> {
  try {
    return inputOf(loaded, await prepare(context, loaded));
  } catch (error) {
    if (!(error instanceof CrxnError)) throw error;
    return await readInSpite(context, loaded, error);
  }
}

/** Stage by stage, with a stand-in for each that fails; what failed becomes a finding of the check it concerns. */
async function readInSpite(context: Context, loaded: LoadedConfig, cause: CrxnError): Promise<CheckInput> {
  const { runner } = context;
  const { config } = loaded;
  const troubles: Trouble[] = [];
  const attempt = async <T>(check: string, question: () => T | Promise<T>, otherwise: () => T): Promise<T> => {
    try {
      return await question();
    } catch (error) {
      if (!(error instanceof CrxnError)) throw error;
      troubles.push(troubleOf(check, error));
      return otherwise();
    }
  };
  const journal = await attempt<Journal | undefined>("drift", readable(readJournal), () => undefined);
  const survey = await readSurvey(runner, questionsOf(config, journal ?? replay([])));
  const measured = mssMade(journal ?? replay([]));
  const more: MoreFacts = measured === undefined ? {} : { measuredMss: measured };
  if (config.upkeep) more.caller = ownCaller(context.options.config);
  if (config.overlay.type === "yggdrasil") {
    const { overlay } = config;
    const { tunnel, routes } = overlay;
    await attempt("overlay-service", () => requireYggdrasil(survey), () => undefined);
    const { generation, ckr } = daemonOf(survey, overlay);
    more.identity = await attempt("overlay-identity", () => findIdentity(generation), () => standIn(survey, journal));
    const there = survey.links.find((l) => routes[0] && l.name === tunnelDevice(routes[0].via))?.kind;
    const kind = there === "ip6gre" || tunnel === "ip6gre" ? "ip6gre" : "vxlan";
    more.ports = portsMade(journal ?? replay([]));
    more.tunnel = await attempt<Tunnel>(
      "tunnel-routing",
      () => chooseTunnel(runner, overlay, survey, journal ?? replay([])),
      () => ({ kind: tunnel === "ckr" || ckr ? "ckr" : kind, why: "a guess" }),
    );
  }
  const { facts, lost } = factsWithStandIn(config, survey, more);
  // Every stage by itself went well: what failed is what prepare() does besides, the collision with the machine's networks.
  if (troubles.length === 0 && !lost) {
    const trouble = troubleOf(cause instanceof ConfigError ? "conflicts" : "drift", cause);
    // A program that did not answer, or not in time, says nothing about the gateway.
    troubles.push(cause.exit === Exit.failed ? { ...trouble, verdict: "unknown" } : trouble);
  }
  return settle(loaded, journal, survey, facts, troubles);
}

/** What only root may read is missing, which is no fault. */
const readable = <T>(question: () => Promise<T>) => async (): Promise<T | undefined> => {
  try {
    return await question();
  } catch (error) {
    if (error instanceof CrxnError && error.exit === Exit.noPermission) return undefined;
    throw error;
  }
};

function troubleOf(check: string, error: CrxnError): Trouble {
  const verdict = error.exit === Exit.noPermission ? "unknown" : "fail";
  return { check, verdict, found: error.message, ...(error.remedy ? { want: error.remedy } : {}) };
}

/** Of a machine that was read for something else. */
export const inputOf = (loaded: LoadedConfig, { journal, survey, blueprint }: Prepared): CheckInput =>
  settle(loaded, journal, survey, blueprint.facts, [], blueprint);

function settle(
  { config }: LoadedConfig,
  journal: Journal | undefined,
  survey: Survey,
  facts: Facts,
  troubles: Trouble[],
  /** Of these facts, where it has been computed. */
  known?: Blueprint,
): CheckInput {
  const settled = settledFacts(
    facts,
    journal,
    survey,
    config.overlay.type === "yggdrasil" ? config.overlay.tunnel : undefined,
  );
  const { identity } = facts;
  if (identity?.from === "config" && settled.identity && identity.address !== settled.identity.address) {
    troubles.push({
      check: "overlay-identity",
      verdict: "fail",
      found:
        `the key in the daemon's config makes this node ${identity.address}; the gateway was made as ${settled.identity.address}`,
      want: "Put the old key back, or run `crxn up` to go on as the new node, and tell the far end.",
    });
  }
  const made = known && settled === facts ? known : blueprint(config, settled);
  return { blueprint: made, survey, ...(journal ? { journal } : {}), troubles };
}
