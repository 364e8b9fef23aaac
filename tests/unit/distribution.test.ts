import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { scripts } from "../../.ci/compile.ts";
import { manPages } from "../../.ci/man.ts";
import { EXAMPLES } from "../../.ci/man_notes.ts";
import { debianVersion, debName, LATEST, REPOSITORY } from "../../.ci/names.ts";
import { installer, sweep } from "../../.ci/release.ts";
import { escaped, filled, prose } from "../../.ci/roff.ts";
import { scriptFor, type Shell, SHELLS } from "../../commands/completions.ts";
import { type Outline, outlineOf } from "../../commands/outline.ts";
import { commandLine } from "../../commands/program.ts";
import { KEYS } from "../../gateway/config/schema.ts";
import { ENVIRONMENT } from "../../gateway/permissions.ts";
import { sha256 } from "../rig/paths.ts";

// What is made of the command line and the schema has all of both. tests/package shows it to the programs that read it.

const file = (name: string) => Deno.readTextFile(new URL(`../../${name}`, import.meta.url));
const outline = outlineOf(await commandLine());
const pages = await manPages(1_700_000_000);

/** Roff as it reads. */
const plain = (roff: string) =>
  Object.entries({ "\\-": "-", "\\(aq": "'", "\\(ti": "~", "\\(ha": "^", "\\(ga": "`", "\\&": "", "\\e": "\\" })
    .reduce((text, [from, to]) => text.replaceAll(from, to), roff.replace(/\\f[BIR]/g, "")).replace(/\s+/g, " ");

/** What `crxn COMMAND --help` itself lists. */
async function helpOf(name: string): Promise<string> {
  const command = (await commandLine()).commands.find((c) => c.name() === name)!;
  return command.helpInformation();
}

/** Each option, and what stands behind it for its value. */
const optionsIn = (text: string) =>
  [...text.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)(?: (\S+))?/gm)].map(([, long, value = ""]) => [long!, value]);

for (const command of outline.commands) {
  Deno.test(`crxn-${command.name}(1): everything that its help has`, async () => {
    const page = plain(pages[`crxn-${command.name}.1`]!);
    const options = optionsIn(await helpOf(command.name));
    assert(options.length > 2 && options.some(([long]) => long === "--help"));
    assertEquals(options, command.options.map(({ long, value }) => [long, value?.text ?? ""]));
    for (const [long, value] of options) {
      const shown = value!.replace(/^<(.*)>$/, "$1");
      assert(page.includes(`.TP ${long}${shown && ` ${shown}`} `), `${long} ${shown}`);
    }
    for (const { description } of command.options) {
      assertStringIncludes(page, description.slice(1).replaceAll("`", ""));
    }
    for (const { description } of command.args) assertStringIncludes(page, description.slice(1));
    assertStringIncludes(page, command.description.replace(/\s+/g, " ").replaceAll("`", ""));
    for (const heading of ["NAME", "SYNOPSIS", "EXIT STATUS", "SEE ALSO"]) {
      assertStringIncludes(page, `.SH ${heading}`.replace(/ (\w+ \w+)$/, ' "$1"'));
    }
  });
}

Deno.test("crxn(1): every command, environment variable and exit code of the contract", async () => {
  const page = plain(pages["crxn.1"]!);
  assertEquals(Object.keys(pages).length, outline.commands.length + 2);
  for (const { name, summary } of outline.commands) {
    assertStringIncludes(page, `crxn-${name}(1)`);
    assertStringIncludes(page, summary.slice(1).replaceAll("`", ""));
  }
  for (const name of Object.keys(ENVIRONMENT)) assertStringIncludes(page, name);
  const table = (await file("docs/contract.md")).split("### Exit codes")[1]!.split("###")[0]!;
  const codes = [...table.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => code!);
  assertEquals(codes.length, 11);
  for (const code of codes) assertStringIncludes(page, `.TP ${code} `);
  for (const path of ["/etc/crxn/crxn.yaml", "/var/lib/crxn"]) assertStringIncludes(page, path);
  assertEquals(Object.keys(EXAMPLES).filter((n) => n !== "" && !outline.commands.some((c) => c.name === n)), []);
});

