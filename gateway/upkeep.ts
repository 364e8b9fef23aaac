/** Upkeep: timers that mend what other programs have undone, and that write metrics. Optional, and off by default. Pure. */

import mendUnit from "../assets/units/crxn-mend.service" with { type: "text" };
import mendTimer from "../assets/units/crxn-mend.timer" with { type: "text" };
import metricsUnit from "../assets/units/crxn-metrics.service" with { type: "text" };
import metricsTimer from "../assets/units/crxn-metrics.timer" with { type: "text" };
import type { Config } from "./config/types.ts";
import { quoted } from "./confirm.ts";
import type { Facts } from "./facts.ts";
import { type Caller, type FileItem, fileItem, type ServiceItem, serviceItem } from "./item.ts";
import type { Journal } from "./journal.ts";
import type { Survey } from "./survey.ts";
import { HEADER, Path, Unit, unitPath } from "./names.ts";
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
    program: condition(caller.command[0]!),
    command: caller.command.map(quoted).join(" "),
    config: quoted(caller.config),
    pending: Path.pending,
  };
  const unit = (name: string, template: string, more: Record<string, string>) =>
    fileItem(unitPath(name), fill(template, { ...values, ...more }), { unit: true });
  const timer = (name: string, more: Partial<ServiceItem> = {}) =>
    serviceItem(name, { reads: [unitPath(name)], caller, ...more });
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
        ]
        : []),
    ],
    services: [
      ...(mend ? [timer(Unit.mendTimer)] : []),
      ...(metrics ? [timer(Unit.metricsTimer, { leaves: metrics })] : []),
    ],
  };
}

/** Of a path. */
export const folderOf = (path: string): string => path.slice(0, path.lastIndexOf("/"));

/** A path in a condition has no quotes around it; `%` starts a specifier there as well. */
const condition = (path: string) => path.replaceAll("%", "%%");

/** Whom the units that are there call: by the journal, and where only root may read that by their files. */
export function callerMade(journal: Pick<Journal, "entries"> | undefined, files: Survey["files"]): Caller | undefined {
  for (const { item } of journal?.entries.values() ?? []) {
    if (item.kind === "service" && item.caller) return item.caller;
  }
  if (journal) return undefined;
  const texts = [Unit.mend, Unit.metrics].map((u) => files[unitPath(u)]?.content ?? "");
  const [, command, config] = /^ExecStart=((?:"(?:\\.|[^"\\])*" )+)[^"]*("(?:\\.|[^"\\])*")$/m.exec(texts.join("\n")) ??
    [];
  if (!command || !config) return undefined;
  return { command: wordsIn(command), config: wordsIn(config)[0]! };
}

/** The other way round of `quoted`. */
const wordsIn = (text: string): string[] =>
  [...text.matchAll(/"((?:\\.|[^"\\])*)"/g)].map(([, word]) =>
    word!.replace(/\\(.)/g, "$1").replaceAll("%%", "%").replaceAll("$$", "$")
  );

/** Where a metrics file is crxn's: by its first line, which `crxn status --prometheus` begins with. */
export const isMetrics = (text: string): boolean => /^(# (HELP|TYPE) crxn_|$)/.test(text.split("\n")[0]!);
