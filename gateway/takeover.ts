/** Taking over a translator that somebody has set up by hand, and that goes on running meanwhile. Pure. */

import type { FileItem, Item, LinkItem, ServiceItem } from "./item.ts";
import type { Journal } from "./journal.ts";
import { instanceDropInPath, instanceOf, Path, unitPath } from "./names.ts";
import type { Survey, UnitSeen } from "./survey.ts";
import { translatesAlike } from "./tayga_config.ts";

/** What a service that is taken over goes on with: the files that its process has read say the same in crxn's words. */
export interface TakenOver {
  service: ServiceItem;
  /** Start of its process, in milliseconds since the epoch. */
  since: number;
  /** Paths of the files that it need not be restarted for. */
  files: string[];
}

/** The translators that run already, by somebody else's unit, and do what crxn's are to do. */
export function takenOver(items: Item[], survey: Survey, journal: Pick<Journal, "entries">): TakenOver[] {
  const file = (path: string) => items.find((i): i is FileItem => i.kind === "file" && i.path === path);
  return items.flatMap((service): TakenOver[] => {
    const instance = service.kind === "service" ? instanceOf(service.unit) : undefined;
    if (service.kind !== "service" || instance === undefined) return [];
    const unit = survey.units[service.unit];
    // An `up` that was killed may have begun with it.
    const begun = journal.entries.get(service.id)?.item;
    if (begun && (!goesOn(begun, survey.units) || unit?.fragment === unitPath(service.unit))) return [];
    const [config, there] = [file(Path.taygaConfig(instance)), survey.files[Path.taygaConfig(instance)]];
    if (unit?.active !== "active" || unit.since === 0 || !config || !there?.content) return [];
    // Somebody has written it since: nobody knows what the daemon has read.
    if (there.modified > unit.since || !translatesAlike(there.content, config.content)) return [];
    const files = [
      config.path,
      unitPath(service.unit),
      instanceDropInPath(service.unit),
      Path.translatorBatch(instance),
    ];
    return [{ service, since: unit.since, files }];
  });
}

/** Whether the process that was there before crxn still runs: then what it holds is not crxn's to take away. */
export function goesOn(item: Item, units: Record<string, UnitSeen>): boolean {
  if (item.kind !== "service" && item.kind !== "link") return false;
  const unit = item.kind === "service" ? item.unit : item.holder;
  const seen = unit === undefined ? undefined : units[unit];
  return item.since !== undefined && seen?.active === "active" && seen.since === item.since;
}

/** What the service's own unit is going to make at its next start, and what is there by hand now: `down` has to know it. */
export function heldItems({ service, since }: TakenOver, items: Item[]): Item[] {
  const links = items.filter((i): i is LinkItem => i.kind === "link" && i.holder === service.unit);
  return links.map((link) => ({ ...link, since }));
}
