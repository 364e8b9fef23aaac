import { type Finding, pathText, quote } from "./problem.ts";

/** A place in a file; both count from 1. */
export interface Place {
  line: number;
  column: number;
}

/** Where things stand in a YAML text. */
export interface Places {
  /** The place of a value, of its key, or, when it is not there, of the nearest thing that holds it. */
  at(path: (string | number)[], what?: "key" | "value"): Place;
  /** A scalar as it is written, without quotes; undefined for maps, lists and what is not there. */
  source(path: (string | number)[]): string | undefined;
  /** Mistakes of YAML itself, and the parts of YAML that have no business in this file. */
  findings: Finding[];
}

/** Reads the text with `yaml`, which knows places but takes longer to load than all the rest: only for what is wrong. */
export async function placesOf(text: string): Promise<Places> {
  const { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, parseDocument, visit } = await import(
    "./yaml_reader.ts"
  );
  const lines = new LineCounter();
  // Its own look for keys that are there twice compares each with each.
  const options = { prettyErrors: false, logLevel: "error", uniqueKeys: false } as const;
  const document = parseDocument(text, { ...options, lineCounter: lines });
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const findings: Finding[] = document.errors.map((error) => ({
    path: [],
    place: place(error.pos[0]),
    ...yamlText(error.code, error.message),
  }));
  const refuse = (offset: number, message: string, remedy: string) =>
    findings.push({ path: [], place: place(offset), message, remedy });

  visit(document, {
    Map(_, map) {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        if (!isScalar(key) || !key.range) continue;
        if (seen.has(key.value)) refuse(key.range[0], "this key is there twice", "remove one of the two");
        seen.add(key.value);
      }
    },
    Node(_, node) {
      if (!node.range) return;
      const start = node.range[0];
      // A node's range begins behind its anchor and tag.
      const before = (mark: string) => Math.max(text.lastIndexOf(mark, start), 0);
      if (isAlias(node)) refuse(start, `*${quote(node.source).slice(1, -1)} is an alias`, "write the value itself");
      else if (node.anchor) {
        refuse(
          before(`&${node.anchor}`),
          `&${quote(node.anchor).slice(1, -1)} is an anchor`,
          "this file has no aliases: remove it",
        );
      }
      if (node.tag) {
        refuse(
          Math.max(text.slice(0, start).search(/![^\s!]*!?[^\s!]*\s*$/), 0),
          `${quote(node.tag)} is a tag`,
          "this file has no tags: remove it",
        );
      }
      const written = isScalar(node) && node.type === "PLAIN" ? node.source ?? "" : "";
      // Octal, hexadecimal and binary, and digits with underscores. A key that starts with a zero is none of these.
      if (/^[-+]?(0[0-9_]+|0x[0-9A-Fa-f_]+|0[ob][0-7_]+|[0-9]+_[0-9_]*)$/.test(written)) {
        refuse(
          start,
          `${quote(written)} is read as different numbers by different programs`,
          "write it with decimal digits only, without leading zeros",
        );
      }
    },
    Pair(_, pair) {
      const key = pair.key;
      if (!isScalar(key) || !key.range) {
        const range = (key as { range?: [number] } | null)?.range;
        refuse(range?.[0] ?? 0, "a key here is a list or a map", "write keys as plain words, such as address:");
      } else if (key.value === "<<") refuse(key.range[0], "'<<' merges maps", "write the keys themselves");
    },
  });

  // A map with thousands of unknown keys is gone through once, not once for each.
  const indexes = new Map<unknown, Map<string, unknown>>();
  const pairIn = (map: { items: unknown[] }, key: string | number) => {
    let index = indexes.get(map);
    if (!index) {
      index = new Map();
      for (const item of map.items) {
        if (!isPair(item) || !isScalar(item.key)) continue;
        const name = String(item.key.value);
        // Of a key that is there twice the first.
        if (!index.has(name)) index.set(name, item);
      }
      indexes.set(map, index);
    }
    return typeof key === "string" ? index.get(key) : undefined;
  };
  const walk = (path: (string | number)[]): { offset: number; node?: unknown; whole: boolean } => {
    let node: unknown = document.contents;
    let offset = 0;
    for (const [index, step] of path.entries()) {
      const whole = index === path.length - 1;
      if (isSeq(node) && typeof step === "number" && node.items[step]) {
        node = node.items[step];
        offset = (node as { range?: [number] | null }).range?.[0] ?? offset;
      } else if (isMap(node)) {
        const pair = pairIn(node, step);
        if (!isPair(pair) || !isScalar(pair.key)) return { offset, whole: false };
        offset = pair.key.range?.[0] ?? offset;
        node = pair.value;
      } else return { offset, whole: false };
      if (whole) return { offset, node, whole };
    }
    return { offset, node, whole: true };
  };

  return {
    findings,
    at(path, what = "value") {
      const { offset, node, whole } = walk(path);
      const range = whole && what === "value" ? (node as { range?: [number] } | null)?.range : undefined;
      return place(range && path.length > 0 ? range[0] : offset);
    },
    source(path) {
      const { node, whole } = walk(path);
      if (!whole || !isScalar(node)) return undefined;
      return node.source ?? pathText([String(node.value)]);
    },
  };
}

function yamlText(code: string, message: string): { message: string; remedy: string } {
  const first = message.split("\n")[0]!.replace(/ at line \d+, column \d+:?$/, "");
  switch (code) {
    case "TAB_AS_INDENT":
      return { message: "a tab is used for indentation", remedy: "indent with spaces" };
    case "MULTIPLE_DOCS":
      return { message: "a second document starts here", remedy: "one file is one document: remove the ---" };
    case "BAD_SCALAR_START":
      return { message: `not YAML: ${quote(first).slice(1, -1)}`, remedy: "put the value in quotes" };
    case "MISSING_CHAR":
    case "BAD_INDENT":
      return {
        message: `not YAML: ${quote(first).slice(1, -1)}`,
        remedy: "close the quote or bracket, and indent with spaces",
      };
    default:
      return { message: `not YAML: ${quote(first).slice(1, -1)}`, remedy: "compare with `crxn init --example`" };
  }
}
