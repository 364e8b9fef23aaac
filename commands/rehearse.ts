/** `crxn rehearse`: the whole gateway in throw-away network namespaces, with real traffic through it. */

import { Command } from "@commander-js/extra-typings";
import example from "../assets/rehearsal.yaml" with { type: "text" };
import { parseConfig } from "../gateway/config/parse.ts";
import { CrxnError, Exit, type ExitCode } from "../gateway/errors.ts";
import { type Rehearsal, rehearsalOf } from "../gateway/rehearsal.ts";
import { type Findings, picture, results } from "../gateway/rehearsal_report.ts";
import type { Death } from "../machine/rehearsal_daemon.ts";
import { interruptions } from "../machine/rehearsal_interruption.ts";
import { connect, listen } from "../machine/rehearsal_peer.ts";
import { play, type Step } from "../machine/rehearsal_play.ts";
import { Stage, sweepLeftovers } from "../machine/rehearsal_stage.ts";
import { type Context, loadConfig, requireRoot } from "./context.ts";
import { bringMissing, identitiesFor, requireRehearsable } from "./rehearse_needs.ts";
import { type Paint, paintFor, type Ui } from "./ui.ts";

export const rehearseCommand = () =>
  new Command("rehearse")
    .description(
      "Builds the whole gateway in network namespaces of this machine, with the real tayga, yggdrasil, ip and iptables:\n" +
        "an IPv6 client, the gateway, a far overlay node and an overlay host. Sends traffic through, and takes it all down.\n" +
        "The host's own network is not touched. Packages that are missing are installed.",
    )
    .option("--config <file>", "rehearse this config (default: a built-in example)")
    .option("--json", "print one JSON document to stdout")
    .option("--yes", "accepted, and without effect here");

export interface RehearseOptions {
  config?: string | undefined;
}

interface Done {
  name: string;
  ok: boolean;
  text: string;
  milliseconds: number;
}

export async function rehearse(context: Context, options: RehearseOptions): Promise<ExitCode> {
  const { ui, runner } = context;
  const config = options.config === undefined
    ? await parseConfig(example, "rehearsal.yaml")
    : (await loadConfig(options.config)).config;
  requireRehearsable(config, options.config);
  requireRoot("`crxn rehearse`");
  const overlayMtu = await bringMissing(context, config);
  await sweepLeftovers(runner);

  const identities = await identitiesFor(runner, config);
  const keys = { gateway: identities.gateway.publicKey, node: identities.node.publicKey };
  const rehearsal = rehearsalOf(config, keys, overlayMtu);
  const paint = paintFor(Deno.stderr);
  announce(ui, paint, rehearsal, options.config);

  const interruption = interruptions();
  const stage = new Stage(runner, rehearsal.places, interruption.signal);
  const findings: Findings = {};
  const steps: Done[] = [];
  const work = play(stage, rehearsal, identities, findings, recorder(ui, paint, steps));
  const error = await Promise.race([work.then(() => undefined, asError), interruption.happened]);
  const logs = error && !interruption.signal.aborted ? logsOf(stage) : [];
  const restarts = stage.daemons.flatMap(({ name, deaths }) => deaths.map((death) => ({ daemon: name, ...death })));
  const left = await takeDown(stage, work);
  interruption.end();
  ui.done();
  return report(ui, { config: options.config, rehearsal, findings, steps, error, left, logs, restarts });
}

function announce(ui: Ui, paint: Paint, rehearsal: Rehearsal, file: string | undefined): void {
  ui.say(paint.bold(`Rehearsing ${file ?? "the built-in example"} in ${rehearsal.places.length} network namespaces`));
  if (file !== undefined && rehearsal.replaced.length > 0) {
    ui.say("All of the config is used, except:");
    for (const text of rehearsal.replaced) ui.say(`  - ${text}`);
  }
}

