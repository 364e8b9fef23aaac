/** Findings in short, in doctor's words: for `up`, before and after. */

import type { Finding } from "../checks/check.ts";
import { commandLine } from "../gateway/action.ts";
import type { Paint } from "./ui.ts";

export const briefLines = (findings: Finding[], paint: Paint): string[] =>
  findings.flatMap(({ id, verdict, title, found = title, fix = [], want }) => [
    `${verdict === "fail" ? paint.red("fault") : paint.yellow("warning")}: ${id}: ${found}`,
    ...(fix.length > 0 ? fix.map((argv) => `    ${commandLine(argv)}`) : want ? [`    wanted: ${want}`] : []),
  ]);

export const briefJson = (findings: Finding[]) =>
  findings.map(({ id, verdict, title, found, want, fix }) => ({
    id,
    verdict,
    title,
    ...(found === undefined ? {} : { found }),
    ...(want === undefined ? {} : { want }),
    ...(fix ? { fix } : {}),
  }));
