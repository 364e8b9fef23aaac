/** Compare: the difference between what should be and what is, as steps. Pure; `up`, `down` and `--dry-run` share it. */

import { type Action, Program, run } from "./action.ts";
import { makeCommands } from "./commands.ts";
import { fetchStep, isTakenOver } from "./daemon.ts";
import { devicesUnder } from "./devices_under.ts";
import { CrxnError, Exit } from "./errors.ts";
import { keptAtLast, textOf } from "./edited.ts";
import { fileStep, type Known } from "./file_step.ts";
import type { Item, ServiceItem } from "./item.ts";
import type { Entry } from "./journal.ts";
import { catchUp } from "./live.ts";
import { linkSteps } from "./link_steps.ts";
import { inTheWay, unwantedEntries } from "./order.ts";
import { see } from "./see.ts";
import { hasJump } from "./see_rules.ts";
import type { State } from "./state.ts";
import { DAEMON_RELOAD, type Done, type Step } from "./step.ts";
import type { Survey } from "./survey.ts";
import { goesOn, heldItems, type TakenOver, takenOver } from "./takeover.ts";
import { maskWords, undoActions } from "./undo.ts";

/**
 * Steps from the survey to the items, in order: what is missing is made first, what is no longer wanted goes last, but for
 * routes that are in the way: those go before services are started again, and the next hops of others are exchanged.
 * @param over services made by hand that go on running
 * @throws CrxnError 1 when the place of an item is taken by something that is not ours.
 */
export function compare(
  items: Item[],
  survey: Survey,
  journal: Known,
  over: TakenOver[] = takenOver(items, survey, journal),
): Step[] {
  const states = new Map(items.map((item) => [item.id, stateOf(item, survey, journal)]));
  refuseForeign(items, states);
  const done: Done = { files: new Set(), stopped: new Set(), devices: new Set() };
  const unwanted = unwantedEntries(items, journal);
  const making = makeSteps(items, states, survey, journal, unwanted, done, over);
  const removing = (entries: Entry[]) => removeSteps(entries, survey, done);
  const starts = making.findIndex(({ item }) => item?.kind === "service");
  if (starts < 0) return [...making, ...removing(unwanted)];
  const early = inTheWay(unwanted, items);
  return [
    ...making.slice(0, starts),
    ...removing([...early]),
    ...making.slice(starts),
    ...removing(unwanted.filter((entry) => !early.has(entry))),
  ];
}

/**
 * A tunnel of ours that is of another kind since the config changed is no foreign device. Metrics that crxn has written for
 * somebody else are the timer's from now on, and go with it.
 */
function stateOf(item: Item, survey: Survey, journal: Known): State {
  const state = see(item, survey);
  const taken = item.kind === "file" && item.filledBy !== undefined && !journal.entries.has(item.id);
  if (taken && state.is === "present") return { is: "differs", how: "not the timer's yet" };
  const ours = state.is === "foreign" && item.kind === "link" && journal.entries.has(item.id);
  return ours ? { is: "differs", how: state.how } : state;
}

/** Items in whose place is something that is not crxn's, and what that is. */
export const takenPlaces = (items: Item[], survey: Survey, journal: Known): { item: Item; how: string }[] =>
  items.flatMap((item) => {
    const state = stateOf(item, survey, journal);
    return state.is === "foreign" ? [{ item, how: state.how }] : [];
  });

function refuseForeign(items: Item[], states: Map<string, State>): void {
  const taken = items.flatMap((item) => {
    const state = states.get(item.id)!;
    return state.is === "foreign" ? [`${item.id}: ${state.how}`] : [];
  });
  if (taken.length === 0) return;
  throw new CrxnError(
    Exit.failed,
    `Something that is not crxn's is in the place of:\n  ${taken.join("\n  ")}`,
    "Remove it, or choose other names or networks in the config. Nothing was changed.",
  );
}

