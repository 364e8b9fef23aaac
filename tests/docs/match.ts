/** Whether a program prints what the docs say: numbers, keys and times are others in each run, words are not. */

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** A number that stands alone. */
const NUMBER = /(?<![\w.:/-])\d+(?:\.\d+)?(?![\w.:/-])/;

/** A word of the docs as a pattern. */
function wordPattern(word: string): string {
  const parts: [RegExp, string][] = [
    // A key, or how it begins.
    [/[0-9a-f]{64}/, "[0-9a-f]{64}"],
    [/[0-9a-f]{16}(?=\.\.\.)/, "[0-9a-f]{16}"],
    [/crxn-[0-9a-f]{8}/, "crxn-[0-9a-f]{8}"],
    [/"?\b[0-9a-f]{4}\.\.\.([0-9a-f]{4})?"?/, '"?[0-9a-f]+"?'],
    // Addresses of yggdrasil (0200::/7) follow from the keys.
    [/(?<![\w:])[23][0-9a-f]{2}:[0-9a-f:.]+/, "[23][0-9a-f]{2}:[0-9a-f:]+"],
    [/\d{4}-\d\d-\d\d/, "\\d{4}-\\d\\d-\\d\\d"],
    [/\d\d:\d\d:\d\d/, "\\d\\d:\\d\\d:\\d\\d"],
    [/(?<=\.yaml):\d+:\d+:/, ":\\d+:\\d+:"],
    [NUMBER, "[\\d.]+"],
    [/(?<=--dport |--to-ports )\d+/, "\\d+"],
    [/\.\.\./, "\\S*"],
  ];
  for (const [part, pattern] of parts) {
    const found = part.exec(word);
    if (!found) continue;
    const [before, after] = [word.slice(0, found.index), word.slice(found.index + found[0].length)];
    return (before && wordPattern(before)) + pattern + (after && wordPattern(after));
  }
  return escaped(word);
}

const spaced = (text: string) => text.split(" ").map(escaped).join("\\s+");

/** `auto` comes to another kind on another kernel, and says why. */
const [VXLAN, WITHOUT, GRE, WITH] = [
  "vxlan",
  "(auto: this kernel has no ip6gre)",
  "ip6gre",
  "(auto: this kernel has it,",
];
const AUTO = `(?:${spaced(`${VXLAN} ${WITHOUT}`)}|${spaced(`${GRE} ${WITH}`)}[^)]*\\))`;

/** Patterns of words, one for those that belong together. @param part a name for what is referred to */
function patternsOf(words: string[], part: number): string[] {
  const patterns: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const next = (number: number) => words.slice(i, i + number);
    const [first, of, all] = next(3);
    const kind = `${VXLAN} ${WITHOUT}`.split(" ");
    if (next(kind.length).join(" ") === kind.join(" ")) {
      patterns.push(AUTO);
      i += kind.length - 1;
    } else if (of === "of" && first === all && NUMBER.exec(first!)?.[0] === first) {
      // All of them: whatever the number is, it is twice the same.
      patterns.push(`(?<all${part}_${i}>[\\d.]+)\\s+of\\s+\\k<all${part}_${i}>`);
      i += 2;
    } else patterns.push(wordPattern(first!));
  }
  return patterns;
}

/** A "..." that stands alone is whatever, or nothing; what is shown behind it begins a word of its own. */
export function patternOf(shown: string): RegExp {
  const parts: string[][] = [[]];
  for (const word of shown.trim().split(/\s+/)) {
    if (word === "...") parts.push([]);
    else parts.at(-1)!.push(word);
  }
  const [before, behind] = [parts[0]!.length === 0, parts.at(-1)!.length === 0];
  const shownParts = parts.filter((words) => words.length > 0).map((words, i) => patternsOf(words, i).join("\\s+"));
  if (shownParts.length === 0) throw new Error(`"${shown}" is anything`);
  return new RegExp(
    `^\\s*${before ? "(?:[\\s\\S]*?\\s)?" : ""}${shownParts.join("(?:\\s[\\s\\S]*?)?\\s+")}${
      behind ? "(?:\\s[\\s\\S]*)?" : ""
    }\\s*$`,
  );
}
