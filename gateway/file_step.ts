/** The step that writes a file, and keeps what somebody else has made of it. Pure. */

import type { Action } from "./action.ts";
import { makeCommands } from "./commands.ts";
import type { FileItem } from "./item.ts";
import { editedName, ownContents } from "./edited.ts";
import type { Journal } from "./journal.ts";
import type { Step } from "./step.ts";
import type { Survey } from "./survey.ts";

/** Of the journal only what was made matters here. */
export type Known = Pick<Journal, "entries"> & Partial<Journal>;

/** @param live what tells a running daemon of the change, so that it goes on */
export function fileStep(item: FileItem, survey: Survey, journal: Known, live: Action[] = []): Step {
  const there = survey.files[item.path];
  const kept = keptAs(item, survey, journal);
  return {
    title: `${there ? "change" : "write"} ${item.path}${
      kept ? `, which somebody has edited: that is kept as ${kept}` : ""
    }`,
    item,
    actions: [...(kept ? [{ do: "keep" as const, path: item.path, as: kept }] : []), ...makeCommands(item), ...live],
    ...(item.filledBy === undefined
      ? { diff: { path: item.path, before: there?.content ?? "", after: item.content, secret: item.secret === true } }
      : {}),
  };
}

/**
 * Where somebody's version of a file of ours goes: it is neither what we wrote nor what was there before us. What others have
 * in a file that we only edit (it holds secrets, and their settings stay) is not lost.
 */
function keptAs(item: FileItem, { files }: Survey, { entries }: Known): string | undefined {
  const [there, ours] = [files[item.path], entries.get(item.id)];
  if (!there?.content || item.secret || ours?.item.kind !== "file") return undefined;
  return [...ownContents(ours), item.content].includes(there.content) ? undefined : editedName(item.path, there);
}
