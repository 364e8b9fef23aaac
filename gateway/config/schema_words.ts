/** Words for the schema: a type of text, a list, what is said of each, and what is used where the config says nothing. */
import * as z from "zod/mini";
import { Fault } from "./problem.ts";
import type { Kind } from "./values.ts";

// One config is read, once: code made for that would cost more than it saves.
z.config({ jitless: true });

/**
 * The error text of a wrong type or choice, for explain.ts to take apart: what it should be, and how to write it.
 * A reader's own fault comes as a "custom" issue with the remedy in `params`.
 */
export const want = (noun: string, write: string) => ({ error: () => `${noun}|${write}` });

/** What the JSON Schema says of it besides. */
export function meta<T extends z.ZodMiniType>(item: T, about: z.core.GlobalMeta): T {
  z.globalRegistry.add(item, about);
  return item;
}

export function text(kind: Kind, description: string, example: string) {
  const read = z.transform((value: string, ctx) => {
    try {
      return kind.read(value);
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault;
      ctx.issues.push({ code: "custom", message: fault.message, input: value, params: { remedy: fault.remedy } });
      return z.NEVER;
    }
  });
  return meta(z.pipe(z.string(want(kind.noun, kind.write)), read), {
    description,
    pattern: kind.pattern,
    examples: [example],
  });
}

export const list = <T extends z.ZodMiniType>(item: T, write: string) => z.array(item, want("a list", write));
