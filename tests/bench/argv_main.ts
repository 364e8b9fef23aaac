/** Runs on a machine instead of crxn: reads it as doctor does, and prints which programs that took, and which files. */

import { loadConfig, type LoadedConfig } from "../../commands/context.ts";
import { askRoutes } from "../../machine/route_answers.ts";
import { legsOf } from "../../checks/legs.ts";
import { readInput } from "../../commands/doctor_input.ts";
import { terminalUi } from "../../commands/ui.ts";
import { Path } from "../../gateway/names.ts";
import { type Runner, type RunOptions, SystemRunner } from "../../machine/run.ts";

const PLAINLY = {
  readTextFile: "cat",
  readFile: "cat",
  readDir: "ls",
  readLink: "readlink",
  stat: "stat",
  lstat: "stat",
};

const calls: { argv: string[]; stdin?: string }[] = [];

class Listening extends SystemRunner implements Runner {
  override run(argv: string[], options: RunOptions = {}) {
    calls.push({ argv, ...(typeof options.stdin === "string" ? { stdin: options.stdin } : {}) });
    return super.run(argv, options);
  }
}

/** Each file, folder or link that was there, with the plain command that shows it. */
const reads = new Map<string, string[]>();
for (const [name, command] of Object.entries(PLAINLY)) {
  const read = Deno[name as keyof typeof PLAINLY] as (path: string | URL, ...rest: unknown[]) => unknown;
  Object.defineProperty(Deno, name, {
    value: (path: string | URL, ...rest: unknown[]) => {
      const answer = read.call(Deno, path, ...rest);
      const note = () => void reads.set(`${command} ${path}`, [command, String(path)]);
      if (answer instanceof Promise) answer.then(note, () => {});
      else note();
      return answer;
    },
  });
}

const context = {
  options: { config: Path.config, json: true, yes: false },
  ui: terminalUi(true),
  runner: new Listening(),
};
const loaded: LoadedConfig = await loadConfig(Path.config);
const input = await readInput(context, loaded);
await askRoutes(context.runner, legsOf(input).map((leg) => leg.flow));
console.log(JSON.stringify({ calls, reads: [...reads.values()] }));
