/** Upkeep: timers that mend what other programs have undone, and that write metrics. Optional, and off by default. Pure. */

import mendUnit from "../assets/units/crxn-mend.service" with { type: "text" };
import mendTimer from "../assets/units/crxn-mend.timer" with { type: "text" };
import metricsUnit from "../assets/units/crxn-metrics.service" with { type: "text" };
import metricsTimer from "../assets/units/crxn-metrics.timer" with { type: "text" };
import type { Config } from "./config/types.ts";
import type { Caller, Facts } from "./facts.ts";
import { type FileItem, fileItem, type ServiceItem, serviceItem } from "./item.ts";
import type { Journal } from "./journal.ts";
import type { Survey } from "./survey.ts";
import { HEADER, Path, Unit, unitPath } from "./names.ts";
import { argument, commandWords, plainPath, wordsIn } from "./systemd_words.ts";
import { fill } from "./template.ts";

/** Files of units, and the timers that have to run. */
export interface UpkeepItems {
  files: FileItem[];
  services: ServiceItem[];
}

/** What a config comes to: nothing is mended by a config that `crxn up` has not made. */
export function sumOf(config: Config): string {
  // FNV-1a, 64 bits: it need not be safe from anybody, and Web Crypto would have to be waited for.
  let sum = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(JSON.stringify(config))) {
    sum = BigInt.asUintN(64, (sum ^ BigInt(byte)) * 0x100000001b3n);
  }
  return sum.toString(16).padStart(16, "0");
}

/** @throws Error when facts do not say which crxn is to be called */
export function upkeepItems(config: Config, { caller }: Facts): UpkeepItems {
  const { mend, metrics } = config.upkeep ?? {};
  if (!mend && !metrics) return { files: [], services: [] };
  if (!caller) throw new Error("Nothing says which crxn the units of upkeep call");
  const values = {
    header: HEADER,
    program: plainPath(caller.command[0]!),
    command: commandWords(caller.command),
    config: argument(caller.config),
    pending: Path.pending,
  };
  const unit = (name: string, template: string, more: Record<string, string>) =>
    fileItem(unitPath(name), fill(template, { ...values, ...more }), { unit: true });
  const timer = (name: string, starts: string, more: string[] = []) =>
    serviceItem(name, { reads: [name, ...more].map(unitPath), starts });
  return {
    files: [
      ...(mend
        ? [
          unit(Unit.mend, mendUnit, { sum: sumOf(config) }),
          unit(Unit.mendTimer, mendTimer, { seconds: String(mend) }),
        ]
        : []),
      ...(metrics
        ? [
          unit(Unit.metrics, metricsUnit, { file: metrics, timer: Unit.metricsTimer }),
          unit(Unit.metricsTimer, metricsTimer, {}),
          fileItem(metrics, "", { filledBy: Unit.metrics }),
        ]
        : []),
    ],
    services: [
      ...(mend ? [timer(Unit.mendTimer, Unit.mend)] : []),
      // Started anew it ends a run that would still write the former file, and fills the new one at once.
      ...(metrics ? [timer(Unit.metricsTimer, Unit.metrics, [Unit.metrics])] : []),
    ],
  };
}

/** Whom the units that are there call: as the journal has their files, and where only root may read that by what lies there. */
export function callerMade(journal: Pick<Journal, "entries"> | undefined, files: Survey["files"]): Caller | undefined {
  const textOf = (path: string) => {
    const made = journal?.entries.get(`file ${path}`)?.item;
    return journal ? (made?.kind === "file" ? made.content : "") : files[path]?.content ?? "";
  };
  const texts = [Unit.mend, Unit.metrics].map((unit) => textOf(unitPath(unit)));
  const [, command, config] = /^ExecStart=((?:"(?:\\.|[^"\\])*" )+)[^"]*("(?:\\.|[^"\\])*")$/m.exec(texts.join("\n")) ??
    [];
  if (!command || !config) return undefined;
  const [program = "", ...words] = wordsIn(`${command}${config}`);
  return { command: [program, ...words.slice(0, -1)], config: words.at(-1)! };
}

/** Where a metrics file is crxn's: by how `crxn status --prometheus` begins, or with nothing in it yet. */
export const isMetrics = (text: string): boolean => text === "" || /^# (HELP|TYPE) crxn_/.test(text);
