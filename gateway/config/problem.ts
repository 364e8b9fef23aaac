import { CrxnError, Exit } from "../errors.ts";
import { redactUsers } from "../redact_uri.ts";

/** One mistake in a config: where (line and column count from 1), which value, what is wrong and what would be right. */
export interface Problem {
  file: string;
  line: number;
  column: number;
  /** Where in the document: "overlay.routes[0].via"; "" for the document itself. */
  path: string;
  value?: string;
  message: string;
  remedy: string;
}

/** A problem before its place is looked up. `at: "key"` points at the key instead of the value. */
export interface Finding {
  path: (string | number)[];
  at?: "key" | "value";
  /** Known already for mistakes of YAML itself. */
  place?: { line: number; column: number };
  value?: string;
  message: string;
  remedy: string;
}

/** What is wrong with one value; the message goes on after the quoted value: "is not ...". */
export class Fault extends Error {
  override name = "Fault";
  constructor(message: string, readonly remedy: string) {
    super(message);
  }
}

/** What is read; undefined where it is refused with a {@linkcode Fault}. */
export function unlessRefused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

/** The text without what must not be repeated: passwords of peers, and a private key (128 hex digits) in the wrong place. */
export function redact(text: string): string {
  return redactUsers(text, "***").replace(/(password=)[^&\s]+/gi, "$1***")
    .replace(/[0-9a-f]{100,}/gi, (hex) => `***${hex.length} hex digits***`);
}

/** Of one value: all before its `@` belongs together, spaces as well. */
const redactValue = (text: string): string =>
  redact(/\s/.test(text) && text.includes("@") ? text.replace(/^(\w+:\/\/)?[^@]*:[^]*@/, "$1***@") : text);

/** Text of a stranger in quotes, shortened and redacted: no control character reaches a terminal. */
export function quote(text: string): string {
  const hidden = redactValue(text);
  const short = hidden.length > 100 ? `${hidden.slice(0, 97)}...` : hidden;
  return JSON.stringify(short).replace(
    /[^\x20-\x7e]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** `"VALUE" MESSAGE — REMEDY`: why a text was refused. @throws what is no {@linkcode Fault} */
export function refusal(error: unknown, text: string): string {
  if (!(error instanceof Fault)) throw error;
  return `${quote(text)} ${error.message} — ${error.remedy}`;
}

/** "overlay.routes[0].via" */
export function pathText(path: (string | number)[]): string {
  return path.map((key, index) => {
    if (typeof key === "number") return `[${key}]`;
    const name = /^[\w-]{1,64}$/.test(key) ? key : quote(key);
    return index === 0 ? name : `.${name}`;
  }).join("");
}

/** "FILE:LINE:COLUMN: PATH: MESSAGE — REMEDY" */
export function problemText(problem: Problem): string {
  const path = problem.path === "" ? "" : `${problem.path}: `;
  return `${problem.file}:${problem.line}:${problem.column}: ${path}${problem.message} — ${problem.remedy}`;
}

/** Findings with their places looked up, in file order, one for each place and path. */
export function placed(
  findings: Finding[],
  file: string,
  at: (finding: Finding) => { line: number; column: number },
): Problem[] {
  const problems = findings.map((finding): Problem => ({
    file,
    ...(finding.place ?? at(finding)),
    path: pathText(finding.path),
    ...(finding.value === undefined ? {} : { value: redactValue(finding.value) }),
    message: finding.message,
    remedy: finding.remedy,
  }));
  const order = problems.map((problem, index) => ({ problem, index }))
    .sort((a, b) => a.problem.line - b.problem.line || a.problem.column - b.problem.column || a.index - b.index)
    .map(({ problem }) => problem);
  const seen = new Set<string>();
  return order.filter(({ line, column, path, message }) => {
    const key = `${line}:${column}:${path}\0${message}`;
    return !seen.has(key) && seen.add(key);
  });
}

/** More lines than this help nobody; `problems` has them all. */
const MOST_LINES = 25;

/** All that is wrong with a config, in file order; one line of message for each problem. Ends with 78. */
export class ConfigError extends CrxnError {
  override name = "ConfigError";
  constructor(readonly problems: Problem[]) {
    const lines = problems.slice(0, MOST_LINES).map(problemText);
    if (problems.length > MOST_LINES) lines.push(`... and ${problems.length - MOST_LINES} more problems`);
    super(Exit.config, lines.join("\n"), undefined, { json: { problems } });
  }
}
