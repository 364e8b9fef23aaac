/** Reads a good config by the schema, without zod: loading and building that takes longer than all the rest of reading. */
import { Fault } from "./problem.ts";
import type { Shape } from "./schema_words.ts";

/** What is read of a value that does not fit: what is wrong with it, `schema_zod.ts` says. */
const REFUSED = Symbol("refused");

/** @returns undefined for anything that is not plainly good; what this accepts, zod accepts too, with the same result */
export function read<T>(shape: Shape<T>, value: unknown): T | undefined {
  const found = readAny(shape, value);
  return found === REFUSED ? undefined : found as T;
}

function readAny({ form }: Shape, value: unknown): unknown {
  switch (form.is) {
    case "text":
      return typeof value === "string" ? unlessFaulty(() => form.kind.read(value)) : REFUSED;
    case "word":
      return form.words.includes(value as string) ? value : REFUSED;
    case "whole": {
      const fits = Number.isSafeInteger(value) && form.least <= (value as number) && (value as number) <= form.most;
      return fits ? value : REFUSED;
    }
    case "list":
      return readList(form.item, value, form.filled);
    case "map":
      return readMap(form.keys, value);
    case "either": {
      const { by, shapes } = form;
      for (const shape of by === undefined ? shapes : shapes.filter((s) => isMeant(s, by, value))) {
        const found = readAny(shape, value);
        if (found !== REFUSED) return found;
      }
      return REFUSED;
    }
    case "optional":
    case "default":
      return readAny(form.of, value);
  }
}

function unlessFaulty(reader: () => string): string | typeof REFUSED {
  try {
    return reader();
  } catch (fault) {
    if (fault instanceof Fault) return REFUSED;
    throw fault;
  }
}

function readList(item: Shape, value: unknown, filled: boolean): unknown {
  if (!Array.isArray(value) || (filled && value.length === 0)) return REFUSED;
  const found: unknown[] = [];
  for (const one of value) {
    const read = readAny(item, one);
    if (read === REFUSED) return REFUSED;
    found.push(read);
  }
  return found;
}

const isPlain = (value: unknown): value is Record<string, unknown> => {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
};

/** In the order of the schema's keys. */
function readMap(keys: Record<string, Shape>, value: unknown): unknown {
  if (!isPlain(value)) return REFUSED;
  let known = 0;
  const found: Record<string, unknown> = {};
  for (const key in keys) {
    const shape = keys[key]!;
    if (Object.hasOwn(value, key)) {
      const read = readAny(shape, value[key]);
      if (read === REFUSED) return REFUSED;
      found[key] = read;
      known++;
    } else if (shape.form.is === "default") found[key] = copyOf(shape.form.value);
    else if (shape.form.is !== "optional") return REFUSED;
  }
  return known === Object.keys(value).length ? found : REFUSED;
}

/** What a default gives is its reader's own. */
const copyOf = (value: unknown): unknown => Array.isArray(value) ? [...value] : value;

/** Whether a map is the one with that word behind that key. */
function isMeant({ form }: Shape, by: string, value: unknown): boolean {
  const word = form.is === "map" ? form.keys[by]?.form : undefined;
  return word?.is === "word" && isPlain(value) && word.words.includes(value[by] as string);
}
