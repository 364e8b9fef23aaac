/** The overlay's daemon where it is not Debian's: refused before anything is touched, or fetched. */

import { Program } from "../gateway/action.ts";
import type { Config } from "../gateway/config/types.ts";
import { CrxnError, Exit } from "../gateway/errors.ts";
import { Path } from "../gateway/names.ts";
import { type Fault, reachFault, runFault, writableFault } from "../gateway/trail.ts";
import { groupId } from "../machine/files.ts";
import { startFault } from "../machine/program.ts";
import { trailOf } from "../machine/way.ts";

/** @throws CrxnError 69 when yggdrasil.service cannot run it, or somebody else than root could change it */
export async function requireDaemon({ overlay }: Config): Promise<void> {
  if (overlay.type !== "yggdrasil" || overlay.daemon === Program.yggdrasil) return;
  const group = await groupId("yggdrasil").catch(() => undefined);
  const fault = typeof overlay.daemon === "string"
    ? await faultOf(overlay.daemon, group)
    : await folderFault(Path.programs, group);
  if (fault) {
    throw new CrxnError(Exit.unavailable, `overlay.daemon: ${fault.why}`, `${fault.remedy} Nothing was changed.`);
  }
}

async function faultOf(path: string, group: number | undefined): Promise<Fault | undefined> {
  const fault = runFault(await trailOf(path), group);
  if (fault) return fault;
  const wrong = await startFault(path);
  return wrong === undefined
    ? undefined
    : { why: `${path} ${wrong}.`, remedy: `Name a program for Linux on ${Deno.build.arch}.` };
}

/** Where fetched daemons are put: the same rules hold for the folders above. */
async function folderFault(path: string, group: number | undefined): Promise<Fault | undefined> {
  const trail = await trailOf(path);
  const [end] = trail.slice(-1);
  if (end && end.type !== "folder" && end.type !== "missing") {
    return { why: `${end.path} is in the place of the folder for fetched daemons.`, remedy: "Move it away." };
  }
  return writableFault(trail) ?? reachFault(trail, group);
}
