/** The command line: parse, call, print, exit code. */

import { Command, CommanderError } from "@commander-js/extra-typings";
import { address, addressCommand } from "./commands/address.ts";
import type { Context, Options } from "./commands/context.ts";
import { doctor, doctorCommand } from "./commands/doctor.ts";
import { down, downCommand } from "./commands/down.ts";
import { init, initCommand } from "./commands/init.ts";
import { install, installCommand } from "./commands/install.ts";
import { rehearse, rehearseCommand, rehearsePeer, rehearsePeerCommand } from "./commands/rehearse.ts";
import { status, statusCommand } from "./commands/status.ts";
import { reportError, terminalUi } from "./commands/ui.ts";
import { up, upCommand } from "./commands/up.ts";
import { Exit, type ExitCode } from "./gateway/errors.ts";
import { Path } from "./gateway/names.ts";
import { SystemRunner } from "./machine/run.ts";
import settings from "./deno.json" with { type: "json" };

export const VERSION: string = settings.version;

/** @returns the exit code; prints everything that is to be said */
export async function main(args: string[]): Promise<ExitCode> {
  let exit: ExitCode = Exit.ok;
  const json = args.includes("--json");
  let name = "";
  const contextOf = (given: Partial<Options>): Context => ({
    options: { config: given.config ?? Path.config, json, yes: given.yes === true },
    ui: terminalUi(json),
    runner: new SystemRunner(),
  });
  /** Runs a command and keeps its exit code. */
  const call = async (command: string, given: Partial<Options>, body: (context: Context) => Promise<ExitCode>) => {
    name = command;
    exit = await body(contextOf(given));
  };

  const program = new Command("crxn")
    .description("Makes a Debian machine a NAT64 gateway between the IPv6 Internet and an IPv4 overlay network.")
    .version(VERSION, "--version", "print the version")
    .helpOption("--help", "show help")
    .showHelpAfterError("(`crxn --help` lists the commands)")
    .exitOverride()
    .configureOutput({ writeErr: (text) => json ? undefined : terminalUi(false).say(text.trimEnd()) });
  // deno-lint-ignore no-explicit-any
  const add = <A extends any[], O extends Record<string, unknown>>(
    command: Command<A, O>,
    body: (context: Context, options: O, args: A) => Promise<ExitCode>,
    hidden = false,
  ) => {
    command.helpOption("--help", "show help").copyInheritedSettings(program as unknown as Command);
    command.action(async (...all: unknown[]) => {
      const options = command.opts() as O;
      await call(command.name(), options as Partial<Options>, (c) => body(c, options, all.slice(0, -2) as A));
    });
    program.addCommand(command as unknown as Command, { hidden });
  };
  add(initCommand(), init);
  add(installCommand(), install);
  add(upCommand(), up);
  add(downCommand(), down);
  add(statusCommand(), status);
  add(doctorCommand(), doctor);
  add(rehearseCommand(), rehearse);
  add(addressCommand(), (c, o, [list]) => address(c, list, o));
  add(rehearsePeerCommand(), (c, _, list) => rehearsePeer(c, list), true);

  try {
    await program.parseAsync(args, { from: "user" });
    return exit;
  } catch (error) {
    if (error instanceof CommanderError) return usageError(error, json, name);
    return reportError(terminalUi(json), error, name);
  }
}

/** Commander has printed what is wrong, or the help or version that was asked for. */
function usageError(error: CommanderError, json: boolean, command: string): ExitCode {
  const asked = ["commander.helpDisplayed", "commander.version", "commander.help"].includes(error.code);
  if (asked && error.exitCode === 0) return Exit.ok;
  if (json) {
    const message = error.message.replace(/^error: /, "");
    terminalUi(true).out(
      JSON.stringify({ schema: "crxn.error/1", command, exit: Exit.usage, error: message }, null, 2),
    );
  }
  return Exit.usage;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
