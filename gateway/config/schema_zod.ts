/** The schema as zod has it: for what is wrong with a config, and for the JSON Schema. Loaded only for these. */
import * as z from "zod/mini";
import type { Issue } from "./explain.ts";
import { Fault } from "./problem.ts";
import { schema } from "./schema.ts";
import type { Form, Shape, Want } from "./schema_words.ts";
import type { Kind } from "./values.ts";

// One config is read, once: code made for that would cost more than it saves.
z.config({ jitless: true });

type Type = z.ZodMiniType;

/** The whole file. */
export const zodSchema = (): Type => typeOf(schema);

/** What zod makes of a document: data by the schema, or what is wrong. A reader's own fault is "custom", with the remedy in `params`. */
export function judge(document: unknown): { data: unknown } | { issues: Issue[] } {
  const result = zodSchema().safeParse(document);
  return result.success ? { data: result.data } : { issues: result.error.issues as unknown as Issue[] };
}

function typeOf({ form, about }: Shape): Type {
  const type = plainTypeOf(form);
  if (about) z.globalRegistry.add(type, about);
  return type;
}

const error = (want: Want | undefined) => want === undefined ? undefined : { error: () => want };

function plainTypeOf(form: Form): Type {
  switch (form.is) {
    case "text":
      return textOf(form.kind, form.want);
    case "word": {
      const [first, ...more] = form.words;
      if (more.length === 0) return z.literal(first!, error(form.want));
      return z.enum(form.words as readonly string[] as [string, ...string[]], error(form.want));
    }
    case "whole": {
      const said = error(form.want);
      return z.int(said).check(z.minimum(form.least, said), z.maximum(form.most, said));
    }
    case "list": {
      const said = error(form.want);
      const all = z.array(typeOf(form.item), said);
      return form.filled ? all.check(z.minLength(1, said)) : all;
    }
    case "map":
      return z.strictObject(
        Object.fromEntries(Object.entries(form.keys).map(([key, shape]) => [key, typeOf(shape)])),
        error(form.want),
      );
    case "either": {
      const types = form.shapes.map(typeOf);
      if (form.by === undefined) return z.union(types as [Type, Type], error(form.want));
      return z.discriminatedUnion(form.by, types as unknown as [z.ZodMiniObject, z.ZodMiniObject], error(form.want));
    }
    case "optional":
      return z.optional(typeOf(form.of));
    case "default":
      return z._default(typeOf(form.of), form.value as never);
  }
}

function textOf(kind: Kind, want: Want): Type {
  const read = z.transform((value: string, ctx) => {
    try {
      return kind.read(value);
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault;
      ctx.issues.push({ code: "custom", message: fault.message, input: value, params: { remedy: fault.remedy } });
      return z.NEVER;
    }
  });
  return z.pipe(z.string(error(want)), read);
}
