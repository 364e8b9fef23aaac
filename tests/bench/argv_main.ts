/** Runs on a machine instead of crxn: reads it as doctor does, and prints which programs that took, and which files. */

import { loadConfig, type LoadedConfig } from "../../commands/context.ts";
import { askRoutes } from "../../machine/route_answers.ts";
import { legsOf } from "../../checks/legs.ts";
import { readInput } from "../../commands/doctor_input.ts";
import { terminalUi } from "../../commands/ui.ts";
import { Path } from "../../gateway/names.ts";
import { type Runner, type RunOptions, SystemRunner } from "../../machine/run.ts";

const calls: { argv: string[]; stdin?: string }[] = [];

class Listening extends SystemRunner implements Runner {
  override run(argv: string[], options: RunOptions = {}) {
    calls.push({ argv, ...(typeof options.stdin === "string" ? { stdin: options.stdin } : {}) });
    return super.run(argv, options);
  }
}

const context = {
  options: { config: Path.config, json: true, yes: false },
  ui: terminalUi(true),
  runner: new Listening(),
};
const loaded: LoadedConfig = await loadConfig(Path.config);
const input = await readInput(context, loaded);
await askRoutes(context.runner, legsOf(input).map((leg) => leg.flow));
const { survey } = input;
const files = [Path.config, ...Object.keys(survey.files).filter((path) => survey.files[path])];
console.log(JSON.stringify({ calls, files }));
