/** What the doctor says: JSON for programs, a page of 80 columns for people. Pure but for the colours. */

import type { CheckInput, Finding, Verdict } from "../checks/check.ts";
import type { Station } from "../checks/path.ts";
import { commandLine } from "../gateway/action.ts";
import { wrap } from "../gateway/wrap.ts";
import type { Paint } from "./ui.ts";

export interface Report {
  healthy: boolean;
  path: Station[];
  findings: Finding[];
  /** With --fix: what was done about each finding. */
  fixed?: Fixed[];
}

/** A look at the machine, and what the checks made of it. */
export interface Examined {
  input: CheckInput;
  report: Report;
}

/** What became of a finding. `left`: not crxn's to change. */
export interface Fixed {
  id: string;
  result: "mended" | "failed" | "left";
  found: string;
  reason?: string;
  /** For `left`: what to run by hand, each an argv. */
  commands?: string[][];
  /** For `failed`: the end of the log of the unit it is about. */
  log?: string;
}

/** The document of docs/contract.md. */
export const reportJson = ({ healthy, path, findings, fixed }: Report) => ({
  schema: "crxn.doctor/1",
  healthy,
  path,
  // What --fix would do is crxn's own business.
  findings: findings.map(({ id, verdict, title, hop, found, want, why, fix, evidence }) => ({
    id,
    verdict,
    ...(hop ? { hop } : {}),
    title,
    ...(found === undefined ? {} : { found }),
    ...(want === undefined ? {} : { want }),
    why,
    ...(fix ? { fix } : {}),
    ...(evidence ? { evidence } : {}),
  })),
  ...(fixed ? { fixed } : {}),
});

const MARKS: Record<Verdict, string> = { pass: "ok", warn: "warn", fail: "FAIL", skip: "-", unknown: "?" };
const WIDTH = 80;

export function reportLines({ path, findings, fixed }: Report, input: CheckInput, paint: Paint): string[] {
  return [
    ...(fixed && fixed.length > 0 ? [...fixedLines(fixed, paint), ""] : []),
    ...pathLines(path, input, paint),
    "",
    ...listLines(findings, paint),
    "",
    ...verdictLines(findings, input, paint),
  ];
}

/** What is wrong comes first, in the order of the path; what is well then needs no more than its name. */
function listLines(findings: Finding[], paint: Paint): string[] {
  const of = (verdict: Verdict) => findings.filter((f) => f.verdict === verdict);
  const faults = of("fail");
  if (faults.length === 0) {
    return [...of("warn"), ...findings.filter((f) => f.verdict !== "warn")].flatMap((f) => findingLines(f, paint));
  }
  const names = (mark: string, list: Finding[], style: (text: string) => string) =>
    wrap(list.map((f) => f.id).join(", "), WIDTH - 5).map((l, i) => style(`${(i === 0 ? mark : "").padEnd(4)} ${l}`));
  return [
    ...[...faults, ...of("warn"), ...of("unknown")].flatMap((f) => findingLines(f, paint)),
    ...(of("pass").length > 0 ? names(MARKS.pass, of("pass"), paint.green) : []),
    ...(of("skip").length > 0 ? names(MARKS.skip, of("skip"), paint.dim) : []),
  ];
}

function findingLines(finding: Finding, paint: Paint): string[] {
  const { id, verdict, title, found, want, why, fix } = finding;
  const colour =
    { pass: paint.green, warn: paint.yellow, fail: paint.red, skip: paint.dim, unknown: paint.yellow }[verdict];
  const head = (text: string) => {
    const [first = "", ...more] = wrap(text, WIDTH - 25);
    return [`${colour(MARKS[verdict].padEnd(4))} ${id.padEnd(19)} ${first}`, ...more.map((l) => " ".repeat(25) + l)];
  };
  if (verdict === "pass") return head(found ? `${found}` : title);
  if (verdict === "skip" || verdict === "unknown") {
    return head(found ?? title).map((l) => verdict === "skip" ? paint.dim(l) : l);
  }
  return [
    ...head(title),
    ...detail("found", found),
    ...detail("want", want),
    ...detail("why", why),
    ...(fix ?? []).map((argv, i) => `     ${(i === 0 ? "fix" : "").padEnd(6)} ${paint.bold(commandLine(argv))}`),
  ];
}

