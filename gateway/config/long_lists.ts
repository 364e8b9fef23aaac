/**
 * Reads the YAML of a config with thousands of entries in long lists: entries of one line that can mean only one thing need no
 * parser of YAML. Pure.
 */

import { parse as parseYaml } from "@std/yaml";

/** Rows of so many entries and more are taken out of the text. */
const MANY = 64;

/** Digits and dots with two dots at least, which YAML has no other meaning for; or what is in quotes, without any escape. */
const VALUE = String.raw`(\d+\.\d+\.[\d.]*\d(?:/\d+)?|"[\da-fA-F:./]*"|'[\da-fA-F:./]*')`;
const KEY = "([a-z][a-z0-9]*)";
/** `- to: 10.0.0.0/8`, or `- {ipv4: 10.5.0.2, ipv6: "2001:db8::2"}`: an entry that ends where its line does. */
const ENTRY = new RegExp(`^( +)- (?:${KEY}: ${VALUE}|\\{${KEY}: ${VALUE}, ${KEY}: ${VALUE}\\})$`);

interface Row {
  /** Of the lines; the first and the last entry stay, so that what is around the row is read as ever. */
  first: number;
  last: number;
  indent: string;
  entries: Record<string, string>[];
}

/** What YAML makes of the text. @throws SyntaxError as @std/yaml does */
export function parseLong(text: string): unknown {
  const lines = text.split("\n");
  const rows = rowsOf(lines);
  return (rows.length > 0 ? withoutRows(text, lines, rows) : undefined) ?? parseYaml(text);
}

/** Undefined where a row is not what it looks like: inside a text of several lines it is no list. */
function withoutRows(text: string, lines: string[], rows: Row[]): unknown {
  let mark = "row of entries";
  while (text.includes(mark)) mark += "!";
  const short: string[] = [];
  let next = 0;
  for (const [i, { first, last, indent }] of rows.entries()) {
    short.push(...lines.slice(next, first), `${indent}- ${mark} ${i}`);
    next = last + 1;
  }
  short.push(...lines.slice(next));
  let document: unknown;
  try {
    document = parseYaml(short.join("\n"));
  } catch {
    // The whole text says where.
    return undefined;
  }
  const byMark = new Map(rows.map((row, i) => [`${mark} ${i}`, row]));
  putBack(document, byMark);
  return byMark.size === 0 ? document : undefined;
}

/** @param seen what an alias names may hold itself */
function putBack(value: unknown, rows: Map<string, Row>, seen = new Set<unknown>()): void {
  if (typeof value !== "object" || value === null || seen.has(value)) return;
  seen.add(value);
  for (const inner of Object.values(value)) putBack(inner, rows, seen);
  if (!Array.isArray(value)) return;
  for (let i = value.length - 1; i >= 0; i--) {
    const row = rows.get(value[i]);
    if (row && rows.delete(value[i])) value.splice(i, 1, ...row.entries);
  }
}

function rowsOf(lines: string[]): Row[] {
  const rows: Row[] = [];
  for (let first = 0; first < lines.length; first++) {
    const entry = entryOf(lines[first]!);
    if (!entry) continue;
    const entries = [];
    let last = first;
    for (let next = entryOf(lines[last + 1] ?? ""); next?.indent === entry.indent;) {
      entries.push(next.entry);
      next = entryOf(lines[++last + 1] ?? "");
    }
    // Without the last one.
    entries.pop();
    if (entries.length >= MANY) rows.push({ first: first + 1, last: last - 1, indent: entry.indent, entries });
    first = last;
  }
  return rows;
}

function entryOf(line: string): { indent: string; entry: Record<string, string> } | undefined {
  const [, indent, ...found] = ENTRY.exec(line) ?? [];
  if (indent === undefined) return undefined;
  const [key, value, key1, value1, key2, value2] = found;
  if (key !== undefined) return { indent, entry: { [key]: plain(value!) } };
  return key1 === key2 ? undefined : { indent, entry: { [key1!]: plain(value1!), [key2!]: plain(value2!) } };
}

const plain = (value: string): string => /^["']/.test(value) ? value.slice(1, -1) : value;
