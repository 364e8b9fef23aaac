/** Services that run with an older version of a file they have read. */

import type { ServiceItem } from "../gateway/item.ts";
import { see } from "../gateway/see.ts";
import type { CheckInput } from "./check.ts";
import type { Problem } from "./problem.ts";

/** @param mine whether this check speaks for the file */
export function staleProblems({ blueprint, survey }: CheckInput, mine: (path: string) => boolean): Problem[] {
  const modified = (path: string) => (survey.files[path] ?? survey.programs?.[path])?.modified ?? 0;
  const services = blueprint.items.filter((i): i is ServiceItem => i.kind === "service");
  return services.flatMap((item) => {
    const unit = survey.units[item.unit];
    if (unit?.active !== "active" || unit.since === 0) return [];
    return [...item.reads, ...(item.program ? [item.program] : [])].filter((path) => {
      const file = blueprint.items.find((i) => (i.kind === "file" || i.kind === "program") && i.path === path);
      // A file that is wrong itself is its own finding.
      const right = file === undefined || see(file, survey).is === "present";
      return mine(path) && right && modified(path) > unit.since;
    }).map((path) => ({
      found: `${item.unit} still runs with an older ${path}`,
      want: "a restart since the file changed",
      items: [item],
    }));
  });
}
