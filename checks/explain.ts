/** The page of a check, for `doctor --explain` and docs/doctor.md: derived from the check itself, so that it cannot go stale. */

import type { Check } from "./check.ts";

const sections = (check: Check): [string, string][] => [
  ["Looks at", check.looksAt],
  ["Why it matters", check.why],
  ["How to mend it", check.cure],
];

/** Plain text for a terminal. @param width characters in a line */
export function pageOf(check: Check, width = 80): string {
  const head = `${check.id}: ${check.title}`;
  return [
    head,
    ...sections(check).flatMap(([name, text]) => ["", `${name}:`, ...wrap(text, width - 2).map((l) => `  ${l}`)]),
  ].join("\n");
}

/** docs/doctor.md. */
export function manual(checks: readonly Check[]): string {
  return [
    "# What `crxn doctor` looks at",
    "",
    "Made from `checks/` (`UPDATE=1 deno task test:unit` writes it). `crxn doctor --explain ID` prints the same, one check at a time.",
    "",
    "A check that cannot be judged while another one fails is skipped and says so: one fault is one finding.",
    "",
    ...checks.flatMap((c) => [
      `## ${c.id}`,
      `${c.title}.${
        c.only === "gateway" ? " (On a gateway.)" : c.only === "yggdrasil" ? " (With a yggdrasil overlay.)" : ""
      }`,
      "",
      ...sections(c).map(([name, text]) => `- ${name}: ${text}`),
      "",
    ]),
  ].join("\n");
}

/** Breaks a text into lines at spaces; a longer word stands alone. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
