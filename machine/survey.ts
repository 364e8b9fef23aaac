/** Reads a machine in one pass: every question at once, each program started once. */

import type { Config } from "../gateway/config/types.ts";
import { Program } from "../gateway/action.ts";
import { daemonPath } from "../gateway/daemon.ts";
import type { Item } from "../gateway/item.ts";
import type { Fetched, Journal } from "../gateway/journal.ts";
import { dropInPath, instanceOf, isOwnDropIn, Path, Unit, unitPath } from "../gateway/names.ts";
import { upkeepUnits } from "../gateway/upkeep_units.ts";
import type { Heard } from "../gateway/silence.ts";
import type { FileSeen, ProgramSeen, Survey } from "../gateway/survey.ts";
import type { Left } from "../gateway/undo.ts";
import { kindOfConfig, unitsAsked } from "./always.ts";
import { hasOwnTayga, readPackages } from "./apt.ts";
import { readDaemon } from "./daemon.ts";
import { readSeen } from "./files.ts";
import { readLinks, readRoutes } from "./ip.ts";
import { readPolicies } from "./ip_rules.ts";
import { readFirewall } from "./firewall.ts";
import { at } from "./place.ts";
import { readProgram } from "./program.ts";
import type { Runner } from "./run.ts";
import { readSysctlsOf } from "./sysctl.ts";
import { readUnits } from "./systemd.ts";
import { readOverlay } from "./yggdrasil.ts";
import { countPool } from "./tayga.ts";
import { workersOf } from "../gateway/workers.ts";

/** What to look at beyond what every machine has. */
export interface Questions {
  files: string[];
  units: string[];
  /** Programs to be judged by their sums, each with what the journal has of it. */
  programs?: { path: string; recorded?: Fetched }[];
  overlay: boolean;
  /** The yggdrasil program. */
  daemon?: string;
  /** Whether crxn has, or wants, so much that there may be thousands of rules. */
  large?: boolean;
  /** The translators' lists of pool addresses in use. */
  pools?: string[];
}

/** Networks, pairs or items: a gateway has some forty items besides. */
const MANY = 200;

/** What a config, a journal and further items are about: they decide what is to be looked at. */
export function questionsOf(config: Config | undefined, journal: Journal, more: Item[] = []): Questions {
  const items = [...[...journal.entries.values(), ...journal.undone.values()].map((e) => e.item), ...more];
  const instances = config ? workersOf(config).map((w) => w.instance) : [];
  const link = config?.overlay.type === "interface";
  const yggdrasil = config?.overlay.type === "yggdrasil";
  const unique = (list: string[]) => [...new Set(list)];
  return {
    files: unique([
      Path.sysctl,
      Path.nftables,
      Path.rules.inet,
      Path.rules.inet6,
      Path.overlayBatch,
      unitPath(Unit.firewall),
      unitPath(Unit.overlay),
      ...(link ? [Path.linkScript, unitPath(Unit.link)] : []),
      ...upkeepFiles(config?.upkeep),
      ...(yggdrasil ? [Path.yggdrasilConfig, dropInPath(Unit.yggdrasil)] : []),
      ...instances.flatMap((instance) => [
        Path.taygaConfig(instance),
        Path.translatorBatch(instance),
        unitPath(Unit.translator(instance)),
      ]),
      ...items.flatMap((i) => i.kind === "file" ? [i.path] : i.kind === "service" ? i.reads : []),
    ]),
    units: unique([
      ...unitsAsked(config && kindOfConfig(config, instances)),
      ...items.flatMap((i) =>
        i.kind === "service" ? [i.unit, ...i.pulls ?? []] : i.kind === "unwanted" ? [i.unit] : []
      ),
    ]),
    programs: programsOf(config, journal, items),
    overlay: yggdrasil,
    large: items.length > MANY || (config?.overlay.routes.length ?? 0) + (config?.nat64?.maps.length ?? 0) > MANY,
    ...(config?.overlay.type === "yggdrasil" ? { daemon: daemonPath(config.overlay.daemon) } : {}),
    pools: instances.map(Path.pool),
  };
}

/** Also of whoever may not read the journal: whom the units call is told from their files. */
const upkeepFiles = (upkeep: Config["upkeep"] = {}): string[] => [
  ...upkeepUnits(upkeep).map(unitPath),
  ...(upkeep.metrics ? [upkeep.metrics] : []),
];

/** What crxn has fetched, and what the overlay's daemon is where that is no package's. */
export function programsOf(config: Config | undefined, journal: Journal, items: Item[] = []): Questions["programs"] {
  const { overlay } = config ?? {};
  const paths = [
    ...(overlay?.type === "yggdrasil" ? [daemonPath(overlay.daemon)] : []),
    ...items.flatMap((i) => i.kind === "service" && i.program ? [i.program] : i.kind === "program" ? [i.path] : []),
    ...journal.fetched.keys(),
  ];
  return [...new Set(paths)].filter((path) => path !== Program.yggdrasil).map((path) => {
    const recorded = journal.fetched.get(path);
    return { path, ...(recorded ? { recorded } : {}) };
  });
}

