/** Does the steps in their order: the only place that changes a machine. Each change is in the journal before it is made. */

import type { Action } from "../gateway/action.ts";
import type { Item } from "../gateway/item.ts";
import type { Journal } from "../gateway/journal.ts";
import { OWN_PROTOCOL } from "../gateway/names.ts";
import { routesAt, see } from "../gateway/see.ts";
import type { State } from "../gateway/state.ts";
import { linesDone, type Row, rowsOf } from "../gateway/rows.ts";
import type { Step } from "../gateway/step.ts";
import type { Survey } from "../gateway/survey.ts";
import { fromBase64 } from "./base64.ts";
import { groupId, keepBeside, moveBack, remove, removeIfEmpty, removeTree, setAge, writeAtomically } from "./files.ts";
import { noteRemoved, noteTogether, noteUndone, writeUndoScript } from "./journal.ts";
import { freeReserve, holdReserve } from "./reserve.ts";
import { Aside, goesAside } from "./aside.ts";
import { must, type Runner } from "./run.ts";
import { Switching } from "./switching.ts";

export async function act(runner: Runner, action: Action): Promise<void> {
  switch (action.do) {
    case "run": {
      const { argv, stdin, also, timeoutSeconds } = action;
      await must(runner, argv, {
        ...(stdin === undefined ? {} : { stdin }),
        ...(also ? { also } : {}),
        timeoutSeconds: timeoutSeconds ?? 120,
      });
      return;
    }
    case "write":
      return await writeAtomically(action.path, action.content, {
        mode: action.mode,
        ...(action.group ? { gid: await groupId(action.group) } : {}),
      });
    case "keep":
      return await keepBeside(action.path, action.as);
    case "restore":
      await writeAtomically(action.path, fromBase64(action.base64), action);
      return action.modified === undefined ? undefined : await setAge(action.path, action.modified);
    case "age":
      return await setAge(action.path, action.modified);
    case "remove":
      return await remove(action.path);
    case "rmdir":
      return await removeIfEmpty(action.path);
    case "removeTree":
      return await removeTree(action.path);
    case "moveBack":
      return await moveBack(action.from, action.to);
  }
}

/**
 * Stops at the first step that fails, and throws its error.
 * @param survey how the machine is before the first step: what the journal notes is taken from it
 * @param gateway all that the gateway consists of: a unit that is started makes more of it than there are steps for
 */
export async function apply(
  runner: Runner,
  steps: Step[],
  survey: Survey,
  onStep: (step: Step, index: number) => void,
  gateway: Item[] = [],
): Promise<void> {
  const items = steps.flatMap(({ item }) => item ? [item] : []);
  if (items.length === 0) return await applyInOrder(runner, steps, survey, onStep, new Set());
  const made = [...madeAlong(items, gateway, survey), ...steps.flatMap(({ notes }) => notes ?? [])];
  const known = await writeUndoScript([...new Set([...items, ...made])].map((item) => ({ item, survey })));
  await holdReserve(
    items.reduce((sum, i) => sum + (i.kind === "file" ? survey.files[i.path]?.content?.length ?? 0 : 0), 0),
  );
  // A unit that is started anew makes these before their own turn comes: a kill in between must not leave them unknown.
  await noteTogether(made, survey, known);
  try {
    await applyInOrder(runner, steps, survey, onStep, new Set(made), known);
  } finally {
    await freeReserve();
  }
}

/**
 * @param noted items that the journal knows already as they were before
 * @param known what else it knows
 */
async function applyInOrder(
  runner: Runner,
  steps: Step[],
  survey: Survey,
  onStep: (step: Step, index: number) => void,
  noted: Set<Item>,
  known?: Journal,
): Promise<void> {
  let index = 0;
  const noteAhead = async (items: Item[]) => {
    const fresh = items.filter((item) => !known?.entries.has(item.id) && !noted.has(item));
    await noteTogether(fresh.map((item) => item.kind === "service" ? { ...item, ahead: true } : item), survey, known);
  };
  const work = workOf(runner, steps, survey, noteAhead, noted, known);
  try {
    for (const row of rowsOf(steps)) {
      const first = index;
      const told = (i: number) => onStep(row.steps[i]!, first + i);
      row.steps.forEach((_, i) => told(i));
      // Of many the one that fails is told once more: it is the one to be named.
      await applyRow(work, row, { again: told });
      index += row.steps.length;
    }
    await work.aside.end();
  } finally {
    await work.aside.quietly();
  }
}

/** What the steps of one walk have in common. */
interface Work {
  runner: Runner;
  survey: Survey;
  noted: Set<Item>;
  known: Journal | undefined;
  switching: Switching;
  aside: Aside;
}

