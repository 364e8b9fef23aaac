/** `crxn doctor`: finds the broken piece, says why and how to mend it. */

import { Command, Option } from "@commander-js/extra-typings";
import { levenshteinDistance } from "@std/text/levenshtein-distance";
import type { Check } from "../checks/check.ts";
import { pageJson, pageOf } from "../checks/explain.ts";
import { legsOf } from "../checks/legs.ts";
import { CHECKS } from "../checks/list.ts";
import { pathOf } from "../checks/path.ts";
import { isBare, PROBING, runChecks } from "../checks/run.ts";
import type { Blueprint } from "../gateway/blueprint.ts";
import { CrxnError, Exit, type ExitCode } from "../gateway/errors.ts";
import { inOverlay } from "../gateway/probe_plan.ts";
import { type Capture, startCapture } from "../machine/capture.ts";
import { sendProbe } from "../machine/probe.ts";
import { reachNodes } from "../machine/reach.ts";
import { askRoutes } from "../machine/route_answers.ts";
import { alone, current } from "./alone.ts";
import { type Context, loadConfig, type LoadedConfig, requireRoot } from "./context.ts";
import { readInput } from "./doctor_input.ts";
import { type Examined, reportJson, reportLines } from "./doctor_output.ts";
import { ipv4, withCommon } from "./options.ts";
import { paintFor } from "./ui.ts";

export const doctorCommand = () =>
  withCommon(
    new Command("doctor")
      .description(
        "Looks at every piece of the gateway, sends a probe through the whole path, and names what is broken.",
      )
      .option("--target <ipv4>", "a host in the overlay to ping through the gateway", ipv4)
      .option("--only <ids>", "only these checks: ID[,ID...]")
      .option("--skip <ids>", "all but these checks: ID[,ID...]")
      .option("--fix", "mend what is the gateway's own")
      .option("--explain <id>", "print what a check looks at, why, and how to mend it")
      .option("--capture <file>", "keep the packets of translator and overlay in a new file (pcap)")
      .addOption(
        new Option("--upkeep <sum>", "mend unattended, if the config is still this one (what the timer calls)")
          .hideHelp(),
      ),
    { yes: true, wait: true },
  );

export interface DoctorOptions {
  target?: string | undefined;
  only?: string | undefined;
  skip?: string | undefined;
  fix?: true | undefined;
  explain?: string | undefined;
  capture?: string | undefined;
  upkeep?: string | undefined;
}

export async function doctor(context: Context, options: DoctorOptions): Promise<ExitCode> {
  const { ui } = context;
  if (options.explain !== undefined) return explain(context, checkOf(options.explain));
  if (options.upkeep !== undefined) return await (await import("./upkeep.ts")).mend(context, options.upkeep);
  const wanted = wantedIds(options);
  if (options.fix) requireRoot("`crxn doctor --fix`");
  if (options.capture !== undefined) requireRoot("`crxn doctor --capture`");
  const early = await loadConfig(context.options.config).catch(async (error) => {
    const { withoutConfig } = await import("./doctor_bare.ts");
    throw await withoutConfig(context, error);
  });
  using _alone = options.fix ? await alone(context, "doctor --fix") : undefined;
  const loaded = options.fix ? await current(context, early) : early;
  const captured: { capture?: Capture } = {};
  const begin = async ({ workers, ways }: Blueprint) => {
    const devices = [...workers, ...ways].map((w) => w.device);
    captured.capture = await startCapture(context.runner, options.capture!, devices);
  };
  const look = (ids: ReadonlySet<string>, before?: typeof begin) =>
    examine(context, loaded, ids, options.target, before);
  let seen: Examined;
  try {
    seen = await look(wanted, options.capture === undefined ? undefined : begin);
    if (options.fix) {
      const { fix } = await import("./doctor_fix.ts");
      seen = await fix(context, look, wanted, seen);
    }
  } finally {
    if (captured.capture) ui.say(captureLine(options.capture!, await captured.capture.end()));
  }
  const { input, report } = seen;
  if (ui.json) ui.out(JSON.stringify(reportJson(report), null, 2));
  else for (const line of reportLines(report, input, paintFor(Deno.stdout))) ui.out(line);
  return report.healthy ? Exit.ok : Exit.failed;
}

const captureLine = (file: string, { packets, lost }: Awaited<ReturnType<Capture["end"]>>): string =>
  lost === undefined
    ? `${file} has ${packets ?? "the"} packets of this examination`
    : `warning: ${file} does not have all packets of this examination: ${lost}`;

/** Reads the machine, probes the path and puts the checks to both. @throws CrxnError 64 for a target outside the overlay */
export async function examine(
  context: Context,
  loaded: LoadedConfig,
  wanted: ReadonlySet<string>,
  target: string | undefined,
  before?: (blueprint: Blueprint) => Promise<void>,
): Promise<Examined> {
  const input = await readInput(context, loaded);
  const { blueprint } = input;
  if (target !== undefined && !inOverlay(blueprint, target)) {
    const networks = blueprint.config.overlay.routes.map((r) => r.to).join(", ") || "(none)";
    throw new CrxnError(Exit.usage, `${target} is in none of the overlay's networks.`, `Take a host in ${networks}.`);
  }
  await before?.(blueprint);
  const [probing, reach, answers] = await Promise.all([
    PROBING.some((id) => wanted.has(id)) && !isBare(input)
      ? sendProbe(context.runner, blueprint, input.survey, target)
      : undefined,
    wanted.has("probe") || wanted.has("overlay-peers") ? reachNodes(context.runner, blueprint) : undefined,
    askRoutes(context.runner, legsOf(input).map((leg) => leg.flow)),
  ]);
  Object.assign(input, probing ?? {}, reach ? { reach } : {}, answers ? { answers } : {});
  const findings = runChecks(CHECKS, input, wanted);
  const healthy = findings.every((f) => f.verdict !== "fail");
  return { input, report: { healthy, path: pathOf(CHECKS, findings, input), findings } };
}

function explain({ ui }: Context, check: Check): ExitCode {
  ui.out(ui.json ? JSON.stringify(pageJson(check), null, 2) : pageOf(check));
  return Exit.ok;
}

/** @throws CrxnError 64 for ids that no check has, and when nothing is left to ask */
export function wantedIds({ only, skip }: Pick<DoctorOptions, "only" | "skip">): ReadonlySet<string> {
  const ids = (list: string | undefined) => list?.split(",").map((id) => checkOf(id.trim()).id);
  const skipped = new Set(ids(skip) ?? []);
  const wanted = new Set((ids(only) ?? CHECKS.map((c) => c.id)).filter((id) => !skipped.has(id)));
  if (wanted.size === 0) {
    throw new CrxnError(Exit.usage, "--skip leaves no check of --only.", "Name at least one check.");
  }
  return wanted;
}

function checkOf(id: string): Check {
  const check = CHECKS.find((c) => c.id === id);
  if (check) return check;
  const near = CHECKS.map((c) => ({ id: c.id, distance: levenshteinDistance(c.id, id) })).sort((a, b) =>
    a.distance - b.distance
  )
    .filter((c) => c.distance <= Math.max(1, id.length / 3) || (id.length > 2 && c.id.includes(id))).slice(0, 3).map((
      c,
    ) => c.id);
  const remedy = near.length > 0
    ? `Did you mean ${near.join(" or ")}?`
    : `The checks are: ${CHECKS.map((c) => c.id).join(", ")}.`;
  throw new CrxnError(Exit.usage, `No check is called "${id}".`, remedy);
}