/** Waits for questions; what gets no answer is said in `unknown`. */
function asking() {
  const unknown: string[] = [];
  const answer = async <T>(what: string, question: Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await question;
    } catch (error) {
      unknown.push(`${what}: ${error instanceof Error ? error.message : error}`);
      return otherwise;
    }
  };
  return { unknown, answer };
}

/** Of a machine from which items are gone only what is looked at then. */
export async function readLeft(
  runner: Runner,
  { units, large }: Pick<Questions, "units" | "large">,
): Promise<Left & Heard> {
  const { unknown, answer } = asking();
  const [seen, systemd, packages, firewall] = await Promise.all([
    answer("units", readUnits(runner, units), {}),
    exists("/run/systemd/system"),
    answer("packages", readPackages(runner), undefined),
    readFirewall(runner, answer, large),
  ]);
  return { systemd, ...(packages ? { packages } : {}), ...firewall, units: seen, unknown };
}

export async function readSurvey(runner: Runner, questions: Questions): Promise<Survey> {
  const { unknown, answer } = asking();
  const root = Deno.uid() === 0;
  const programsRead = Promise.all(
    (questions.programs ?? []).map(async (
      { path, recorded },
    ): Promise<[string, ProgramSeen | null]> => [path, await readProgram(path, recorded)]),
  );
  // Of a fetched daemon only the very file that was fetched is ever run, be it with a question.
  const daemonRead = async (path: string) =>
    !root || isAsFetched(path, Object.fromEntries(await programsRead))
      ? await readDaemon(runner, path, root)
      : undefined;
  // systemd takes longest to answer.
  const unitsRead = answer("units", readUnits(runner, questions.units), {});
  const dropInsRead = unitsRead.then((units) => readAll(foreignDropIns(units)));
  const linksRead = answer("links", readLinks(runner), []);
  const [
    os,
    tun,
    systemd,
    packages,
    files,
    programs,
    sysctls,
    links,
    routes4,
    routes6,
    policies,
    firewall,
    units,
    overlay,
    daemon,
    pools,
    ownTayga,
  ] = await Promise.all([
    readOs(),
    exists("/dev/net/tun"),
    exists("/run/systemd/system"),
    answer("packages", readPackages(runner), undefined),
    Promise.all([readAll(questions.files), dropInsRead]),
    programsRead,
    answer("sysctls", readSysctlsOf(runner, linksRead.then((links) => links.map((l) => l.name))), {}),
    linksRead,
    answer("routes", readRoutes(runner, "inet"), []),
    answer("routes", readRoutes(runner, "inet6"), []),
    answer("policies", readPolicies(runner), undefined),
    readFirewall(runner, answer, questions.large),
    unitsRead,
    questions.overlay ? answer("overlay", readOverlay(runner), undefined) : undefined,
    questions.daemon ? answer("daemon", daemonRead(questions.daemon), undefined) : undefined,
    Promise.all((questions.pools ?? []).map(readSeen)),
    questions.pools?.length ? answer("tayga", hasOwnTayga(runner), false) : false,
  ]);
  return {
    root,
    os,
    tun,
    systemd,
    ...(packages ? { packages } : {}),
    ...(ownTayga ? { ownTayga } : {}),
    files: Object.fromEntries(files.flat()),
    ...(programs.length > 0 ? { programs: Object.fromEntries(programs) } : {}),
    sysctls,
    links,
    routes: [...routes4, ...routes6],
    ...(policies ? { policies } : {}),
    ...firewall,
    units,
    ...(overlay ? { overlay } : {}),
    ...(daemon ? { daemon } : {}),
    ...usedOf(pools),
    unknown,
  };
}

const readAll = (paths: string[]): Promise<[string, FileSeen | null][]> =>
  Promise.all(paths.map(async (path) => [path, await readSeen(path)]));

/** Of translators: what somebody has typed into `systemctl edit`. */
const foreignDropIns = (units: Survey["units"]): string[] =>
  Object.values(units).filter((u) => instanceOf(u.unit) !== undefined)
    .flatMap((u) => (u.dropIns ?? []).filter((path) => !isOwnDropIn(path)));

function isAsFetched(path: string, programs: Record<string, ProgramSeen | null>): boolean {
  if (!path.startsWith(`${Path.programs}/`)) return true;
  const seen = programs[path];
  return seen?.recorded !== undefined && seen.sha256 === seen.recorded.program;
}

const exists = (path: string) => Deno.stat(at(path)).then(() => true, () => false);

/** os-release(5). */
async function readOs(): Promise<Survey["os"]> {
  const text = await Deno.readTextFile(at("/etc/os-release")).catch(() => "");
  const get = (key: string) => new RegExp(`^${key}="?([^"\\n]*)"?$`, "m").exec(text)?.[1] ?? "";
  return { id: get("ID"), version: get("VERSION_ID"), name: get("PRETTY_NAME") };
}

/** Of all translators together. */
function usedOf(pools: (FileSeen | null)[]): Pick<Survey, "poolUsed"> {
  const maps = pools.flatMap((pool) => pool?.content ?? []);
  return maps.length === 0 ? {} : { poolUsed: maps.map(countPool).reduce((a, b) => a + b) };
}