/** Runs a step, says it when it is done, and remembers it. */
function recorder(ui: Ui, paint: Paint, steps: Done[]): Step {
  return async (name, doing, work, done) => {
    if (ui.interactive) ui.progress(`  ...  ${doing}`);
    const start = performance.now();
    const note = (ok: boolean, text: string) => {
      steps.push({ name, ok, text, milliseconds: Math.round(performance.now() - start) });
      ui.say(`  ${ok ? paint.green("ok") : paint.red("!!")}  ${name.padEnd(12)}${text}`);
    };
    try {
      const result = await work();
      note(true, done(result));
      return result;
    } catch (error) {
      note(false, `stopped while ${doing}`);
      throw error;
    }
  };
}

const logsOf = (stage: Stage): Report["logs"] =>
  stage.daemons.map((d) => ({ daemon: d.name, lines: [...d.lines] })).filter((d) => d.lines.length > 0);

/** Twice: an interrupted step may have been making something while the first round went by. */
async function takeDown(stage: Stage, work: Promise<unknown>): Promise<string[]> {
  await stage.clear();
  await work.catch(() => {});
  return await stage.close();
}

const asError = (error: unknown): Error => error instanceof Error ? error : new Error(String(error));

interface Report {
  config: string | undefined;
  rehearsal: Rehearsal;
  findings: Findings;
  steps: Done[];
  error: Error | undefined;
  left: string[];
  logs: { daemon: string; lines: string[] }[];
  restarts: ({ daemon: string } & Death)[];
}

function report(ui: Ui, { config, rehearsal, findings, steps, error, left, logs, restarts }: Report): ExitCode {
  if (error && !(error instanceof CrxnError)) throw error;
  const ok = !error && left.length === 0;
  const exit = ok ? Exit.ok : error?.exit ?? Exit.failed;
  const drawing = findings.hops?.length ? picture(findings.hops, findings.translator) : [];
  if (ui.json) {
    const { from, target, host } = rehearsal;
    const failure = error && { error: error.message, ...error.detail?.json, logs };
    const again = restarts.length > 0 ? { restarts } : {};
    const body = { ok, config: config ?? null, from, target, host, steps, ...findings, ...again, ...failure, left };
    ui.out(JSON.stringify({ schema: "crxn.rehearse/1", ...body }, null, 2));
    return exit;
  }
  if (drawing.length > 0) ui.out(["", ...drawing, ""].join("\n"));
  for (const { daemon, ended, lines } of restarts) {
    ui.say([`${daemon} ${ended} and was started again, as its unit does:`, ...shown(lines)].join("\n"));
  }
  if (error) {
    ui.say(`${paintFor(Deno.stderr).red("The rehearsal did not succeed.")} ${error.message}`);
    if (error.detail?.text) ui.say(error.detail.text.replace(/^/gm, "    "));
    for (const { daemon, lines } of logs) {
      ui.say([`Last lines of ${daemon}:`, ...shown(lines)].join("\n"));
    }
    if (error.remedy) ui.say(error.remedy);
  } else {
    ui.out(results(rehearsal, findings).join("\n"));
  }
  if (left.length > 0) ui.say(`These namespaces could not be removed: ${left.join(", ")} (ip netns delete NAME).`);
  else ui.out(`${error ? "" : "\n"}Everything is taken down again. The host's own network was not touched.`);
  if (ok) ui.out(config === undefined ? NEXT.example : NEXT.own);
  return exit;
}

/** yggdrasil's own time stamps. */
const STAMP = /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d /;

const shown = (lines: string[]): string[] => lines.map((l) => `    ${l.replace(STAMP, "")}`);

const NEXT = {
  example: "Next: `crxn init` makes a config; try it with\n      `crxn rehearse --config /etc/crxn/crxn.yaml`.",
  own: "Next: `crxn up` does the same on this machine, for good.",
};

/** Not for people: one end of the rehearsal's transfer, started inside a namespace. */
export const rehearsePeerCommand = () =>
  new Command("rehearse-peer").argument("<role>").argument("<address>").argument("<port>").argument("<bytes>");

/** Prints what its end saw, for the rehearsal to read. */
export async function rehearsePeer({ ui }: Context, args: [string, string, string, string]): Promise<ExitCode> {
  const [role, address, port, bytes] = args;
  const end = role === "listen" ? listen : connect;
  ui.out(JSON.stringify(await end(address, Number(port), Number(bytes))));
  return Exit.ok;
}