Deno.test("crxn.yaml(5): every key of the config", () => {
  const page = plain(pages["crxn.yaml.5"]!);
  for (const [where, keys] of Object.entries(KEYS)) {
    const path = where.replace(/:.*/, "");
    for (const key of keys) assertStringIncludes(page, `.TP ${path === "" ? "" : `${path}.`}${key} (`);
  }
});

Deno.test("completions: each shell's has every command, option and choice; what is hidden is in none", async () => {
  const all = (o: Outline): Outline[] => [o, ...o.commands.flatMap(all)];
  for (const shell of Object.keys(SHELLS) as Shell[]) {
    const text = await scriptFor(shell);
    for (const { name, options } of all(outline)) {
      assertMatch(text, new RegExp(`\\b${name}\\b`));
      for (const { long } of options) assertStringIncludes(text, shell === "fish" ? `-l ${long.slice(2)}` : long);
    }
    for (const hidden of ["rehearse-peer", "expired"]) assert(!text.includes(hidden), `${shell}: ${hidden}`);
  }
  for (const page of Object.values(pages)) assert(!/rehearse\\-peer|expired/.test(page));
});

Deno.test("outlineOf: words stand for the checks, files for files, choices for themselves", () => {
  const values = (command: string, long: string) =>
    outline.commands.find((c) => c.name === command)!.options.find((o) => o.long === long)!.value!.values;
  assertEquals(values("doctor", "--only").kind, "list");
  assertEquals(values("doctor", "--explain").kind, "words");
  assertEquals([values("up", "--config").kind, values("init", "--daemon").kind], ["file", "file"]);
  assertEquals(values("up", "--target").kind, "any");
  assertEquals([values("init", "--interface").kind, values("init", "--uplink").kind], ["interface", "interface"]);
  const all = outline.commands.flatMap(({ options, args }) => [
    ...options.flatMap(({ value }) => value ? [value.values.kind] : []),
    ...args.map((argument) => argument.values.kind),
  ]);
  assertEquals([...new Set(all)].sort(), ["any", "file", "interface", "list", "words"], "none is for nothing");
  assertEquals(outline.commands.find((c) => c.name === "completions")!.args[0]!.values, {
    kind: "words",
    words: ["bash", "zsh", "fish"],
  });
});

Deno.test("outlineOf: a value is optional that stands in brackets; what commander collects is repeatable", async () => {
  const program = await commandLine();
  const init = outline.commands.find(({ name }) => name === "init")!.options;
  const route = init.find(({ long }) => long === "--route")!;
  assertEquals(route.value, { text: "<network[=via]>", optional: false, values: { kind: "any" } });
  const confirm = outline.commands.find(({ name }) => name === "up")!.options.find(({ long }) => long === "--confirm")!;
  assertEquals(confirm.value?.optional, true);
  for (const { name, options } of outline.commands) {
    const known = program.commands.find((c) => c.name() === name)!.options;
    for (const { long, repeatable } of options) {
      // What collects adds a second word to the first one.
      const parse = known.find((o) => o.long === long)?.parseArg as ((text: string, before: unknown) => unknown);
      assertEquals(repeatable ?? false, Boolean(parse) && collects(parse), `${name} ${long}`);
    }
  }
  assert(init.filter(({ repeatable }) => repeatable).length > 4);
});

function collects(parse: (text: string, before: unknown) => unknown): boolean {
  try {
    const both = parse("b", ["a"]);
    return Array.isArray(both) && both.length === 2;
  } catch {
    return false;
  }
}

Deno.test("roff: nothing of a text is taken for a request, and what cannot be said is an error", () => {
  assertEquals(escaped("a\\b --c ~^"), "a\\eb \\-\\-c \\(ti\\(ha");
  assertEquals(filled(".SH\n'x").map((l) => l), ["\\&.SH 'x"]);
  assertEquals(prose("as `crxn's` and **so**"), "as \\fBcrxn\\(aqs\\fR and \\fBso\\fR");
  assert(filled("word ".repeat(200)).every((line) => line.length <= 80));
  assertThrows(() => escaped("na\u00efve"), Error, "cannot say");
});

