/**
 * The fenced blocks of the docs, and what their first lines say of them:
 *
 *     ```yaml                    a whole config: it must be a valid one
 *     ```yaml SCENE:MACHINE      and the config of that machine in that scene
 *     ```console SCENE:MACHINE   a session of root's: commands behind `# `, and what they print (`...` is whatever)
 *     ```sh SCENE:MACHINE        commands
 *     ```ini SCENE:MACHINE PATH  a file of that machine; with hjson: settings for yggdrasil.conf
 *     ```json                    is JSON
 *     ```text                    a picture, or words: nothing that could be run
 *
 * Behind that, words (WORDS) and pairs (GIVEN):
 *
 *     before          of a scene: before the gateway is up
 *     part            of a yaml: keys that are put into the config that is there
 *     keys=y,n        typed on a terminal, with these answers to what is asked
 *     exit=N          the command ends with that, though nothing of what it shows says so
 *     needs=ip6gre    only where the kernel has it; needs=no-ip6gre: only where it has not
 *     tunnel=, via=   with the config changed like that for this session
 */

const ROOT = new URL("../..", import.meta.url).pathname;

/** Every page of the project that a person reads. */
export const PAGES: string[] = [
  "README.md",
  "CHANGELOG.md",
  ...Array.from(Deno.readDirSync(`${ROOT}docs`), (e) => e.name).filter((n) => n.endsWith(".md")).sort()
    .map((name) => `docs/${name}`),
];

export interface Block {
  page: string;
  /** Of its first line. */
  line: number;
  kind: string;
  scene: string;
  machines: string[];
  path?: string;
  /** Of {@linkcode WORDS}. */
  words: string[];
  /** By the names in {@linkcode GIVEN}. */
  given: Record<string, string>;
  text: string;
}

export const WORDS = ["before", "part"];
export const GIVEN = ["keys", "exit", "needs", "tunnel", "via"];
export const KINDS = ["yaml", "console", "sh", "ini", "hjson", "json", "text"];

export function blocksOf(page: string, text: string): Block[] {
  const blocks: Block[] = [];
  const lines = text.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const [, indent, head] = /^( *)```(.*)$/.exec(lines[i]!) ?? [];
    if (indent === undefined) continue;
    const line = i + 1;
    const body: string[] = [];
    for (i++; i < lines.length && lines[i]!.trim() !== "```"; i++) body.push(lines[i]!.slice(indent.length));
    if (i === lines.length) throw new Error(`${page}:${line}: this block has no end`);
    const [kind = "", ...rest] = head!.split(" ");
    const place = rest.find((word) => /^[\w-]+:[\w,]+$/.test(word)) ?? "";
    const path = rest.find((word) => word.startsWith("/"));
    blocks.push({
      page,
      line,
      kind,
      scene: place.split(":")[0]!,
      machines: place.split(":")[1]?.split(",") ?? [],
      ...(path ? { path } : {}),
      words: rest.filter((word) => word !== place && word !== path && !/^\w+=/.test(word)),
      given: Object.fromEntries(
        rest.filter((w) => /^\w+=/.test(w)).map((w) => [w.slice(0, w.indexOf("=")), w.slice(w.indexOf("=") + 1)]),
      ),
      text: body.join("\n"),
    });
  }
  return blocks;
}

export const allBlocks = (): Block[] =>
  PAGES.flatMap((page) => blocksOf(page, Deno.readTextFileSync(`${ROOT}${page}`)));

/** Commands of a session, each with what it prints. */
export function sessionOf(text: string): { command: string; prints: string }[] {
  const turns: { command: string; prints: string }[] = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("# ")) turns.push({ command: line.slice(2).replace(/\s{2,}[(#].*$/, ""), prints: "" });
    else if (turns.length === 0) throw new Error(`a session begins with a command, not with "${line}"`);
    else turns.at(-1)!.prints += `${line}\n`;
  }
  return turns;
}
