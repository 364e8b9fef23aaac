/** What a config that is there already says to the questions of `crxn init`. Pure. */

import { DEFAULTS } from "../config/defaults.ts";
import type { Config } from "../config/types.ts";
import { viaOf } from "./answers.ts";

export interface Present {
  /** Question -> answer, as a person would type it. */
  answers: Map<string, string>;
  /** Over yggdrasil: what is no question and is kept. */
  settings: { tunnel?: string; daemon?: string };
  /** Keys that a new config would not have: nothing asks for them. */
  leftOut: string[];
}

/** Keys that `crxn init` writes. */
const KNOWN = new Set([
  ...["address", "prefix", "routed", "uplink", "overlay.type", "overlay.tunnel", "overlay.peers"],
  ...["overlay.listen", "overlay.routes", "overlay.local", "nat64.instance", "nat64.pool"],
]);

/**
 * @param config the parsed config
 * @param document what is really written there, without defaults
 */
export function presentOf(config: Config, document: unknown): Present {
  const { overlay, nat64 } = config;
  const yggdrasil = overlay.type === "yggdrasil" ? overlay : undefined;
  const daemon = typeof yggdrasil?.daemon === "string" ? yggdrasil.daemon : undefined;
  const list = (values: string[] | undefined) => values?.join(", ");
  const answers: [string, string | undefined][] = [
    ["role", config.prefix ? "gateway" : "node"],
    ["overlay", yggdrasil ? "yggdrasil" : overlay.interface],
    ["interface", yggdrasil ? undefined : overlay.interface],
    ["address", list([config.address, ...config.moreAddresses ?? []])],
    ["networks", list(overlay.routes.map((r) => r.to))],
    ...overlay.routes.map(({ to, via }): [string, string | undefined] => [viaOf(to), via]),
    ["peers", list(yggdrasil?.peers)],
    ["listen", list(yggdrasil?.listen)],
    ["local", list(yggdrasil?.local)],
    ["uplink", config.uplink],
    ["routed", config.routed],
    ["prefix", config.prefix],
    ["pool", nat64?.pool],
    ["instance", nat64?.instance],
  ];
  const named = yggdrasil === undefined || yggdrasil.interface === DEFAULTS.interface;
  const known = new Set([...KNOWN, ...(daemon ? ["overlay.daemon"] : []), ...(named ? ["overlay.interface"] : [])]);
  return {
    answers: new Map(answers.filter((pair): pair is [string, string] => (pair[1] ?? "") !== "")),
    settings: yggdrasil ? { tunnel: yggdrasil.tunnel, ...(daemon ? { daemon } : {}) } : {},
    leftOut: keysOf(document).filter((key) => !known.has(key)),
  };
}

/** Of both levels. */
function keysOf(document: unknown): string[] {
  const map = (value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value) ? value as Record<string, unknown> : undefined;
  return Object.entries(map(document) ?? {}).flatMap(([key, value]) =>
    ["overlay", "nat64"].includes(key) ? Object.keys(map(value) ?? {}).map((inner) => `${key}.${inner}`) : [key]
  );
}
