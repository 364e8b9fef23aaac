/** A yggdrasil program, asked what it can do. */

import { Program } from "../gateway/action.ts";
import { PROBE } from "../gateway/capability.ts";
import type { DaemonSeen } from "../gateway/survey.ts";
import { readSeen } from "./files.ts";
import type { Runner } from "./run.ts";

/** As the unit does not run it as root, nor with root's powers: uid and gid of nobody (Debian Policy 9.2.2). */
const AS_NOBODY = [
  Program.setpriv,
  "--reuid=65534",
  "--regid=65534",
  "--clear-groups",
  "--no-new-privs",
  "--inh-caps=-all",
  "--bounding-set=-all",
  "--",
];

/** Without root there are no powers to lose. The program that crxn starts is setpriv(1) in any case (gateway/permissions.ts). */
const AS_ONESELF = [Program.setpriv, "--no-new-privs", "--"];

/** Has it normalise a config that holds no secret. @returns undefined when there is no such program */
export async function readDaemon(runner: Runner, path: string, root: boolean): Promise<DaemonSeen | undefined> {
  const argv = [...(root ? AS_NOBODY : AS_ONESELF), path, "-useconf", "-normaliseconf", "-json"];
  const { code, stdout, stderr } = await runner.run(argv, { stdin: PROBE, timeoutSeconds: 10 });
  if (code === 0 && stdout.trimStart().startsWith("{")) return { path, normalised: stdout };
  if (await readSeen(path) === null) return undefined;
  const said = (stderr.trim() || stdout.trim()).split("\n")[0] ?? "";
  return { path, error: code === 124 ? "it did not end in time" : said || `it ended with code ${code}` };
}
