/** Runs on a machine in crxn's stead, with its arguments: notes in ARGV_FILE which programs that started, and which files it read. */

import { main } from "../../main.ts";
import { type Runner, type RunOptions, SystemRunner } from "../../machine/run.ts";

export const ARGV_FILE = "/run/argv.json";

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

if (import.meta.main) {
  const code = await main(Deno.args, new Listening());
  await Deno.writeTextFile(ARGV_FILE, JSON.stringify({ calls, reads: [...reads.values()] }));
  Deno.exit(code);
}
