/** `crxn status`: one look at the gateway. */

import { Command } from "@commander-js/extra-typings";
import { CHECKS } from "../checks/list.ts";
import { runChecks } from "../checks/run.ts";
import { confirmJson } from "../gateway/confirm.ts";
import { CrxnError, Exit, type ExitCode } from "../gateway/errors.ts";
import { readPending } from "../machine/confirm.ts";
import { bareReason, nothingHere } from "./bare.ts";
import { type Context, loadConfig, type LoadedConfig, requireRoot } from "./context.ts";
import { readInput } from "./doctor_input.ts";
import { withCommon } from "./options.ts";
import { openScreen, type Screen } from "./screen.ts";
import { type Status, statusOf } from "./status_data.ts";
import { statusLines } from "./status_output.ts";
import { harmlessJson, paintFor, put, shownAs } from "./ui.ts";

/** Milliseconds from one look to the next. */
const INTERVAL = 1000;

export const statusCommand = () =>
  withCommon(
    new Command("status")
      .description(
        "Shows the path with the state and the packet counters of each hop, services, peers and the pool.\n" +
          "Exit code: 0 up, 1 degraded, 3 not up.",
      )
      .option("--watch", "look again every second, until Ctrl-C")
      .option("--prometheus", "print metrics in Prometheus' text format")
      .option("--output <file>", "write the metrics to a file instead, at once as a whole (mode 0644)"),
    { yes: false },
  );

export interface StatusOptions {
  watch?: true | undefined;
  prometheus?: true | undefined;
  output?: string | undefined;
}

export async function status(context: Context, options: StatusOptions): Promise<ExitCode> {
  const { ui } = context;
  if (options.prometheus && (options.watch || ui.json)) {
    throw new CrxnError(Exit.usage, "--prometheus is a format of its own.", "Leave out --watch and --json.");
  }
  if (options.output !== undefined && !options.prometheus) {
    throw new CrxnError(Exit.usage, "--output is for metrics.", "Add --prometheus.");
  }
  if (options.output !== undefined) requireRoot("`crxn status --output`");
  const { metricsText, NOTHING } = options.prometheus ? await import("./metrics.ts") : {};
  if (await nothingHere(context.options.config)) {
    const reason = bareReason(context.options.config);
    if (metricsText) return await handOut(metricsText(NOTHING!), options.output, Exit.notUp);
    ui.out(ui.json ? JSON.stringify({ schema: "crxn.status/1", state: "down", reason }, null, 2) : reason);
    return Exit.notUp;
  }
  const loaded = await loadConfig(context.options.config);
  if (options.watch) return await watch(context, loaded);
  const seen = await look(context, loaded);
  if (metricsText) return await handOut(metricsText(seen), options.output, exitOf(seen));
  ui.out(ui.json ? JSON.stringify(seen, null, 2) : textOf(seen));
  return exitOf(seen);
}

/** Metrics to stdout, as they are: labels may be in any language. Into a file it is the writing that succeeds. */
async function handOut(text: string, file: string | undefined, exit: ExitCode): Promise<ExitCode> {
  if (file === undefined) {
    put(`${Deno.stdout.isTerminal() ? shownAs(text) : text}\n`);
    return exit;
  }
  const { writeMetrics } = await import("../machine/metrics_file.ts");
  await writeMetrics(file, `${text}\n`);
  return Exit.ok;
}

/** What status asks: all that sends no packets. */
export const WITHOUT_PROBE = new Set(CHECKS.map((c) => c.id).filter((id) => id !== "probe"));

async function look(context: Context, loaded: LoadedConfig): Promise<Status> {
  const input = await readInput(context, loaded);
  const seen = statusOf(input, runChecks(CHECKS, input, WITHOUT_PROBE));
  const pending = readPending();
  return pending ? { ...seen, confirm: confirmJson(pending) } : seen;
}

const textOf = (seen: Status) => statusLines(seen, paintFor(Deno.stdout), Date.now()).join("\n");

const exitOf = ({ state }: Status): ExitCode => ({ up: Exit.ok, degraded: Exit.failed, down: Exit.notUp })[state];

/** Ends at Ctrl-C, at SIGTERM, or when nobody reads any more, with the exit code of the last look. */
async function watch(context: Context, loaded: LoadedConfig): Promise<ExitCode> {
  let wake = () => {};
  let ended = false;
  const end = () => {
    ended = true;
    wake();
  };
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) Deno.addSignalListener(signal, end);
  const screen = context.ui.json ? undefined : openScreen(Deno.stdout);
  let exit: ExitCode = Exit.notUp;
  try {
    while (!ended) {
      const seen = await look(context, loaded);
      exit = exitOf(seen);
      if (!show(context, seen, screen)) break;
      if (ended) break;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, INTERVAL);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  } finally {
    screen?.close();
    for (const signal of signals) Deno.removeSignalListener(signal, end);
  }
  return exit;
}

/** @returns false when stdout is closed */
function show({ ui }: Context, seen: Status, screen: Screen | undefined): boolean {
  if (ui.json) return put(`${harmlessJson(JSON.stringify(seen))}\n`);
  const page = shownAs(textOf(seen));
  return screen ? screen.show(page) : put(`${page}\n\n`);
}
