/** Asks the machine what will be asked in any case while the rest of crxn is still being loaded: programs and loading share the time. */

import { LIMITS_TABLE, Path } from "../gateway/names.ts";
import { upkeepUnits } from "../gateway/upkeep_units.ts";
import { askBatch, batches } from "./batch.ts";
import { legacyQuestions } from "./iptables.ts";
import {
  HOST,
  type Kind,
  listed,
  NFT_NAMES,
  OWN_TAYGA,
  SURVEY,
  tableQuestion,
  unitsAsked,
  unitsLogged,
} from "./always.ts";
import { readNow } from "./files.ts";
import { lastTurn } from "./lock.ts";
import { logsQuestion } from "./logs.ts";
import { LOOKING } from "./looking.ts";
import { type Result, type Runner, type RunOptions, SystemRunner } from "./run.ts";
import { interfaceNames, sysctlsQuestion } from "./sysctl.ts";
import { unitsQuestion } from "./systemd.ts";
import { automatic, MOST_WORKERS, workerName } from "../gateway/workers.ts";
import { machineSize } from "./size.ts";
import { DEFAULTS } from "../gateway/config/defaults.ts";

/** Answers each question that was asked ahead once; after that, and all others, when they are asked. */
export class AheadRunner extends SystemRunner implements Runner {
  readonly #answers = new Map<string, Promise<Result>>();
  readonly #last = lastTurn();

  /** In their order; what is asked together comes where the first of it is. */
  ask(questions: string[][]): void {
    const alone: Runner = { run: (argv, options) => super.run(argv, options) };
    const queue = new Queue(questions[0] === SURVEY.rules.inet ? WIDTH.large : WIDTH.usual);
    const keep = (argv: string[], answer: Promise<Result>) => {
      // Whoever asks hears of its fault.
      answer.catch(() => {});
      this.#answers.set(keyOf(argv), answer);
    };
    const batchFor = new Map(batches(questions).flatMap((batch) => batch.questions.map((argv) => [argv, batch])));
    for (const argv of questions) {
      const batch = batchFor.get(argv);
      if (!batch) keep(argv, queue.add(() => alone.run(argv)));
      else if (argv === batch.questions[0]) {
        const answers = queue.add(() => askBatch(alone, batch));
        batch.questions.forEach((one, i) => keep(one, answers.then((list) => list?.[i] ?? alone.run(one))));
      }
    }
  }

  since(last: string | undefined): void {
    if (last === undefined || last !== this.#last) this.#answers.clear();
  }

  override run(argv: string[], options?: RunOptions): Promise<Result> {
    const key = keyOf(argv);
    const answer = this.#answers.get(key);
    this.#answers.delete(key);
    return answer ?? super.run(argv, options);
  }
}

/**
 * How many programs run side by side: more would only keep this process from being loaded. Beside the rules of a large machine,
 * which are asked first, there are some more: while its config is read none is started.
 */
const WIDTH = { usual: 3, large: 4 };

/** Does what is added, in its order, no more than `width` at a time. */
class Queue {
  #waiting: (() => void)[] = [];

  constructor(private width: number) {}

  async add<T>(task: () => Promise<T>): Promise<T> {
    if (this.width > 0) this.width--;
    else await new Promise<void>((go) => this.#waiting.push(go));
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.width++;
    }
  }
}

const keyOf = (argv: string[]): string => argv.join("\0");

/** Characters of a config: with a few hundred networks or pairs. A guess, as all here. */
const LARGE = 16_000;

const isLarge = (config: string): boolean => config.length > LARGE;

/** Of a large machine's tables that iptables-save does not show, the one that a gateway has. */
const ownTable = tableQuestion(LIMITS_TABLE.split(" "));

/**
 * What commands ask of the machine in any case. `doctor --fix` first makes sure that it is alone, `up` and `down` that they were.
 */
export function questionsOf(args: string[]): string[][] {
  const [command] = args;
  if (command === undefined || !LOOKING.includes(command)) return [];
  const changes = command === "up" || command === "down";
  // While another crxn is at work the answers would not hold.
  if (changes && lastTurn() === undefined) return [];
  const around = !changes;
  if (args.some((word) => /^--(help|explain|fix)\b/.test(word))) return [];
  const text = readNow(fileOf(args)) ?? "";
  const kind = kindOf(text);
  const of = (kind: Kind) => [
    // systemd takes longest to answer.
    unitsQuestion(unitsAsked(kind).filter((unit) => command !== "down" || !startedByTimer(kind, unit))),
    ...(kind.instances.length > 0 && command !== "down" ? [OWN_TAYGA] : []),
    ...(around ? [logsQuestion(unitsLogged(kind))] : []),
  ];
  const names = interfaceNames();
  const { rules, routes, policies, ...survey } = SURVEY;
  return [
    // Thousands of rules take longest.
    ...(isLarge(text) ? listed({ rules }) : []),
    ...(kind ? of(kind) : []),
    ...listed({ routes, policies }),
    ...listed(isLarge(text) ? { ...survey, nft: NFT_NAMES.tables, chains: NFT_NAMES.chains } : { ...survey, rules }),
    ...(isLarge(text) && kind && kind.instances.length > 0 ? [ownTable] : []),
    ...legacyQuestions(),
    ...(names.length > 0 ? [sysctlsQuestion(names)] : []),
    ...(around ? listed(HOST) : []),
  ];
}

/** No item: the journal, by which `down` asks, has its timer. */
const startedByTimer = ({ upkeep }: Kind, unit: string): boolean =>
  unit.endsWith(".service") && upkeepUnits(upkeep).includes(unit);

/** The config that the command line names. */
function fileOf(args: string[]): string {
  const at = args.indexOf("--config");
  const joined = args.find((word) => word.startsWith("--config="));
  return joined?.slice("--config=".length) ?? (at < 0 ? undefined : args[at + 1]) ?? Path.config;
}

/** A look at a config that is not parsed yet. A guess that is wrong costs an answer that nobody asks for. */
export function kindOf(config: string): Kind | undefined {
  const overlay = /\btype:\s*["']?(yggdrasil|interface)\b/.exec(config)?.[1] as Kind["overlay"] | undefined;
  if (!overlay) return undefined;
  const upkeep = upkeepIn(config);
  const instance = /\binstance:\s*["']?([a-z][a-z0-9-]{0,8})\b/.exec(config)?.[1] ?? "ygg";
  if (!/^prefix:/m.test(config)) return { overlay, instances: [], ...upkeep };
  const pool = /\bpool:\s*["']?([\d./]+)/.exec(config)?.[1] ?? DEFAULTS.pool;
  const workers = /\bworkers:\s*(\d+|auto)\b/.exec(config)?.[1] ?? "1";
  const count = workers === "auto" ? automatic({ instance, pool }, machineSize()) : Number(workers);
  return {
    overlay,
    instances: Array.from({ length: Math.min(count, MOST_WORKERS) }, (_, i) => workerName(instance, i)),
    ...upkeep,
  };
}

function upkeepIn(config: string): Pick<Kind, "upkeep"> {
  const [, text] = /^upkeep:(.*(?:\n[ \t].*|\n#.*|\n)*)/m.exec(config) ?? [];
  if (text === undefined) return {};
  return { upkeep: { mend: /\bmend:\s*["']?\d/.test(text), metrics: /\bmetrics:\s*["']?\//.test(text) } };
}
