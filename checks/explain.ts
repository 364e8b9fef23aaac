/** The page of a check, for `doctor --explain` and docs/doctor.md: derived from the check itself, so that it cannot go stale. */

import { wrap } from "../gateway/wrap.ts";
import { BY_HAND } from "./by_hand.ts";
import type { Check } from "./check.ts";

const sections = (check: Check): [string, string][] => {
  const breaks = BY_HAND[check.id]?.breaks;
  return [
    ["Looks at", check.looksAt],
    ["Why it matters", check.why],
    ...(breaks ? [["How it breaks", breaks] satisfies [string, string]] : []),
    ["How to mend it", check.cure],
  ];
};

/** Commands that show the same without crxn. */
const looks = ({ id }: Check): string[] => BY_HAND[id]?.look ?? [];

/** The document `crxn.explain/1`. */
export const pageJson = (check: Check) => {
  const { id, title, looksAt, why, cure } = check;
  const breaks = BY_HAND[id]?.breaks;
  return {
    schema: "crxn.explain/1",
    id,
    title,
    looksAt,
    why,
    cure,
    ...(breaks ? { breaks } : {}),
    ...(looks(check).length > 0 ? { look: looks(check) } : {}),
  };
};

/** Plain text for a terminal. @param width characters in a line */
export function pageOf(check: Check, width = 80): string {
  const head = `${check.id}: ${check.title}`;
  return [
    head,
    ...sections(check).flatMap(([name, text]) => ["", `${name}:`, ...wrap(text, width - 2).map((l) => `  ${l}`)]),
    ...(looks(check).length > 0 ? ["", "To look by hand:", ...looks(check).map((l) => `  ${l}`)] : []),
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
      ...(looks(c).length > 0 ? [`- To look by hand: ${looks(c).map((l) => `\`${l}\``).join(", ")}`] : []),
      "",
    ]),
  ].join("\n");
}
