/**
 * Words for the schema, as plain data: a type of text, a list, a map of keys, and what is said of each. `schema_read.ts` reads
 * a good config by them; `schema_zod.ts` makes a schema of zod's of them, which says what is wrong with any other.
 */
import type { Kind } from "./values.ts";

/** What the JSON Schema says of it besides. */
export type About = {
  title?: string;
  description?: string;
  pattern?: string;
  examples?: string[];
};

/** The error text of a wrong type or choice, for explain.ts to take apart: what it should be, and how to write it. */
export type Want = string;
export const want = (noun: string, write: string): Want => `${noun}|${write}`;

/** What a value may be. `T` is what reading it gives. */
export interface Shape<T = unknown> {
  readonly form: Form;
  readonly about?: About;
  /** Never there: it carries the type. */
  readonly gives?: T;
}

export type Form =
  | { is: "text"; kind: Kind; want: Want }
  | { is: "word"; words: readonly (string | boolean)[]; want?: Want }
  | { is: "whole"; least: number; most: number; want: Want }
  | { is: "list"; item: Shape; want: Want; filled: boolean }
  | { is: "map"; keys: Record<string, Shape>; want?: Want }
  /** Of several shapes the first that fits; of several maps, where `by` is given, the one whose word stands there. */
  | { is: "either"; shapes: readonly Shape[]; want: Want; by?: string }
  | { is: "optional"; of: Shape }
  | { is: "default"; of: Shape; value: unknown };

export type Gives<S> = S extends Shape<infer T> ? T : never;
type Optional<T> = Shape<T | undefined> & { readonly optional: true };
type Keys = Record<string, Shape>;
type OptionalKeys<K extends Keys> = { [N in keyof K]: K[N] extends { optional: true } ? N : never }[keyof K];
/** What a map gives. */
type Filled<K extends Keys> =
  & { [N in Exclude<keyof K, OptionalKeys<K>>]: Gives<K[N]> }
  & { [N in OptionalKeys<K>]?: Gives<K[N]> };
export type MapShape<K extends Keys> = Shape<Filled<K>> & { readonly shape: K };

export const meta = <S extends Shape>(shape: S, about: About): S => ({ ...shape, about });

export const text = (kind: Kind, description: string, example: string): Shape<string> => ({
  form: { is: "text", kind, want: want(kind.noun, kind.write) },
  about: { description, pattern: kind.pattern, examples: [example] },
});

export const word = <const W extends readonly (string | boolean)[]>(words: W, wanted?: Want): Shape<W[number]> => ({
  form: { is: "word", words, ...(wanted ? { want: wanted } : {}) },
});

export const whole = (least: number, most: number, wanted: Want): Shape<number> => ({
  form: { is: "whole", least, most, want: wanted },
});

export const list = <T>(item: Shape<T>, write: string): Shape<T[]> => ({
  form: { is: "list", item, want: want("a list", write), filled: false },
});

/** One of these at least. */
export const some = <T>(item: Shape<T>, wanted: Want): Shape<T[]> => ({
  form: { is: "list", item, want: wanted, filled: true },
});

export const map = <K extends Keys>(keys: K, wanted?: Want): MapShape<K> => ({
  form: { is: "map", keys, ...(wanted ? { want: wanted } : {}) },
  shape: keys,
});

export const either = <S extends readonly Shape[]>(shapes: S, wanted: Want): Shape<Gives<S[number]>> => ({
  form: { is: "either", shapes, want: wanted },
});

/** Maps, told apart by the word behind a key. */
export const byWord = <S extends readonly Shape[]>(by: string, shapes: S, wanted: Want): Shape<Gives<S[number]>> => ({
  form: { is: "either", shapes, want: wanted, by },
});

export const optional = <T>(of: Shape<T>): Optional<T> => ({ form: { is: "optional", of }, optional: true });

/** What stands for it where the config says nothing. */
export const otherwise = <T>(of: Shape<T>, value: T): Shape<T> => ({ form: { is: "default", of, value } });
