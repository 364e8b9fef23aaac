/** From an issue of zod to what a person can act on. Loaded only when something is wrong. */
import { levenshteinDistance } from "@std/text/levenshtein-distance";
import type { Places } from "./places.ts";
import { type Finding, quote } from "./problem.ts";
import { KEYS } from "./schema.ts";

/** The part of a zod issue that is used here. */
export interface Issue {
  code: string;
  path: PropertyKey[];
  message: string;
  keys?: string[];
  params?: Record<string, unknown>;
  /** Of a union: the issues of each of its forms. */
  errors?: Issue[][];
}

type Path = Finding["path"];

/** What is wrong and what would be right, for each issue of the schema. */
export function explain(issues: Issue[], document: unknown, places: Places): Finding[] {
  return issues.flatMap((issue) => {
    const path = issue.path.map((key) => typeof key === "number" ? key : String(key));
    if (issue.code === "unrecognized_keys") return (issue.keys ?? []).map((key) => unknownKey(path, key, document));
    if (issue.code === "custom") return [bad(path, issue, document)];
    const branch = branchOf(issue, lookup(document, path));
    if (branch) {
      const inside = branch.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
      return explain(inside, document, places);
    }
    return [wrongType(path, issue, document, places)];
  });
}

/** Of a daemon, which is a path or a map, the mistakes in the form that was meant; undefined where neither was. */
function branchOf({ path, errors }: Issue, value: unknown): Issue[] | undefined {
  if (path.at(-1) !== "daemon" || !errors) return undefined;
  if (typeof value === "string") return errors[0];
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date)
    ? errors[1]
    : undefined;
}

function bad(path: Path, issue: Issue, document: unknown): Finding {
  const value = String(lookup(document, path));
  return { path, value, message: `${quote(value)} ${issue.message}`, remedy: String(issue.params?.remedy) };
}

function wrongType(path: Path, issue: Issue, document: unknown, places: Places): Finding {
  const [noun = "", write = ""] = issue.message.split("|");
  const name = path.at(-1);
  if (!present(document, path)) {
    const where = path.length === 1 ? "" : ` in ${path.slice(0, -1).filter((key) => typeof key === "string").at(-1)}`;
    return { path, message: `${name} is missing${where}`, remedy: `write ${write}` };
  }
  const value = lookup(document, path);
  if (value === null) return { path, message: "nothing is written here", remedy: `write ${write}, or remove the key` };
  if (issue.code === "too_small" && Array.isArray(value)) {
    return { path, message: `is an empty list, not ${noun}`, remedy: `write ${write}` };
  }
  if (typeof value === "object" && !(value instanceof Date)) {
    return { path, message: `is a ${Array.isArray(value) ? "list" : "map"}, not ${noun}`, remedy: `write ${write}` };
  }
  const source = places.source(path) ?? String(value);
  // The value that is wrong here may be a string; only what YAML took for something else needs quotes.
  if (typeof value === "string") {
    return { path, value: source, message: `${quote(source)} is not ${noun}`, remedy: `write ${write}` };
  }
  const type = value instanceof Date ? "a date" : typeof value === "number" ? "a number" : "true or false";
  const quotes = typeof value === "number" && /number|size/.test(noun)
    ? ""
    : `, in quotes where YAML would read something else`;
  return {
    path,
    value: source,
    message: `${quote(source)} is ${quotes ? `read by YAML as ${type}, not ` : "not "}${noun}`,
    remedy: `write ${write}${quotes}`,
  };
}

function unknownKey(parent: Path, key: string, document: unknown): Finding {
  const path = [...parent, key];
  const where = parent.map((step) => typeof step === "number" ? "[]" : `.${step}`).join("").slice(1);
  const type = String(lookup(document, ["overlay", "type"]));
  const known = KEYS[where === "overlay" ? `overlay:${type}` : where] ?? [];
  const at = "key" as const;
  const other = type === "yggdrasil" ? "interface" : "yggdrasil";
  if (where === "overlay" && KEYS[`overlay:${other}`]!.includes(key)) {
    return {
      path,
      at,
      message: `${key} belongs to type: ${other}, and this overlay is type: ${type}`,
      remedy: `remove it, or write type: ${other}`,
    };
  }
  const message = `${quote(key)} is not a key ${where === "" ? "of this file" : `of ${where}`}`;
  const home = Object.entries(KEYS).find(([name, keys]) => keys.includes(key) && !name.includes("[]"));
  const close = known.map((word) => ({ word, distance: levenshteinDistance(key.toLowerCase().slice(0, 40), word) }))
    .sort((a, b) => a.distance - b.distance)[0];
  if (home && !known.includes(key)) {
    const place = home[0] === ""
      ? "it belongs to the left edge of the file"
      : `it belongs below ${home[0].split(":")[0]}:`;
    return { path, at, message, remedy: place };
  }
  if (close && close.distance <= Math.max(2, key.length / 3)) {
    return { path, at, message, remedy: `did you mean ${close.word}?` };
  }
  return { path, at, message, remedy: `remove it; known are ${known.join(", ")}` };
}

function lookup(document: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, key)
        ? value[key as keyof typeof value]
        : undefined,
    document,
  );
}

function present(document: unknown, path: Path): boolean {
  return lookup(document, path) !== undefined;
}
