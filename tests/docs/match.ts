/** Whether a program prints what the docs say: numbers, keys and times are others in each run, words are not. */

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

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
    [/(?<![\w.:/-])\d+(?:\.\d+)?(?![\w.:/-])/, "[\\d.]+"],
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

/** `auto` comes to another kind on another kernel. */
const KIND = /\\\(auto:\\s\+this\\s\+kernel\\s\+has\\s\+no\\s\+ip6gre\\\)/g;

export function patternOf(shown: string): RegExp {
  const words = shown.trim().split(/\s+/);
  const pattern = words.map((word) => word === "..." ? "[\\s\\S]*?" : wordPattern(word)).join("\\s+");
  const loose = pattern.replaceAll("\\s+[\\s\\S]*?\\s+", "\\s[\\s\\S]*?\\s*").replace(
    /^\[\\s\\S\]\*\?\\s\+/,
    "[\\s\\S]*?",
  )
    .replace(/\\s\+\[\\s\\S\]\*\?$/, "[\\s\\S]*").replace(/vxlan\\s\+/g, "(?:vxlan|ip6gre)\\s+").replace(
      KIND,
      "\\(auto:[^)]*\\)",
    );
  return new RegExp(`^\\s*${loose}\\s*$`);
}
