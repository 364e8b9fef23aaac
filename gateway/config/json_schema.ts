import { z } from "zod";
import { schema } from "./schema.ts";

/** The JSON Schema (draft 2020-12) of what a person writes, for editors: docs/crxn.schema.json is this, formatted. */
export function jsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(schema, { io: "input" });
}

/** The text of docs/crxn.schema.json. */
export function jsonSchemaText(): string {
  return `${JSON.stringify(jsonSchema(), null, 2)}\n`;
}
