/** crxn. What a command will ask of the machine in any case is asked before the rest is loaded, the command line included. */

import type { ExitCode } from "./gateway/errors.ts";
import { AheadRunner, questionsOf } from "./machine/ahead.ts";
import { type Runner, SystemRunner } from "./machine/run.ts";

/** @returns the exit code; prints everything that is to be said */
export async function main(args: string[], runner: Runner = new SystemRunner()): Promise<ExitCode> {
  const { run } = await import("./commands/program.ts");
  return await run(args, runner);
}

if (import.meta.main) {
  const runner = new AheadRunner();
  runner.ask(questionsOf(Deno.args));
  Deno.exit(await main(Deno.args, runner));
}
