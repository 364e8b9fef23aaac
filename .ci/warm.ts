/**
 * Runs a script of the binary on fake machines, and writes what V8 has compiled of it by then.
 *
 * Arguments: the folder with the script; which part it is; a folder for the fake machines. Without that one the code is there: it
 * is marked as made with the flags of this very process, and tried.
 */

import { WALK } from "../tests/unit/fake/configs.ts";
import { hurried } from "../tests/unit/fake/hurried.ts";
import { FakeMachine } from "../tests/unit/fake/machine.ts";
import { codeOf, load, type Part, PARTS, scriptOf, type Whole } from "./start.ts";

/** Checks that send packets, by programs that a fake machine has not. */
const SKIP = ["--skip", "probe,path-mtu,prefix-routed"];
/** What is called for a part, on machines with these configs. */
const SCENES: Record<Part, Record<string, string[][]>> = {
  words: { "interface gateway": [["--help"], ["--version"]] },
  whole: {
    "interface gateway": [
      ["up", "--yes"],
      ["up", "--yes", "--json"],
      ["status"],
      ["status", "--json"],
      ["doctor", ...SKIP],
      ["doctor", "--json", ...SKIP],
      ["down", "--yes"],
    ],
    "yggdrasil gateway": [["up", "--yes"], ["status"], ["doctor", ...SKIP]],
  },
};

// deno-lint-ignore no-explicit-any
type Any = any;

/**
 * Each function that has a synchronous twin does what that does: which file is read first would be chance, and in that order V8
 * compiles. The same sources are to give the same bytes.
 */
function synchronous(object: Any): void {
  for (const twin of Object.getOwnPropertyNames(object).filter((name) => name.endsWith("Sync"))) {
    const name = twin.slice(0, -"Sync".length);
    // Looked up at each call: asRoot() puts others in their places.
    if (name === "readDir") sorted(object, twin);
    object[name] = name === "readDir"
      ? async function* (path: string) {
        yield* object[twin](path);
      }
      : async function (this: Any, ...args: Any[]) {
        return await (this ?? object)[twin](...args);
      };
  }
}

/** A file system has an order of its own. */
function sorted(object: Any, twin: string): void {
  const real = object[twin];
  object[twin] = (path: string) =>
    [...real(path)].sort((a: Deno.DirEntry, b: Deno.DirEntry) => a.name < b.name ? -1 : 1).values();
}

/** To crxn all files are root's, and of now: whoever builds it is somebody else, and a clock that goes on is chance. */
function asRoot(deno: Any): void {
  // To others a folder would be open that root's are not.
  deno.umask(0o022);
  const now = Date.now();
  Date.now = () => now;
  performance.now = () => 0;
  deno.uid = () => 0;
  deno.chownSync = () => {};
  for (const name of ["statSync", "lstatSync"]) {
    const real = deno[name];
    deno[name] = (path: string) => ({ ...real(path), uid: 0, gid: 0, mtime: new Date(now) });
  }
}

/** A pair of RFC 8032, 7.1: how many steps the arithmetic takes depends on the key. */
function withKey(subtle: Any): void {
  const { d, x } = {
    d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
  };
  subtle.generateKey = () => Promise.resolve({});
  subtle.exportKey = () => Promise.resolve({ kty: "OKP", crv: "Ed25519", d, x });
}

/** Programs of the fake machine in the place of this one's. */
function withPrograms(deno: Any, machine: FakeMachine): void {
  deno.Command = class {
    constructor(private readonly program: string, private readonly options: { args: string[]; stdin: string }) {}

    spawn() {
      const { args, stdin } = this.options;
      let said = "";
      const heard = Promise.withResolvers<void>();
      if (stdin !== "piped") heard.resolve();
      const result = heard.promise.then(() => machine.run([this.program, ...args], { stdin: said }));
      const bytes = (text: string) => new TextEncoder().encode(text);
      const read = (name: "stdout" | "stderr") =>
        new ReadableStream({
          start: async (controller) => {
            controller.enqueue(bytes((await result)[name]));
            controller.close();
          },
        });
      return {
        pid: 1,
        stdin: {
          getWriter: () => ({
            write: (chunk: Uint8Array) => void (said += new TextDecoder().decode(chunk)),
            close: () => heard.resolve(),
          }),
        },
        get stdout() {
          return read("stdout");
        },
        get stderr() {
          return read("stderr");
        },
        status: result,
        output: async () => {
          const { code, stdout, stderr } = await result;
          return { code, stdout: bytes(stdout), stderr: bytes(stderr) };
        },
        kill: () => {},
      };
    }
  };
}

async function run({ main, asking, placeFiles }: Whole, part: Part, parent: string): Promise<void> {
  synchronous(Deno);
  synchronous(Deno.FsFile.prototype);
  asRoot(Deno);
  withKey(crypto.subtle);
  for (const [name, commands] of Object.entries(SCENES[part])) {
    using machine = new FakeMachine({ parent });
    withPrograms(Deno, machine);
    placeFiles(machine.folder);
    const config = `${machine.folder}/run/crxn.yaml`;
    Deno.writeTextFileSync(config, WALK[name]!);
    for (const words of commands) {
      const args = part === "words" ? words : [...words, "--config", config];
      const exit = await hurried(async () => await main(args, await asking(args)));
      // What only looks finds something on a machine of which half is fake; all of it is run even so.
      const wanted = ["status", "doctor"].includes(words[0]!) ? [0, 1, 5] : [0];
      if (!wanted.includes(exit)) throw new Error(`${args.join(" ")} ended with ${exit}`);
    }
  }
}

/** Of the code's header: what it was made with (SerializedCodeData of src/snapshot/code-serializer.h). */
const FLAGS = 12;

/** What V8 itself writes there in this process. */
function flagsHere(): Uint8Array {
  const { Script } = globalThis.process.getBuiltinModule("node:vm");
  return new Uint8Array(new Script("0", { filename: "flags.js" }).createCachedData()).subarray(FLAGS, FLAGS + 4);
}

const [folder = "", name = "", parent] = Deno.args;
const part = PARTS.find((known) => known === name)!;
const text = Deno.readTextFileSync(`${folder}/${scriptOf(part)}`);
const file = `${folder}/${codeOf(part)}`;
if (parent === undefined) {
  const code = Deno.readFileSync(file);
  code.set(flagsHere(), FLAGS);
  if (load(part, text, code).script.cachedDataRejected) throw new Error("V8 refuses the code that it has made");
  Deno.writeFileSync(file, code);
} else {
  const { script, whole } = load(part, text);
  await run(whole, part, parent);
  Deno.writeFileSync(file, script.createCachedData());
}
