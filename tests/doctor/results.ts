/** What the matrix saw when it was last run with UPDATE=1, by Debian; docs/doctor.md has it as a table. */

import type { Debian } from "../rig/images.ts";
import { declaredIds, type Fault } from "./fault.ts";
import { FAULTS } from "./list.ts";
import type { Seen } from "./suffer.ts";

const DEBIANS: readonly Debian[] = ["bookworm", "trixie"];
const fileOf = (debian: Debian) => new URL(`results/${debian}.json`, import.meta.url);

export function readResults(debian: Debian): Seen[] {
  try {
    return JSON.parse(Deno.readTextFileSync(fileOf(debian)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Puts one result in its place; results of faults that nobody makes any more go. */
export function keep(debian: Debian, seen: Seen): void {
  const others = readResults(debian).filter((row) => row.fault !== seen.fault);
  const rows = FAULTS.flatMap(({ name }) => [...others, seen].filter((row) => row.fault === name));
  const text = `[\n${rows.map((row) => `  ${JSON.stringify(row)}`).join(",\n")}\n]\n`;
  // In one step: somebody may be reading it.
  const file = fileOf(debian).pathname;
  Deno.writeTextFileSync(`${file}.new`, text);
  Deno.renameSync(`${file}.new`, file);
}

/** Whether it was seen as it is declared. */
export function asDeclared(fault: Fault, seen: Seen): boolean {
  return seen.named.toSorted().join() === declaredIds(fault) && seen.verdict === (fault.verdict ?? "fail") &&
    seen.hop === fault.hop &&
    seen.mended === fault.mended;
}

/** Where what was seen is not what is declared, and what was never seen: "DEBIAN: FAULT". */
export function missed(): string[] {
  return DEBIANS.flatMap((debian) => {
    const rows = readResults(debian);
    return FAULTS.filter(({ only }) => only === undefined || only === debian).filter((fault) => {
      const seen = rows.find((row) => row.fault === fault.name);
      return !seen || !asDeclared(fault, seen);
    }).map(({ name }) => `${debian}: ${name}`);
  });
}

/** Results of faults that are not in the matrix. */
export const stale = (): string[] =>
  DEBIANS.flatMap((debian) =>
    readResults(debian).filter((row) => !FAULTS.some(({ name }) => name === row.fault)).map((row) => row.fault)
  );

const OWNERS: Readonly<Record<Fault["owner"], string>> = {
  own: "the gateway",
  foreign: "somebody else here",
  far: "the far side",
  person: "you",
};

/** The table of docs/doctor.md, in Markdown. */
export function faultTable(): string {
  const rows = FAULTS.map((fault) => {
    const seen = DEBIANS.flatMap((debian) => readResults(debian).filter((row) => row.fault === fault.name));
    const each = (text: (row: Seen) => string) => [...new Set(seen.map(text))].join(" / ") || "not yet seen";
    const finding = each(({ verdict, named }) => verdict === "pass" ? "nothing" : `${verdict} ${named.join(", ")}`);
    return `| ${fault.name} | ${OWNERS[fault.owner]} | ${finding} | ${each((row) => row.hop ?? "-")} | ${
      each((row) => row.mended ? "yes" : "no")
    } |`;
  });
  return [
    "# What it makes of faults",
    "",
    `${FAULTS.length} faults, made one at a time on booted machines of Debian 12 and 13 (\`deno task test:doctor\`; with CRXN_FAULTS=all`,
    "UPDATE=1 it writes what it saw, and `UPDATE=1 deno task test:unit` this table). `mended` is by `crxn doctor --fix`. What",
    "belongs to somebody else it leaves alone, and prints what to do.",
    "",
    "| fault | whose it is | finding | path broken at | mended |",
    "|---|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}
