/** Brings a machine to a list of items, or back from it: what `up`, `down` and a failed `up` have in common. */

import { compare, takenPlaces } from "../gateway/compare.ts";
import { devicesUnder } from "../gateway/devices_under.ts";
import type { Step } from "../gateway/step.ts";
import { CrxnError, Exit } from "../gateway/errors.ts";
import type { Item } from "../gateway/item.ts";
import type { Entry, Journal } from "../gateway/journal.ts";
import { inMakingOrder } from "../gateway/order.ts";
import { emptyTables, type Left, restartFormer } from "../gateway/undo.ts";
import { type Heard, silentFor } from "../gateway/silence.ts";
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
import { questionsOf, readLeft, readSurvey } from "../machine/survey.ts";
import type { Context } from "./context.ts";

/** Seconds between two looks at a machine that gave no answer. */
const PAUSE = 2;

/**
 * Reads what taking back goes by. What a busy machine does not answer would pass for gone: then nothing is done, and the
 * journal stays.
 * @param goingBackTo items that stay, or come again
 * @throws CrxnError 1 when it gives no answer three times
 */
export function readToTakeBack(runner: Runner, journal: Journal, goingBackTo: Item[] = []): Promise<Survey> {
  const known = [...journal.entries.values(), ...journal.undone.values()].map(({ item }) => item);
  return untilHeard([...known, ...goingBackTo], () => readSurvey(runner, questionsOf(undefined, journal, goingBackTo)));
}

async function untilHeard<T extends Heard>(items: Item[], read: () => Promise<T>): Promise<T> {
  for (let tries = 3;; tries--) {
    const survey = await read();
    const silent = silentFor(items, survey);
    if (silent.length === 0) return survey;
    if (tries <= 1) {
      throw new CrxnError(
        Exit.failed,
        `This machine could not be read: ${silent.join("; ")}.`,
        `What was made is still in the journal: try \`crxn down\` again when the machine is less busy. ${WITHOUT}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE * 1000));
  }
}

/**
 * Steps that leave only `items` of what the journal knows. An item in whose place is something of somebody else's by now is
 * left out, with what would be on it: it must not keep the others from coming back.
 */
export function takeBackSteps(items: Item[], survey: Survey, journal: Journal): Step[] {
  const places = takenPlaces(items, survey, journal).map(({ item }) => item);
  if (places.length === 0) return compare(items, survey, journal);
  const devices = places.flatMap((item) => item.kind === "link" ? [item.name] : []);
  const isOn = (item: Item) => devicesUnder(item).some((device) => devices.includes(device));
  const taken = new Set([...places, ...items.filter(isOn)].map(({ id }) => id));
  const entries = new Map([...journal.entries].filter(([id]) => !taken.has(id)));
  return compare(items.filter(({ id }) => !taken.has(id)), survey, { ...journal, entries });
}

/**
 * Takes back everything in the journal that is not among `items`, all of it, whatever fails on the way.
 * @param seen the machine as {@linkcode readToTakeBack} has read it just now
 * @returns what has not come back because something that is not crxn's is in its place, in words
 * @throws CrxnError 1 that lists what could not be taken back
 */
export async function takeBack(
  context: Context,
  items: Item[],
  onStep: (step: Step) => void,
  seen?: Survey,
): Promise<string[]> {
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
  const survey = seen ?? await readToTakeBack(runner, journal, former);
  const taken = takenPlaces(former, survey, journal).map(({ item, how }) => `${item.id}: ${how}`);
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
  return taken;
}

/** The unit that did something before crxn, whose package may have gone since. */
const unitAgain = ({ item, before: { unit } }: Entry): string[] =>
  "unit" in item && typeof item.unit === "string" && (unit?.enabled === "enabled" || unit?.active === "active")
    ? [item.unit]
    : [];

/** Kinds of items after which something comes. */
const SETTLED: Item["kind"][] = ["chain", "service", "unwanted"];

/**
 * What comes after items are gone: empty tables, and the services that ran before. The journal knows them until it is done.
 * @returns what did not work
 */
export async function settle(runner: Runner): Promise<string[]> {
  const journal = await readJournal();
  const leaving = [...journal.undone.values()];
  if (leaving.length === 0) return [];
  let survey: Left;
  try {
    survey = await untilHeard(
      leaving.map(({ item }) => item).filter(({ kind }) => SETTLED.includes(kind)),
      () => readLeft(runner, { ...questionsOf(undefined, journal), units: leaving.flatMap(unitAgain) }),
    );
  } catch (error) {
    return [describe(error)];
  }
  const problems: string[] = [];
  for (const action of [...emptyTables(leaving, survey), ...restartFormer(leaving, survey)]) {
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
