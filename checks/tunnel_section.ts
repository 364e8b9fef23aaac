/** The section `TunnelRouting` of the daemon's config, which a daemon with tunnel routing takes its networks from. */

import type { FileItem } from "../gateway/item.ts";
import { Path, Unit } from "../gateway/names.ts";
import { routingSection } from "../gateway/yggdrasil_config.ts";
import type { CheckInput } from "./check.ts";
import type { Problem } from "./problem.ts";

/** Settings of the section that are not as crxn.yaml wants them. Drift leaves the file to this check while there are any. */
export function wrongSettings({ blueprint, survey }: CheckInput): { name: string; is: unknown; want: unknown }[] {
  const item = blueprint.items.find((i): i is FileItem => i.kind === "file" && i.path === Path.yggdrasilConfig);
  const seen = survey.files[Path.yggdrasilConfig]?.content;
  const want = item && routingSection(item.content);
  if (!want || seen === undefined) return [];
  const is = routingSection(seen) ?? {};
  return Object.keys(want).filter((name) => canonical(is[name]) !== canonical(want[name])).map((name) => ({
    name,
    is: is[name],
    want: want[name],
  }));
}

/** The order of the keys of a map means nothing. */
const canonical = (value: unknown): string =>
  JSON.stringify(
    value,
    (_, v) =>
      typeof v === "object" && v !== null && !Array.isArray(v) ? Object.fromEntries(Object.entries(v).sort()) : v,
  ) ??
    "missing";

export function sectionProblems(input: CheckInput): Problem[] {
  const wrong = wrongSettings(input);
  if (wrong.length === 0) return [];
  const { blueprint, survey } = input;
  const daemon = survey.units[Unit.yggdrasil];
  const modified = survey.files[Path.yggdrasilConfig]?.modified ?? 0;
  // What the daemon has read at its start is what counts now.
  const later = daemon !== undefined && daemon.active === "active" && daemon.since > 0 && modified > daemon.since;
  const shown = (value: unknown) => (value === undefined ? "missing" : canonical(value)).slice(0, 120);
  return [{
    found: `TunnelRouting in ${Path.yggdrasilConfig}: ${wrong.map((w) => `${w.name} is ${shown(w.is)}`).join(", ")}` +
      (later ? "; the daemon has not read it yet" : ""),
    want: wrong.map((w) => `${w.name}: ${shown(w.want)}`).join(", "),
    items: blueprint.items.filter((i) =>
      (i.kind === "file" && i.path === Path.yggdrasilConfig) || (i.kind === "service" && i.unit === Unit.yggdrasil)
    ),
    ...(later ? { carries: true as const } : {}),
  }];
}
