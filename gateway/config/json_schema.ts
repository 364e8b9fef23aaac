import { toJSONSchema } from "zod/mini";
import { zodSchema } from "./schema_zod.ts";

/** The JSON Schema (draft 2020-12) of what a person writes, for editors: docs/crxn.schema.json is this, formatted. */
export function jsonSchema(): Record<string, unknown> {
  const whole = toJSONSchema(zodSchema(), { io: "input" }) as {
    properties: Record<string, { description?: string; items?: object }>;
  };
  const { address } = whole.properties;
  // One address needs no list (parse.ts).
  whole.properties["address"] = { description: address!.description, anyOf: [address!.items!, address] } as object;
  return whole;
}

/** The text of docs/crxn.schema.json. */
export function jsonSchemaText(): string {
  return `${JSON.stringify(jsonSchema(), null, 2)}\n`;
}