const workOf = (
  runner: Runner,
  steps: Step[],
  survey: Survey,
  noteAhead: (items: Item[]) => Promise<void>,
  noted: Set<Item> = new Set(),
  known?: Journal,
): Work => ({ runner, survey, noted, known, switching: new Switching(runner, steps, noteAhead), aside: new Aside() });

/** Items of the steps, and absent ones that a unit makes when a step starts it: those are noted before anything is done. */
function madeAlong(items: Item[], gateway: Item[], survey: Survey): Item[] {
  const starts = items.some(({ kind }) => kind === "service");
  const ids = new Set(items.map(({ id }) => id));
  const lacks = (item: Item) =>
    (MADE_BY_UNITS[item.kind] ?? []).includes(see(item, survey).is) || isOthersRoute(item, survey);
  const along = gateway.filter((item) => starts && !ids.has(item.id) && lacks(item));
  return [...items.filter((item) => isNotedAhead(item, survey)), ...along];
}

/**
 * Each line of the journal waits for the disk: what shows whether it has been made needs no line of its own. Kernel parameters are
 * set by a file of crxn's too, when a reboot comes in between: how they were before is known then already.
 */
function isNotedAhead(item: Item, survey: Survey): boolean {
  if (item.kind === "chain" || item.kind === "table") return see(item, survey).is === "absent";
  return ["link", "address", "route", "sysctl"].includes(item.kind);
}

/** Somebody's route does for ours; after a reboot it may be ours that is there. */
const isOthersRoute = (item: Item, survey: Survey): boolean =>
  item.kind === "route" && routesAt(item, survey).some(({ protocol }) => protocol !== OWN_PROTOCOL);

/** What units put there when they start, besides crxn itself, and where: a link that is another one they leave as it is. */
const MADE_BY_UNITS: Partial<Record<Item["kind"], State["is"][]>> = {
  link: ["absent"],
  address: ["absent"],
  route: ["absent"],
  chain: ["absent", "differs"],
  table: ["absent", "differs"],
  sysctl: ["absent", "differs"],
};

/** Does every step whatever the others do, and returns what failed: taking back must not stop halfway. */
export async function applyAll(
  runner: Runner,
  steps: Step[],
  survey: Survey,
  onStep: (step: Step, index: number) => void,
): Promise<{ step: Step; error: unknown }[]> {
  const failures: { step: Step; error: unknown }[] = [];
  let index = 0;
  const work = workOf(runner, steps, survey, (items) => noteTogether(items, survey));
  for (const row of rowsOf(steps)) {
    // What was noted and not made needs nothing but a note.
    row.steps.forEach((step, i) => step.actions.length > 0 && onStep(step, index + i));
    await applyRow(work, row, { failed: (step, error) => failures.push({ step, error }) });
    index += row.steps.length;
  }
  await work.aside.end();
  return failures;
}

/**
 * A row's one call stops at the line that fails; that step is done once more by itself, which says what is wrong with it, and the
 * rest after it.
 * @param on `failed`: without it the first failure is thrown; `again`: the step of that index is done by itself
 */
async function applyRow(
  { runner, survey, noted, known, switching, aside }: Work,
  { steps, argv, lines }: Row,
  on: { failed?: (step: Step, error: unknown) => void; again?: (index: number) => void },
): Promise<void> {
  await aside.before(steps[0]!);
  const fresh = steps.flatMap(({ item }) => item && !noted.has(item) ? [item] : []);
  await noteTogether(fresh, survey, known);
  let done = 0;
  while (done < steps.length) {
    const rest = lines.slice(done);
    if (rest.length > 1) {
      const result = await runner.run(argv, { stdin: rest.map((line) => `${line}\n`).join(""), timeoutSeconds: 120 });
      const good = result.code === 0 ? rest.length : linesDone(result.stderr) ?? 0;
      await noteDone(steps.slice(done, done + good), known);
      done += good;
    }
    const step = steps[done];
    if (!step) return;
    if (steps.length > 1) on.again?.(done);
    if (goesAside(step)) {
      const at = done++;
      const reading = await switching.readingAgain(() => doAll(runner, step.actions));
      aside.begin(reading(), (error) => {
        if (on.failed) return on.failed(step, error);
        on.again?.(at);
        throw error;
      });
      continue;
    }
    try {
      await doAll(runner, await switching.actionsOf(step));
      await noteDone([step], known);
    } catch (error) {
      if (!on.failed) throw error;
      on.failed(step, error);
    }
    done++;
  }
}

async function doAll(runner: Runner, actions: Action[]): Promise<void> {
  for (const action of actions) await act(runner, action);
}

async function noteDone(steps: Step[], known?: Journal): Promise<void> {
  const undone = steps.flatMap(({ undoes }) => undoes ?? []);
  await noteUndone(...undone);
  for (const id of undone) known?.entries.delete(id);
  for (const { forgets } of steps) if (forgets) await noteRemoved(forgets);
}