Deno.test("install.sh, README, CHANGELOG: one place for releases, named in .ci/names.ts", async () => {
  assertStringIncludes(installer(), `url=\${CRXN_URL:-${LATEST}}\n`);
  const readme = await file("README.md");
  assertStringIncludes(readme, `curl -fsSL ${LATEST}/install.sh | sh`);
  assertStringIncludes(readme, debName("amd64"));
  const links = [...`${readme}${await file("CHANGELOG.md")}`.matchAll(/https:\/\/github\.com\/([\w-]+\/[\w-]+)/g)];
  assert(links.length > 1);
  for (const [link, repository] of links) assertEquals(repository, REPOSITORY, link);
  assertMatch(debianVersion(), /^[0-9][0-9.~a-z]*-1$/);
});

Deno.test("a pre-release: before its release for dpkg, and of a name that GitHub leaves as it is", () => {
  assertEquals([debianVersion("0.2.0-rc.1"), debianVersion("0.2.0")], ["0.2.0~rc.1-1", "0.2.0-1"]);
  // GitHub replaces all others in the name of an asset by a dot.
  for (const version of ["0.2.0-rc.1", "0.2.0"]) assertMatch(debName("arm64", version), /^[\w.-]+\.deb$/);
});

Deno.test("sweep: what an earlier release left goes, records of benchmarks stay", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/bench`);
    for (const name of ["old.deb", "new.deb", "bench/1.json"]) await Deno.writeTextFile(`${folder}/${name}`, "");
    await sweep(`${folder}/`, ["new.deb"]);
    assertEquals(Array.from(Deno.readDirSync(folder), ({ name }) => name).sort(), ["bench", "new.deb"]);
    assertEquals(Array.from(Deno.readDirSync(`${folder}/bench`)).length, 1);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("scripts: what a build that was killed left in their folder is not in the next binary", async () => {
  const folder = await Deno.makeTempDir();
  const sums = async (): Promise<string[]> => {
    await using made = await scripts("0123456789", `${folder}/scripts`);
    const texts = Array.from(Deno.readDirSync(made.main.replace(/[^/]*$/, "")), async ({ name }) => {
      return `${name} ${await sha256(await Deno.readTextFile(`${folder}/scripts/${name}`))}`;
    });
    return (await Promise.all(texts)).sort();
  };
  try {
    const first = await sums();
    assert(first.length > 10);
    await Deno.mkdir(`${folder}/scripts`);
    await Deno.writeTextFile(`${folder}/scripts/chunk-ABCDEFGH.js`, "export const stale = 1;\n");
    assertEquals(await sums(), first);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the package's copyright: every package that can be in the binary", async () => {
  const text = await file("assets/deb/copyright");
  const lock = JSON.parse(await file("deno.lock"));
  for (const id of Object.keys(lock.npm)) assertMatch(text, new RegExp(` npm/${/^@?[^@]+/.exec(id)![0]}(?= |\\n)`));
});

Deno.test("CHANGELOG.md: the form of Keep a Changelog", async () => {
  const text = await file("CHANGELOG.md");
  const headings = [...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading!);
  assertEquals(headings[0], "[Unreleased]");
  for (const heading of headings.slice(1)) assertMatch(heading, /^\[\d+\.\d+\.\d+(-[\w.]+)?\] - \d{4}-\d\d-\d\d$/);
  for (const [, kind] of text.matchAll(/^### (.*)$/gm)) {
    assertMatch(kind!, /^(Added|Changed|Deprecated|Removed|Fixed|Security)$/);
  }
  for (const heading of headings) {
    assertMatch(text, new RegExp(`^\\[${/\[(.*)\]/.exec(heading)![1]!.replaceAll(".", "\\.")}\\]: https://`, "m"));
  }
});