function makeSteps(
  items: Item[],
  states: Map<string, State>,
  survey: Survey,
  journal: Known,
  unwanted: Entry[],
  done: Done,
  kept: TakenOver[],
): Step[] {
  const steps: Step[] = [];
  // First of all: a wrong sum ends the run, and then nothing has been touched.
  for (const item of items) {
    const state = states.get(item.id)!;
    if (item.kind !== "program" || (state.is !== "absent" && state.is !== "differs")) continue;
    steps.push(fetchStep(item, state));
    done.files.add(item.path);
  }
  const missing = items.filter((i) => i.kind === "package" && states.get(i.id)!.is === "absent");
  if (missing.length > 0) steps.push(installStep(missing.map((i) => i.kind === "package" ? i.name : "")));
  const ours = [...items, ...unwanted.map((e) => e.item)].flatMap((i) => i.kind === "link" ? [i.name] : []);
  let unitsPending = Object.values(survey.units).some((u) => u.needsReload);

  for (const item of items) {
    const state = states.get(item.id)!;
    // The first item after the files needs the units read.
    if (unitsPending && !["file", "package", "program", "unwanted"].includes(item.kind)) {
      steps.push(DAEMON_RELOAD);
      unitsPending = false;
    }
    const on = item.kind === "link" && "underlay" in item.spec ? [item.spec.underlay] : devicesUnder(item);
    const lost = on.some((device) => done.devices.has(device)) ||
      (item.kind === "link" && isTakenOver(item, items, states, survey));
    if (
      item.kind === "package" || item.kind === "program" || (state.is === "present" && !lost && item.kind !== "service")
    ) continue;
    if (item.kind === "file") {
      const over = kept.find((k) => k.files.includes(item.path));
      const live = over
        ? [{ do: "age" as const, path: item.path, modified: over.since }]
        : catchUp(item, items, survey);
      steps.push(fileStep(item, survey, journal, live));
      if (!live) done.files.add(item.path);
      unitsPending ||= item.unit === true;
    } else if (item.kind === "link") {
      steps.push(...linkSteps(item, state, isTakenOver(item, items, states, survey), survey, ours, done));
    } else if (item.kind === "service") {
      const over = kept.find((k) => k.service === item);
      steps.push(...(over ? [takeOverStep(over, items)] : serviceStep(item, survey, done)));
    } else if (item.kind === "unwanted") {
      steps.push({
        title: `stop and disable ${item.unit}, which runs with its package's sample config`,
        item,
        actions: [run([Program.systemctl, "--quiet", "disable", "--now", item.unit])],
      });
    } else {
      const jump = item.kind !== "chain" || !hasJump(item, survey);
      const verb = state.is === "differs" ? "set" : "add";
      steps.push({ title: `${verb} ${item.id}`, item, actions: makeCommands(item, jump) });
    }
  }
  return steps;
}

export const installStep = (packages: string[]): Step => ({
  title: `install ${packages.join(", ")}`,
  packages,
  actions: [],
});

/** It goes on running as it was started; crxn's unit, with its sandbox, holds from its next start. */
function takeOverStep(over: TakenOver, items: Item[]): Step {
  const service = { ...over.service, since: over.since };
  return {
    title: `take over ${service.unit}, which goes on running`,
    item: service,
    // Before its files are exchanged: from there on stopping crxn's own units would stop it, and nobody would start it again.
    notes: [service, ...heldItems(over, items)],
    actions: [run([Program.systemctl, "--quiet", "reenable", service.unit])],
  };
}

function serviceStep(item: ServiceItem, survey: Survey, done: Done): Step[] {
  const unit = survey.units[item.unit];
  const state = see(item, survey);
  const active = unit?.active === "active" && !done.stopped.has(item.unit);
  const stale = [...item.reads, item.program ?? ""].some((path) => done.files.has(path)) ||
    (state.is === "differs" && state.how.startsWith("it runs"));
  const actions: Action[] = [];
  const masked = maskWords(unit?.enabled);
  if (masked) actions.push(run([Program.systemctl, "--quiet", "unmask", ...masked, item.unit]));
  if (unit?.enabled !== "enabled") actions.push(run([Program.systemctl, "--quiet", "enable", item.unit]));
  if (!active || stale) {
    // A unit that ran into its start limit is forgiven first.
    if (unit?.active === "failed") actions.push(run([Program.systemctl, "reset-failed", item.unit], { also: [1] }));
    actions.push(run([Program.systemctl, active ? "restart" : "start", item.unit]));
  }
  if (actions.length === 0) return [];
  const verb = active ? (stale ? "restart" : "enable") : "start";
  return [{
    title: `${verb} ${item.unit}${masked ? ", which is masked" : ""}`,
    item,
    actions,
    ...(active && stale && item.interrupts ? { interrupts: item.interrupts } : {}),
  }];
}

function removeSteps(entries: Entry[], survey: Survey, done: Done): Step[] {
  const steps: Step[] = [];
  let unitsPending = false;
  for (const entry of entries) {
    const { item } = entry;
    if (unitsPending && item.kind !== "file") {
      steps.push(DAEMON_RELOAD);
      unitsPending = false;
    }
    const there = item.kind === "file" ? survey.files[item.path] : undefined;
    const after = entry.before.file ? textOf(entry.before.file) : "";
    const kept = item.kind === "file" ? keptAtLast(entry, survey) : undefined;
    steps.push({
      title: undoTitle(entry.item, entry.before.file != null, survey) +
        (kept ? `, which somebody has edited: that is kept as ${kept}` : ""),
      undoes: item.id,
      actions: undoActions(entry, survey, done.devices),
      ...(item.kind === "file" && item.filledBy === undefined
        ? { diff: { path: item.path, before: there?.content ?? "", after, secret: item.secret === true } }
        : {}),
    });
    unitsPending ||= item.kind === "file" && item.unit === true;
  }
  if (unitsPending) steps.push(DAEMON_RELOAD);
  return steps;
}

function undoTitle(item: Item, hadFile: boolean, survey: Survey): string {
  if (goesOn(item, survey.units)) return `leave ${item.kind === "service" ? item.unit : item.id} as it was before crxn`;
  switch (item.kind) {
    case "file":
      return `${hadFile ? "restore" : "remove"} ${item.path}`;
    case "service":
      return `stop ${item.unit}`;
    case "sysctl":
      return `set ${item.id} to its former value`;
    case "unwanted":
      return `leave ${item.unit} as it was`;
    default:
      return `remove ${item.id}`;
  }
}
