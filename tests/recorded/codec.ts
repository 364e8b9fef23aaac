/** What doctor saw on a machine as JSON, whole or as the difference to another one. Pure. */

import type { CheckInput } from "../../checks/check.ts";
import { blueprint } from "../../gateway/blueprint.ts";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Tree = { [key: string]: Json };

/** A path of keys and what is there now; without a value it is gone. */
export type Change = [path: string[], value?: Json];

/** The blueprint is computed anew from config and facts, so that a recording does not keep an old one. */
export function encode(input: CheckInput): Json {
  const { blueprint: { config, facts }, ...rest } = input;
  const text = JSON.stringify(
    { config, facts, ...rest },
    (key, value) => value instanceof Map ? { $map: [...value] } : key === "base64" ? "" : value,
  );
  return JSON.parse(withoutSecrets(text));
}

export function decode(json: Json): CheckInput {
  const { config, facts, ...rest } = revived(json) as Record<string, never>;
  return { blueprint: blueprint(config!, facts!), ...rest } as unknown as CheckInput;
}

/** A private key of yggdrasil is 64 digits of secret and the 64 of the public key: the first half is zeros in a recording. */
const withoutSecrets = (text: string) =>
  text.replace(/(?<![0-9a-f])[0-9a-f]{64}(?=[0-9a-f]{64}(?![0-9a-f]))/g, "0".repeat(64));

/** Whether a text has a private key in it. */
export const hasSecret = (text: string): boolean => withoutSecrets(text) !== text;

function revived(json: Json): unknown {
  if (json === null || typeof json !== "object") return json;
  if (Array.isArray(json)) return json.map(revived);
  if (Array.isArray(json["$map"])) return new Map(json["$map"].map(revived) as [unknown, unknown][]);
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, revived(value)]));
}

/** What makes `after` of `before`. A list is one value. */
export function difference(before: Json, after: Json, path: string[] = []): Change[] {
  if (!isTree(before) || !isTree(after)) {
    return JSON.stringify(before) === JSON.stringify(after) ? [] : [[path, after]];
  }
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return keys.flatMap((key): Change[] => {
    const here = [...path, key];
    if (after[key] === undefined) return [[here]];
    return before[key] === undefined ? [[here, after[key]]] : difference(before[key], after[key], here);
  });
}

/** The other way round. */
export function patched(before: Json, changes: Change[]): Json {
  const copy = structuredClone(before) as Tree;
  for (const [path, value] of changes) {
    let tree = copy;
    for (const key of path.slice(0, -1)) tree = tree[key] as Tree;
    const last = path.at(-1)!;
    if (value === undefined) delete tree[last];
    else tree[last] = value;
  }
  return copy;
}

const isTree = (json: Json): json is Tree => json !== null && typeof json === "object" && !Array.isArray(json);
