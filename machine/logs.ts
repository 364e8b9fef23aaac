/** journalctl(1): what units said. */

import { Program } from "../gateway/action.ts";
import type { Runner } from "./run.ts";

/**
 * The last lines of a unit's log, without time stamps; empty when there is none.
 * @param since milliseconds since the epoch
 */
export async function unitLogs(runner: Runner, unit: string | undefined, lines = 15, since = 0): Promise<string> {
  if (!unit) return "";
  const { code, stdout } = await runner.run([
    Program.journalctl,
    "--no-pager",
    "--quiet",
    "--output=cat",
    `--lines=${lines}`,
    `--unit=${unit}`,
    ...(since > 0 ? [`--since=@${Math.floor(since / 1000)}`] : []),
  ]);
  return code === 0 ? stdout.trimEnd() : "";
}
