/** crxn.yaml(5), out of the JSON Schema of the config. */

import { bold, italic, type Page, paragraph, tagged, verbatim } from "./roff.ts";

/** As much of JSON Schema as the config's has. */
interface Schema {
  description?: string;
  type?: string;
  const?: unknown;
  enum?: unknown[];
  default?: unknown;
  minimum?: number;
  maximum?: number;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
}

/** What may stand there, in a word or a few. */
function kindOf(schema: Schema): string {
  const { type, items, anyOf, minimum, maximum } = schema;
  if (schema.const !== undefined) return String(schema.const);
  if (schema.enum) return schema.enum.join(" | ");
  if (anyOf) return [...new Set(anyOf.map(kindOf))].join(" | ");
  if (type === "array") {
    return `list of ${items ? kindOf(items) : "values"}`.replace(/^(list of )(.* \| .*)$/, "$1($2)");
  }
  if (type === "object") return "map";
  if (type === "integer" && minimum !== undefined && maximum !== undefined) return `${minimum} to ${maximum}`;
  return type === "string" ? "text" : type ?? "value";
}

/** Every key below, with its path from there. */
function keysOf(schema: Schema, path: string): string[] {
  const { properties = {}, required = [] } = schema;
  return Object.entries(properties).flatMap(([key, value]) => {
    const name = path === "" ? key : `${path}.${key}`;
    const notes = [
      value.description ?? "",
      required.includes(key) ? "Required." : "",
      value.default !== undefined ? `Default: ${String(value.default)}.` : "",
    ].filter((note) => note !== "").map((note) => /[.!?]$/.test(note) ? note : `${note}.`);
    // The two kinds of overlay have sections of their own.
    if (value.oneOf) return tagged(`${bold(name)} (${italic("map")})`, notes.join(" "));
    return [...tagged(`${bold(name)} (${italic(kindOf(value))})`, notes.join(" ")), ...below(value, name)];
  });
}

function below(schema: Schema, name: string): string[] {
  if (schema.properties) return keysOf(schema, name);
  if (schema.items) return below(schema.items, `${name}[]`);
  return (schema.anyOf ?? []).flatMap((one) => one.type === "object" ? below(one, name) : []);
}

/** @param schema of the whole file @param example a config with comments */
export function configPage(schema: Schema, example: string, seeAlso: string[]): Page {
  const kinds = schema.properties?.["overlay"]?.oneOf ?? [];
  return {
    name: "crxn.yaml",
    section: 5,
    summary: "config of a NAT64 gateway to an overlay network",
    sections: [
      ["DESCRIPTION", [
        ...paragraph(
          "`/etc/crxn/crxn.yaml` says what `crxn up` makes of the machine; --config names another file. It is YAML. " +
            "Unknown keys, wrong types and impossible values are errors with line and column, and nothing is touched " +
            "while there is one. As root, crxn reads no config that anybody but root can write.",
        ),
        ...paragraph("`crxn init --example` prints the example below, `crxn init --schema` a JSON Schema for editors."),
      ]],
      ["KEYS", keysOf(schema, "")],
      ...kinds.map((kind): [string, string[]] => [
        `OVERLAY OF TYPE ${String(kind.properties?.["type"]?.const).toUpperCase()}`,
        keysOf(kind, "overlay"),
      ]),
      ["EXAMPLE", verbatim(example)],
      ["SEE ALSO", seeAlso],
    ],
  };
}
