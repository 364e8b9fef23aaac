/** A report as a text in Markdown, which people paste. Pure. */

import { harmless } from "./ui.ts";

/** A program's call, and what it said. */
export interface Said {
  command: string;
  output: string;
}

/** The document `crxn.report/1`. Every part is text, or made of texts: each goes through `redact`. */
export interface Report {
  schema: "crxn.report/1";
  /** ISO 8601. */
  made: string;
  root: boolean;
  /** Addresses, names and keys have been exchanged. */
  hidden: boolean;
  versions: { crxn: string; kernel: string; debian: string; packages: Record<string, string> };
  /** Without its comments. `error`: why it cannot be used. */
  config: { file: string; text?: string; error?: string };
  /** As `crxn status` prints it. */
  status: string;
  doctor: {
    healthy?: boolean;
    path?: { hop: string; state: string }[];
    findings: {
      id: string;
      verdict: string;
      title: string;
      found?: string;
      want?: string;
      fix?: string[];
      evidence?: Said[];
    }[];
    error?: string;
  };
  /** What `up` would do. */
  plan: { lines: string[]; error?: string };
  /** Devices, addresses, routes, rules: each as its program prints it. */
  network: Said[];
  units: {
    unit: string;
    load: string;
    active: string;
    sub: string;
    enabled: string;
    result: string;
    restarts: number;
  }[];
  logs: { at: string; unit: string; level: string; text: string }[];
  /** What crxn made, and what was there before. */
  journal: string[];
}

/** The same with every text in it exchanged; lines that follow each other together. */
export function withTexts<T>(value: T, exchange: (text: string) => string): T {
  const walk = (value: unknown): unknown => {
    if (typeof value === "string") return exchange(value);
    if (Array.isArray(value)) {
      return value.length > 0 && value.every((v) => typeof v === "string" && !v.includes("\n"))
        ? exchange(value.join("\n")).split("\n")
        : value.map(walk);
    }
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, walk(inner)]));
  };
  return walk(value) as T;
}

/** The same with every text exchanged; many lines of a log may be one secret, so they are exchanged together. */
export function withStrings(report: Report, exchange: (text: string) => string): Report {
  const { schema, made, logs, ...rest } = report;
  const texts = withTexts(logs.map((l) => l.text.replaceAll("\n", "\\n")), exchange);
  return {
    schema,
    made,
    ...withTexts(rest, exchange),
    logs: logs.map((line, i) => ({ ...line, unit: exchange(line.unit), text: texts[i] ?? "" })),
  };
}

/** Comments are a person's own notes: left out, each line at its place. A line of YAML ends as YAML has it, and nowhere else. */
export const withoutComments = (text: string): string =>
  text.split(/\r\n|\r|\n/).map((line) => line.replace(/(^|\s)#[^]*$/, "")).join("\n").trimEnd();

/** Lines of one program that are shown. */
const MOST = 400;

/** Indented by four: nothing in it can end a block of code. */
function block(text: string, most: number): string[] {
  const lines = harmless(text).trimEnd().split("\n");
  const shown = lines.slice(0, most).map((l) => `    ${l}`.trimEnd());
  return ["", ...shown, ...(lines.length > most ? [`    (${lines.length - most} lines more)`] : []), ""];
}

const section = (title: string, text: string, most = MOST): string[] => [
  `## ${title}`,
  ...block(text === "" ? "(nothing)" : text, most),
];

export function reportText(report: Report): string {
  const { versions, config, status, doctor, plan, network, units, logs, journal } = report;
  const packages = Object.entries(versions.packages).map(([name, version]) => `${name} ${version}`);
  const unitLines = units.map((u) =>
    `${u.unit}: ${u.load}, ${u.active} (${u.sub}), ${u.enabled || "not enabled"}, result ${
      u.result || "none"
    }, restarts ${u.restarts}`
  );
  return [
    `# crxn report of ${report.made}`,
    "",
    "Private keys, passwords and people's comments are left out (`[redacted]`, `[comment]`).",
    report.hidden
      ? "Public addresses, names of hosts and keys are exchanged, each for the same one every time."
      : "Addresses, names of hosts and public keys are real; `--hide-addresses` exchanges them.",
    ...(report.root ? [] : ["It was not made by root: much could not be seen."]),
    "",
    ...section(
      "Versions",
      [`crxn ${versions.crxn}`, `Linux ${versions.kernel}`, versions.debian, ...packages].join("\n"),
    ),
    ...section(`Config: ${config.file}`, [config.text ?? "", config.error ?? ""].filter((t) => t !== "").join("\n\n")),
    ...section("Status", status),
    ...section("Doctor", doctorText(doctor)),
    ...doctor.findings.flatMap((f) => f.evidence ?? []).flatMap(({ command, output }) =>
      section(`$ ${command}`, output)
    ),
    ...section("What `crxn up` would do", plan.error ?? plan.lines.join("\n")),
    ...network.flatMap(({ command, output }) => section(`$ ${command}`, output)),
    ...section("Units", unitLines.join("\n")),
    // As many as were asked for.
    ...section("Logs", logs.map((l) => `${l.at} ${l.unit} ${l.level}: ${l.text}`).join("\n"), Infinity),
    ...section("Journal of crxn: what it made, and what was there before", journal.join("\n")),
  ].join("\n").trimEnd();
}

function doctorText({ healthy, path, findings, error }: Report["doctor"]): string {
  if (error !== undefined) return error;
  const wrong = findings.filter((f) => f.verdict !== "pass" && f.verdict !== "skip");
  const names = (verdict: string) => findings.filter((f) => f.verdict === verdict).map((f) => f.id).join(", ");
  return [
    healthy ? "healthy" : "not healthy",
    (path ?? []).map(({ hop, state }) => `${hop}: ${state}`).join(", "),
    ...wrong.flatMap(({ id, verdict, title, found, want, fix = [] }) => [
      `${verdict}: ${id}: ${title}`,
      ...(found === undefined ? [] : [`  found: ${found}`]),
      ...(want === undefined ? [] : [`  want: ${want}`]),
      ...fix.map((command) => `  fix: ${command}`),
    ]),
    `pass: ${names("pass")}`,
    `skip: ${names("skip")}`,
  ].join("\n");
}
