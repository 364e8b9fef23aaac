/** The command line: parse, call, print, exit code. */

import { Command, CommanderError, type OutputConfiguration } from "@commander-js/extra-typings";
import type { Context, Options } from "./context.ts";
import { columns, put, reportError, shownAs, terminalUi } from "./ui.ts";
import { Exit, type ExitCode } from "../gateway/errors.ts";
import { Path } from "../gateway/names.ts";
import type { Runner } from "../machine/run.ts";
import { versionLine } from "./version.ts";

// deno-lint-ignore no-explicit-any
type Add = <A extends any[], O extends Record<string, unknown>>(
  command: Command<A, O>,
  body: (context: Context, options: O, args: A) => Promise<ExitCode>,
  hidden?: boolean,
) => void;

/** What the help says of a command, and where it is. Each is loaded only when it is called: what it is made of takes time to load. */
interface Listed {
  /** Missing for one that nobody but crxn itself calls. */
  summary?: string;
  load: (add: Add) => Promise<void>;
}

/**
 * What most of the others load anyway. In parts, so that in between it is heard what programs have answered, and the next are
 * started (machine/ahead.ts).
 */
async function inParts<T>(rest: () => Promise<T>): Promise<T> {
  await import("../gateway/config/parse.ts");
  await import("./context.ts");
  return await rest();
}

/** In the order of the help. */
const COMMANDS: Record<string, Listed> = {
  "init": {
    summary: "ask for what the machine does not tell, and write the config",
    load: (add) => import("./init.ts").then((m) => add(m.initCommand(), m.init)),
  },
  "install": {
    summary: "install the packages that the config needs",
    load: (add) => import("./install.ts").then((m) => add(m.installCommand(), m.install)),
  },
  "up": {
    summary: "make this machine what the config says",
    load: (add) => inParts(() => import("./up.ts")).then((m) => add(m.upCommand(), m.up)),
  },
  "down": {
    summary: "take it all back",
    load: (add) => import("./down.ts").then((m) => add(m.downCommand(), m.down)),
  },
  "confirm": {
    summary: "keep what `up --confirm` did",
    load: (add) => import("./confirm.ts").then((m) => add(m.confirmCommand(), m.confirm)),
  },
  "status": {
    summary: "one look at the gateway",
    load: (add) => inParts(() => import("./status.ts")).then((m) => add(m.statusCommand(), m.status)),
  },
  "doctor": {
    summary: "find what is broken, say why and how to mend it",
    load: (add) => inParts(() => import("./doctor.ts")).then((m) => add(m.doctorCommand(), m.doctor)),
  },
  "logs": {
    summary: "what all daemons of the gateway logged, in one",
    load: (add) => import("./logs.ts").then((m) => add(m.logsCommand(), m.logs)),
  },
  "report": {
    summary: "a text with all that others need to help, without secrets",
    load: (add) => import("./report.ts").then((m) => add(m.reportCommand(), m.report)),
  },
  "rehearse": {
    summary: "try the whole gateway in throw-away network namespaces",
    load: (add) => import("./rehearse.ts").then((m) => add(m.rehearseCommand(), m.rehearse)),
  },
  "address": {
    summary: "convert between overlay and IPv6 addresses (RFC 6052)",
    load: (add) => import("./address.ts").then((m) => add(m.addressCommand(), (c, o, [list]) => m.address(c, list, o))),
  },
  "completions": {
    summary: "print a script with which a shell completes crxn",
    load: (add) =>
      import("./completions.ts").then((m) => add(m.completionsCommand(), (c, _, [shell]) => m.completions(c, shell))),
  },
  "rehearse-peer": {
    load: (add) =>
      import("./rehearse.ts").then((m) => add(m.rehearsePeerCommand(), (c, _, list) => m.rehearsePeer(c, list), true)),
  },
};

/** Without the streams of node:process, which commander takes by itself: they would have to be made first. */
const outputOf = (json: boolean): OutputConfiguration => ({
  writeOut: (text) => put(shownAs(text)),
  writeErr: (text) => json ? undefined : terminalUi(false).say(text.trimEnd()),
  getOutHelpWidth: () => widthOf(Deno.stdout),
  getErrHelpWidth: () => widthOf(Deno.stderr),
  // Nothing in it has any.
  getOutHasColors: () => false,
  getErrHasColors: () => false,
});

/** What goes into a file or a pipe is as wide as anywhere. */
const widthOf = (stream: { isTerminal(): boolean }): number => stream.isTerminal() ? columns() : 80;

/** The command line without its commands. */
const bare = () =>
  new Command("crxn")
    .description("Makes a Debian machine a NAT64 gateway between the IPv6 Internet and an IPv4 overlay network.")
    .version(versionLine(), "--version", "print version and commit")
    .helpOption("--help", "show help");

/** The whole command line as the help has it, nothing of which can be called: completions and man pages come from it. */
export async function commandLine(): Promise<Command> {
  const program = bare();
  for (const { summary, load } of Object.values(COMMANDS)) {
    if (!summary) continue;
    await load((command) => {
      program.addCommand(command.summary(summary).helpOption("--help", "show help") as unknown as Command);
    });
  }
  return program as unknown as Command;
}

/** @returns the exit code; prints everything that is to be said */
export async function run(args: string[], runner: Runner): Promise<ExitCode> {
  let exit: ExitCode = Exit.ok;
  const json = args.includes("--json");
  let name = "";
  const contextOf = (given: Partial<Options>): Context => ({
    options: {
      config: given.config ?? Path.config,
      json,
      yes: given.yes === true,
      ...(given.wait ? { wait: given.wait } : {}),
    },
    ui: terminalUi(json),
    runner,
  });
  /** Runs a command and keeps its exit code. */
  const call = async (command: string, given: Partial<Options>, body: (context: Context) => Promise<ExitCode>) => {
    name = command;
    exit = await body(contextOf(given));
  };

  const program = bare()
    .showHelpAfterError("(`crxn --help` lists the commands)")
    .exitOverride()
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .configureOutput(outputOf(json));
  const add: Add = (command, body, hidden = false) => {
    command.helpOption("--help", "show help").copyInheritedSettings(program as unknown as Command);
    command.action(async (...all: unknown[]) => {
      const options = command.opts();
      // deno-lint-ignore no-explicit-any
      await call(command.name(), options, (c) => body(c, options, all.slice(0, -2) as any));
    });
    program.addCommand(command as unknown as Command, { hidden });
  };
  const [first = "", second = ""] = args;
  const called = first === "help" ? second : first;
  if (Object.hasOwn(COMMANDS, called)) await COMMANDS[called]!.load(add);
  // An option in front of the command.
  else if (args.some((word) => Object.hasOwn(COMMANDS, word))) {
    for (const { load } of Object.values(COMMANDS)) await load(add);
  } else {for (const [name, { summary }] of Object.entries(COMMANDS)) {
      if (summary) program.command(name).summary(summary);
    }}

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
