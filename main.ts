/** crxn. What a command will ask of the machine in any case is asked before the rest is loaded, the command line included. */

import { Exit, type ExitCode } from "./gateway/errors.ts";
import type { AheadRunner } from "./machine/ahead.ts";
import { LOOKING } from "./machine/looking.ts";
import type { Runner } from "./machine/run.ts";

/** @returns the exit code; prints everything that is to be said */
export async function main(args: string[], runner?: Runner): Promise<ExitCode> {
  const { run } = await import("./commands/program.ts");
  return await run(args, runner ?? new (await import("./machine/run.ts")).SystemRunner());
}

/** @returns undefined for a command that asks nothing */
export async function asking(args: string[]): Promise<AheadRunner | undefined> {
  if (!LOOKING.includes(args[0] ?? "")) return undefined;
  const { AheadRunner, questionsOf } = await import("./machine/ahead.ts");
  const runner = new AheadRunner();
  runner.ask(questionsOf(args));
  return runner;
}

/** A whole run: ends the process. */
export async function start(args: string[]): Promise<never> {
  // Of what never comes to its end.
  Deno.exitCode = Exit.bug;
  Deno.exit(await main(args, await asking(args)));
}

// Not awaited: all this is a script as well (.ci/start.ts), and that can wait for nothing here.
if (import.meta.main) start(Deno.args);
