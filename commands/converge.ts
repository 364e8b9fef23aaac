/** Brings a machine to a list of items, or back from it: what `up`, `down` and a failed `up` have in common. */

import { compare } from "../gateway/compare.ts";
import type { Step } from "../gateway/step.ts";
import { CrxnError, Exit } from "../gateway/errors.ts";
import type { Item } from "../gateway/item.ts";
import type { Journal } from "../gateway/journal.ts";
import { inMakingOrder } from "../gateway/order.ts";
import { emptyTables, restartFormer } from "../gateway/undo.ts";
import type { Survey } from "../gateway/survey.ts";
import { act, applyAll } from "../machine/apply.ts";
import {
  clearJournal,
  noteItem,
  noteRest,
  noteSettled,
  readJournal,
  WITHOUT,
  writeUndoScript,
} from "../machine/journal.ts";
import { freeReserve } from "../machine/reserve.ts";
import type { Runner } from "../machine/run.ts";
import { questionsOf, readSurvey } from "../machine/survey.ts";
import type { Context } from "./context.ts";

/** Steps that leave only `items` of what the journal knows. */
export const takeBackSteps = (items: Item[], survey: Survey, journal: Journal): Step[] =>
  compare(items, survey, journal);

/**
 * Takes back everything in the journal that is not among `items`, all of it, whatever fails on the way.
 * @throws CrxnError 1 that lists what could not be taken back
 */
export async function takeBack(context: Context, items: Item[], onStep: (step: Step) => void): Promise<void> {
  const { runner } = context;
  // A kill may have left it.
  await freeReserve();
  const journal = await readJournal();
  const former = inMakingOrder(items);
  for (const item of former) {
    const noted = journal.entries.get(item.id)?.item;
    // What a failed run announced and did not do is not true any more.
    if (noted && JSON.stringify(noted) !== JSON.stringify(item)) await noteItem(item);
  }
  const survey = await readSurvey(runner, questionsOf(undefined, journal, former));
  const failures = await applyAll(runner, takeBackSteps(former, survey, journal), survey, onStep);
  const problems = failures.map(({ step, error }) => `${step.title}: ${describe(error)}`);
  problems.push(...await settle(runner));
  // Without anything left the journal goes as a whole.
  if (items.length > 0) {
    await noteRest().then(() => writeUndoScript()).catch((error) => problems.push(describe(error)));
  }
  if (problems.length > 0) {
    throw new CrxnError(
      Exit.failed,
      `Not everything could be taken back:\n  ${problems.join("\n  ")}`,
      `What is left is still in the journal; the next \`crxn down\` tries again. ${WITHOUT}`,
    );
  }
  if (items.length === 0) await clearJournal(await readJournal());
}

/**
 * What comes after items are gone: empty tables, and the services that ran before. The journal knows them until it is done.
 * @returns what did not work
 */
export async function settle(runner: Runner): Promise<string[]> {
  const journal = await readJournal();
  const leaving = [...journal.undone.values()];
  if (leaving.length === 0) return [];
  const survey = await readSurvey(runner, questionsOf(undefined, journal));
  const problems: string[] = [];
  for (const action of [...emptyTables(leaving, survey), ...restartFormer(leaving)]) {
    await act(runner, action).catch((error) => problems.push(describe(error)));
  }
  if (problems.length === 0) await noteSettled();
  return problems;
}

export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text = error instanceof CrxnError ? error.detail?.text : undefined;
  return text ? `${error.message} ${text}` : error.message;
}
