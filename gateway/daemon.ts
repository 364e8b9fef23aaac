/** The overlay's daemon when it is not Debian's: where it is, how it is brought, when it goes. Pure. */

import type { Step } from "./step.ts";
import type { Config, Daemon } from "./config/types.ts";
import { type FileItem, type Item, type LinkItem, type ProgramItem, programItem, type ServiceItem } from "./item.ts";
import type { Fetched, Journal } from "./journal.ts";
import { dropInPath, Path } from "./names.ts";
import type { State } from "./state.ts";
import type { Survey } from "./survey.ts";

/** Where the daemon is, or will be. Another sum is another path, so the one that runs is never written over. */
export const daemonPath = (daemon: Daemon): string =>
  typeof daemon === "string" ? daemon : `${Path.programs}/yggdrasil-${daemon.sha256.slice(0, 12)}`;

/** The programs that `install` has to fetch. */
export function programItems({ overlay }: Config): ProgramItem[] {
  if (overlay.type !== "yggdrasil" || typeof overlay.daemon === "string") return [];
  return [programItem(daemonPath(overlay.daemon), overlay.daemon)];
}

export function seeProgram(item: ProgramItem, survey: Survey): State {
  const seen = survey.programs?.[item.path];
  if (seen === undefined) return { is: "unknown", how: "not looked at" };
  if (seen === null) return { is: "absent" };
  const { type, sha256, mode, uid, gid, recorded } = seen;
  const differs = (how: string): State => ({ is: "differs", how });
  if (type === "folder") return { is: "foreign", how: "it is a folder" };
  if (type === "other") return differs("it is not a plain file");
  if (sha256 === undefined) return { is: "unknown", how: "not readable" };
  if (!recorded) {
    // The sum of a binary is that of its download; of what is in a .deb only the journal knows it.
    if (!survey.root) {
      return sha256 === item.sha256
        ? { is: "present" }
        : { is: "unknown", how: "crxn's journal may be read by root only" };
    }
    return differs("crxn's journal does not know it");
  }
  if (recorded.sha256 !== item.sha256) return differs("it comes from another download");
  if (recorded.program !== sha256) {
    return differs(`its SHA-256 is ${sha256}, not ${recorded.program} as crxn put it there`);
  }
  if (uid !== 0 || gid !== 0) return differs(`it belongs to ${uid}:${gid}, not to root`);
  return mode === 0o755 ? { is: "present" } : differs(`mode ${mode.toString(8)}, not 755`);
}

/** Fetching is a step of its own, done before anything else. */
export function fetchStep({ path, url, sha256 }: ProgramItem, state: State): Step {
  const again = state.is === "differs" ? ` once more, for the file there is not crxn's: ${state.how}` : "";
  return { title: `fetch ${url}, SHA-256 ${sha256}, as ${path}${again}`, fetch: { path, url, sha256 }, actions: [] };
}

/** What crxn has fetched and the items do not use (any more): it goes last, when nothing runs it. */
export const leftoverPrograms = (items: Item[], journal: Journal): Step[] =>
  [...journal.fetched.values()]
    .filter(({ path }) =>
      !items.some((i) => (i.kind === "program" && i.path === path) || (i.kind === "service" && i.program === path))
    )
    .map(removeProgramStep);

/** @returns the step that removes it, and the folder with the last one */
export const removeProgramStep = ({ path, url }: Fetched): Step => ({
  title: `remove ${path}, which came from ${url}`,
  forgets: path,
  // A kill may have left half of one beside it.
  actions: [{ do: "remove", path }, { do: "remove", path: `${path}.crxn-new` }, { do: "rmdir", path: Path.programs }],
});

/**
 * Whether another program is going to hold the device. yggdrasil 0.5 has the kernel leave checksums to it (TUNSETOFFLOAD),
 * and a device that stays keeps that: under a 0.4 every UDP and TCP packet would go out with a wrong one.
 */
export function isTakenOver({ holder }: LinkItem, items: Item[], states: Map<string, State>, survey: Survey): boolean {
  if (!holder) return false;
  const dropIn = items.find((i): i is FileItem => i.kind === "file" && i.path === dropInPath(holder));
  const service = items.find((i): i is ServiceItem => i.kind === "service" && i.unit === holder);
  const runs = (text = "") => text.split("\n").filter((line) => line.startsWith("ExecStart=")).join("\n");
  const before = dropIn && survey.files[dropIn.path];
  if (before != null && runs(before.content) !== runs(dropIn!.content)) return true;
  // A fetched one is always the same under its path; one of the operator's own may be another version now.
  const fetched = items.some((i) => i.kind === "program" && i.path === service?.program);
  const state = service && states.get(service.id);
  return service?.program !== undefined && !fetched && state?.is === "differs" &&
    state.how === runsWithOlder(service.program);
}

/** What a service that has to be started again is said to do. */
export const runsWithOlder = (path: string): string => `it runs with an older ${path}`;