/** What --fix did, and did not. */
function fixedLines(fixed: Fixed[], paint: Paint): string[] {
  const marks = { mended: paint.green("mended"), failed: paint.red("not mended"), left: paint.yellow("not touched") };
  const indented = (text: string) => text.split("\n").flatMap((l) => wrap(l, WIDTH - 5)).map((l) => `     ${l}`);
  return fixed.flatMap(({ id, result, found, reason, commands = [], log = "" }) => [
    `${marks[result]}: ${id}`,
    ...detail("found", found),
    ...detail("why", reason),
    ...commands.map((argv, i) => `     ${(i === 0 ? "fix" : "").padEnd(6)} ${paint.bold(commandLine(argv))}`),
    ...log.split("\n").filter((l) => l !== "").flatMap((l) => indented(`| ${l}`)),
  ]);
}

function detail(name: string, text: string | undefined): string[] {
  if (text === undefined) return [];
  return wrap(text, WIDTH - 12).map((line, i) => `     ${(i === 0 ? name : "").padEnd(6)} ${line}`);
}

/** The path with the state of each station below it; one station a line where that is too long. */
function pathLines(path: Station[], { blueprint }: CheckInput, paint: Paint): string[] {
  const { config, facts, overlayDevice, workers } = blueprint;
  const target = config.overlay.routes.map((r) => r.to).join(" ") || "overlay";
  const labels = {
    uplink: `[${facts.uplink.name}]`,
    translator: `[${workers[0]?.device ?? ""}${workers.length > 1 ? ` x${workers.length}` : ""}]`,
    forward: "[forward]",
    overlay: `[${overlayDevice}]`,
    target,
  };
  const state = (s: Station) => ({ ok: "ok", broken: "BROKEN", unknown: "?" })[s.state];
  const colour = (s: Station) => ({ ok: paint.green, broken: paint.red, unknown: paint.dim })[s.state];
  const cells = path.map((s) => ({
    label: labels[s.hop],
    width: Math.max(labels[s.hop].length, state(s).length),
    station: s,
  }));
  const start = config.nat64 ? "IPv6 --" : "here --";
  const line = start + cells.map((c) => centre(c.label, c.width)).join("--");
  if (line.length > WIDTH) return cells.map((c) => `  ${c.label.padEnd(24)} ${colour(c.station)(state(c.station))}`);
  return [
    line,
    " ".repeat(start.length) +
    cells.map((c, i) => {
      const text = centre(state(c.station), c.width);
      return colour(c.station)(i === cells.length - 1 ? text.trimEnd() : text);
    }).join("  "),
  ];
}

function centre(text: string, width: number): string {
  const left = Math.floor((width - text.length) / 2);
  return " ".repeat(left) + text + " ".repeat(width - text.length - left);
}

const count = (n: number, what: string) => `${n} ${what}${n === 1 ? "" : "s"}`;

function verdictLines(findings: Finding[], { survey }: CheckInput, paint: Paint): string[] {
  const of = (verdict: Verdict) => findings.filter((f) => f.verdict === verdict);
  const warnings = of("warn").length > 0 ? `, ${count(of("warn").length, "warning")}` : "";
  const unknown = of("unknown").length > 0
    ? `, ${of("unknown").length} could not be told${survey.root ? "" : " without root"}`
    : "";
  const faults = of("fail");
  if (faults.length === 0) return [`${paint.green("healthy")}${warnings}${unknown}`];
  const number = count(faults.length, "fault");
  const line = `${paint.red(number)}${warnings}${unknown}`;
  if (!faults.some((f) => f.mend)) return [line];
  const mendable = "`crxn doctor --fix` mends what is the gateway's own.";
  const width = `${number}${warnings}${unknown}. ${mendable}`.length;
  return width <= WIDTH ? [`${line}. ${mendable}`] : [`${line}.`, mendable];
}
