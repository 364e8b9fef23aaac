/** `crxn report`: all that somebody needs to help, in one text, without any secret. */

import { Command } from "@commander-js/extra-typings";
import { Hider } from "../gateway/hide.ts";
import { Exit, type ExitCode } from "../gateway/errors.ts";
import { redact } from "../gateway/redact.ts";
import { fillNew } from "../machine/new_file.ts";
import type { Context } from "./context.ts";
import { ipv4, lineCount, withCommon } from "./options.ts";
import { gather } from "./report_data.ts";
import { type Report, reportText, withStrings } from "./report_text.ts";
import { harmlessJson } from "./ui.ts";

export const reportCommand = () =>
  withCommon(
    new Command("report")
      .description(
        "Prints what somebody needs to help: versions, config, status, doctor's findings, what `up` would do, addresses,\n" +
          "routes, rules, units and logs. Passwords and private keys are left out; read it before you hand it on.",
      )
      .option("--output <file>", "write it to a new file (mode 0600) instead of stdout")
      .option(
        "--hide-addresses",
        "exchange public addresses, names of hosts and keys, each for the same one every time",
      )
      .option("--target <ipv4>", "a host in the overlay for doctor to ping", ipv4)
      .option("--lines <number>", "so many lines of the logs", lineCount, 200),
    { yes: false },
  );

export interface ReportOptions {
  output?: string | undefined;
  hideAddresses?: true | undefined;
  target?: string | undefined;
  lines: number;
}

export async function report(context: Context, options: ReportOptions): Promise<ExitCode> {
  const { ui } = context;
  if (options.output === undefined) {
    ui.out(await reportOf(context, options));
    return Exit.ok;
  }
  await fillNew(options.output, async () => await reportOf(context, options) + "\n");
  ui.say(`${options.output} has it. Read it before you hand it on.`);
  return Exit.ok;
}

async function reportOf(context: Context, options: ReportOptions): Promise<string> {
  const { ui } = context;
  ui.progress("reading the machine, and sending a probe");
  const { report, known, keys, names } = await gather(context, options);
  ui.done();
  const shown = shareable(report, new Set(known), options.hideAddresses ? new Hider(keys, names) : undefined);
  return ui.json ? harmlessJson(JSON.stringify(shown, null, 2)) : reportText(shown);
}

/** Every text of it without secrets, and without who it is about if that is wanted. Versions are nobody's address. */
export function shareable(report: Report, known: ReadonlySet<string>, hider?: Hider): Report {
  const clean = withStrings(report, (text) => redact(text, known));
  if (!hider) return clean;
  return { ...withStrings(clean, (text) => hider.hide(text)), versions: clean.versions, hidden: true };
}
