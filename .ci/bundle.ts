/** All sources and packages as JavaScript in one file, or in a few: they start faster than the many, and are smaller. */

import { ORIGIN } from "../commands/version.ts";
import { ENVIRONMENT } from "../gateway/permissions.ts";

/**
 * One file.
 * @param entry main module
 * @param output where the bundle goes
 * @param options of `deno bundle`
 * @throws Error with what `deno bundle` said
 */
export async function bundle(entry: string, output: string, options: string[] = []): Promise<void> {
  await deno([...options, "-o", output, entry]);
  await withoutNode(output);
  await withRequire(output);
}

/**
 * One file for each module that is imported on demand, and what they have in common: a start reads what it needs.
 * @param folder where they go; the main module keeps its name
 * @param origin what `crxn --version` says of the sources
 * @throws Error with what `deno bundle` said
 */
export async function split(entry: string, folder: string, origin: string): Promise<void> {
  await deno(["--minify", "--code-splitting", "--outdir", folder, entry]);
  for await (const { name } of Deno.readDir(folder)) {
    await withoutNode(`${folder}/${name}`);
    await withRequire(`${folder}/${name}`);
  }
  await renamed(folder);
  await stamp(Array.from(Deno.readDirSync(folder), ({ name }) => `${folder}/${name}`), origin);
}

/** The commit, where the sources say that they are sources. @throws Error unless that is one place */
export async function stamp(files: string[], origin: string): Promise<void> {
  let places = 0;
  for (const file of files) {
    const [first, ...rest] = (await Deno.readTextFile(file)).split(ORIGIN);
    places += rest.length;
    if (rest.length > 0) await Deno.writeTextFile(file, [first, ...rest].join(`(${origin})`));
  }
  if (places !== 1) throw new Error(`"${ORIGIN}" is in ${places} places of the bundle: see commands/version.ts`);
}

/** A name that `deno bundle` gives a part: what it is of, and a hash. */
const PART = /\b([\w-]+)-[0-9A-Z]{8}\.js\b/g;

/**
 * Parts by what is in them. `deno bundle` hashes the paths of packages into the names, relative to the current folder: the
 * same sources in another folder would give another binary.
 */
async function renamed(folder: string): Promise<void> {
  const names = Array.from(Deno.readDirSync(folder), ({ name }) => name);
  const texts = await Promise.all(names.map((name) => Deno.readTextFile(`${folder}/${name}`)));
  const parts = names.map((name, i) => ({ name, text: texts[i]!, key: `${name}\n${texts[i]}`.replace(PART, "$1.js") }))
    .sort((a, b) => a.key < b.key ? -1 : 1);
  if (new Set(parts.map(({ key }) => key)).size < parts.length) throw new Error("two parts of the bundle are the same");
  const short = new Map(parts.map(({ name }, i) => [name, name.replace(PART, `$1-${i}.js`)]));
  for (const { name, text } of parts) {
    await Deno.remove(`${folder}/${name}`);
    await Deno.writeTextFile(`${folder}/${short.get(name)}`, text.replace(PART, (found) => short.get(found) ?? found));
  }
}

async function deno(args: string[]): Promise<void> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--platform=deno", ...args],
    cwd: new URL("..", import.meta.url).pathname,
    stdout: "null",
    stderr: "piped",
  }).output();
  if (code !== 0) throw new Error(`deno bundle: ${new TextDecoder().decode(stderr)}`);
}

/** What a package in CommonJS asks for is a part of Node: nothing else is outside of the bundle. */
const REQUIRE = "(name)=>globalThis.process.getBuiltinModule(name)";

/**
 * What commander imports for subcommands that are programs of their own, which crxn has none of, and to measure coloured
 * text; and require(), which Deno 2.9's bundler takes from node:module. Deno 2.9 loads these parts of Node when they are
 * imported, 15 ms at every start (docs/facts.md).
 */
const STAND_INS: [RegExp, (...found: string[]) => string][] = [
  [/import\s*([\w$]+)\s*from\s*"node:(?:child_process|fs)";/g, (_, name) => `const ${name}={};`],
  [
    /import\s*\{\s*(stripVTControlCharacters)(?:\s+as\s+([\w$]+))?\s*\}\s*from\s*"node:util";/g,
    (_, name, alias = name) => `const ${alias}=(text)=>text.replace(/\\x1b\\[[\\d;]*m/g,"");`,
  ],
  [
    /import\s*\{\s*(createRequire)(?:\s+as\s+([\w$]+))?\s*\}\s*from\s*"node:module";/g,
    (_, name, alias = name) => `const ${alias}=()=>${REQUIRE};`,
  ],
];

/** What the yaml package prints when somebody sets these: nobody but its authors wants that, and crxn reads no more of its environment than it needs. */
const OF_YAML = /[\w$]+\.env\.(?:LOG_STREAM|LOG_TOKENS)\b/g;

/** @throws Error where a start would load them nevertheless */
async function withoutNode(file: string): Promise<void> {
  let text = await Deno.readTextFile(file);
  for (const [pattern, standIn] of STAND_INS) text = text.replace(pattern, standIn);
  text = text.replace(OF_YAML, "undefined");
  const foreign = [...text.matchAll(/\.env\.([A-Z]\w*)/g)].find(([, name]) => !(name! in ENVIRONMENT))?.[0];
  if (foreign) throw new Error(`${file} reads ${foreign}: see gateway/permissions.ts`);
  // What CommonJS asks for is loaded when it is run; of these Deno 2.7 has all but the last two in its snapshot.
  const left =
    /\b(?:from|import)\s*"node:(?:child_process|crypto|fs|module|util)"|\brequire\("node:(?:crypto|module)"\)/
      .exec(text)?.[0];
  if (left) throw new Error(`${file} has ${left}, which takes long to load: see STAND_INS`);
  await Deno.writeTextFile(file, text);
}

/** A package in CommonJS asks for `node:process` and the like with require(), which a module does not have by itself. */
async function withRequire(file: string): Promise<void> {
  const text = await Deno.readTextFile(file);
  if (!/\brequire\b/.test(text)) return;
  await Deno.writeTextFile(file, `const require = ${REQUIRE};\n${text}`);
}
