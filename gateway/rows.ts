/** Steps in a row that tell one program one thing each: of a thousand routes one call is made. ip(8), -batch. Pure. */

import { Program } from "./action.ts";
import type { Step } from "./step.ts";

/** What one call of `ip` is told, a line for each step. */
export interface Row {
  steps: Step[];
  argv: string[];
  lines: string[];
}

/** Lines of one call: a failure, or a kill, leaves no more than these half done. */
const MOST = 200;

/** Characters that mean themselves in a line of a batch: neither spaces nor `#`, quotes and backslashes. */
const PLAIN = /^[\w./:@%+,-]+$/;

/** In the order of the steps. A step that stays alone is a row of one, with no lines. */
export function rowsOf(steps: Step[]): Row[] {
  const rows: (Row & { head: string | undefined })[] = [];
  for (const step of steps) {
    const told = toldIp(step);
    const last = rows.at(-1);
    if (last && told && last.head === told.head && last.steps.length < MOST) {
      last.steps.push(step);
      last.lines.push(told.line);
    } else {
      rows.push({ head: told?.head, steps: [step], argv: told?.argv ?? [], lines: told ? [told.line] : [] });
    }
  }
  return rows.map(({ steps, argv, lines }) =>
    steps.length > 1 ? { steps, argv, lines } : { steps, argv: [], lines: [] }
  );
}

/** `ip`'s own words to a step's only action, with the options in front of them. */
function toldIp({ actions }: Step): { head: string; argv: string[]; line: string } | undefined {
  const [action, ...more] = actions;
  if (!action || more.length > 0 || action.do !== "run" || action.stdin !== undefined || action.also) return undefined;
  const words = wordsOf(action.argv);
  if (!words) return undefined;
  const { options, rest } = words;
  const head = [...options, rest[0]].join(" ");
  return { head, argv: [Program.ip, ...options, "-batch", "-"], line: rest.join(" ") };
}

/** About a route or an address, in words that mean themselves. */
function wordsOf([program, ...words]: string[]): { options: string[]; rest: string[] } | undefined {
  if (program !== Program.ip || !PLAIN.test(words.join("")) || words.includes("")) return undefined;
  const at = words.findIndex((word) => !word.startsWith("-"));
  if (at < 0 || !["route", "address"].includes(words[at]!)) return undefined;
  return { options: words.slice(0, at), rest: words.slice(at) };
}

/** The line of a batch for both families: a network in it says of which it is. */
export function toldWithoutFamily(argv: string[]): string | undefined {
  const words = wordsOf(argv);
  if (!words || words.rest.includes("default") || !words.options.every((o) => o === "-4" || o === "-6")) {
    return undefined;
  }
  return words.rest.join(" ");
}

/** How many lines were done, by what `ip -batch` said when it failed: `Command failed -:3`. Undefined when it said nothing of that. */
export function linesDone(stderr: string): number | undefined {
  const failed = /^Command failed -:(\d+)$/m.exec(stderr);
  return failed ? Number(failed[1]) - 1 : undefined;
}
