/** Pages in man(7): what groff and mandoc both read without a warning. */

/** Longer lines mandoc finds fault with. */
const WIDTH = 78;

/** Characters that groff would print as others, or take for its own. @throws Error for what is not ASCII */
export function escaped(text: string): string {
  const foreign = /[^\x20-\x7e\n]/.exec(text)?.[0];
  if (foreign) throw new Error(`a man page cannot say ${JSON.stringify(foreign)}: ${text}`);
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("^", "\\(ha").replaceAll("~", "\\(ti")
    .replaceAll("`", "\\(ga");
}

/** What is typed as it stands: its apostrophes are no quotation marks. */
const literal = (text: string) => escaped(text).replaceAll("'", "\\(aq");

export const bold = (text: string) => `\\fB${literal(text)}\\fR`;
export const italic = (text: string) => `\\fI${literal(text)}\\fR`;

/** A sentence with `code` in it, and **emphasis**. */
export const prose = (text: string): string =>
  text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) =>
    part.startsWith("`") ? bold(part.slice(1, -1)) : part.startsWith("**") ? bold(part.slice(2, -2)) : escaped(part)
  ).join("");

/** Lines that are no requests. */
const guarded = (line: string) => /^[.']/.test(line) ? `\\&${line}` : line;

/** A paragraph's text, escaped already, in lines of some length. */
export function filled(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.trim().split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < WIDTH) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.map(guarded);
}

/** As it stands, indented. */
export const verbatim = (text: string): string[] => [
  ".PP",
  ".RS 4",
  ".nf",
  ...text.trimEnd().split("\n").map((line) => guarded(literal(line))),
  ".fi",
  ".RE",
];

export const paragraph = (text: string): string[] => [".PP", ...filled(prose(text))];

/** @param tag escaped already @param body sentences */
export const tagged = (tag: string, body: string): string[] => [".TP", guarded(tag), ...filled(prose(body))];

export interface Page {
  name: string;
  section: 1 | 5;
  /** Of it, for whatis(1). */
  summary: string;
  /** Title and lines of roff; empty sections are left out. */
  sections: [string, string[]][];
}

/** @param time seconds since 1970 @param version "0.1.0" */
export function pageText({ name, section, summary, sections }: Page, version: string, time: number): string {
  const date = new Date(time * 1000).toISOString().slice(0, 10);
  const all: typeof sections = [["NAME", [`${literal(name)} \\- ${prose(summary)}`]], ...sections];
  return [
    '.\\" Made by .ci/man.ts from the command line and the schema of the config.',
    `.TH ${literal(name).toUpperCase()} ${section} "${date}" "crxn ${version}" "crxn"`,
    ...all.filter(([, lines]) => lines.length > 0).flatMap(([title, lines]) => [
      `.SH ${/ /.test(title) ? `"${title}"` : title}`,
      // Right behind a heading a paragraph begins by itself.
      ...(lines[0] === ".PP" ? lines.slice(1) : lines),
    ]),
    "",
  ].join("\n");
}
