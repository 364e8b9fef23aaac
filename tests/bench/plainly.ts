import { assert } from "@std/assert";
import type { Machine } from "../rig/mod.ts";
import type { Row } from "./record.ts";
import { quoted } from "../rig/process.ts";
import { installProgram } from "../rig/product.ts";

// The yardsticks: what an operator would type to read, or to do, the same.

const ROOT = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
const LISTENER = "/opt/bench/argv";

/**
 * What an operator types to read the same things as a command of crxn's: each program that it starts, and each file that it
 * reads, by a plain command of its own, one after another. `ip -batch`, which asks many questions at once, is written out.
 * @param args of crxn
 */
export async function plainly(gw: Machine, args: string): Promise<string> {
  await installProgram(gw, `${ROOT}/tests/bench/argv_main.ts`, LISTENER, ROOT);
  await gw.must(`${LISTENER} ${args} >/dev/null`);
  const { calls, reads } = JSON.parse(await gw.must(["cat", "/run/argv.json"])) as {
    calls: { argv: string[]; stdin?: string }[];
    reads: string[][];
  };
  assert(calls.length >= 5, `crxn ${args} starts only ${calls.length} programs?`);
  assert(reads.length >= 5, `crxn ${args} reads only ${reads.length} files?`);
  const typed = [...calls.flatMap(unbatched), ...reads];
  return [...typed.map((argv) => `${argv.map(quoted).join(" ")} >/dev/null 2>&1 || true`), "true"].join("\n");
}

function unbatched({ argv, stdin }: { argv: string[]; stdin?: string }): string[][] {
  if (stdin === undefined) return [argv];
  const batch = argv.indexOf("-batch");
  assert(batch > 0, `what does ${argv.join(" ")} read?`);
  const options = argv.slice(0, batch).filter((word) => word !== "-force");
  return stdin.trim().split("\n").map((line) => [...options, ...line.split(" ")]);
}

interface Plan {
  steps: { file?: string; commands: { argv: string[]; stdin?: string }[] }[];
}

/** As JSON: its exit code says that there is something to do. */
export async function plan(gw: Machine, command: "up" | "down"): Promise<string> {
  const { code, stdout, stderr } = await gw.run(["crxn", command, "--dry-run", "--json"]);
  assert(stdout.includes("crxn.plan/1"), `crxn ${command} --dry-run ended with ${code}: ${stderr}`);
  return stdout;
}

/**
 * The commands of a plan as a shell script: what an operator types who knows all that `up`, or `down`, does.
 * @param files what the plan's files are to have in them; one that is not among these goes
 */
export async function typed(gw: Machine, command: "up" | "down", files: Record<string, string>): Promise<string> {
  const { steps }: Plan = JSON.parse(await plan(gw, command));
  assert(steps.length > 20, `crxn ${command} would do only ${steps.length} things?`);
  return steps.flatMap(({ file, commands }) => [
    ...(file === undefined ? [] : [fileCommand(file, files[file])]),
    ...commands.map(({ argv, stdin }) => {
      const line = argv.map(quoted).join(" ");
      return `${stdin === undefined ? "" : `printf %s ${quoted(stdin)} | `}${line} || true`;
    }),
  ]).join("\n");
}

function fileCommand(file: string, content: string | undefined): string {
  if (content === undefined) return `rm -f ${quoted(file)}`;
  return `mkdir -p ${quoted(file.slice(0, file.lastIndexOf("/")))}\nprintf %s ${quoted(content)} >${quoted(file)}`;
}

/** The files that a plan writes, as `up` has just written them. */
export async function filesOf(gw: Machine, plan: string): Promise<Record<string, string>> {
  const files = (JSON.parse(plan) as Plan).steps.flatMap(({ file }) => file === undefined ? [] : [file]);
  return Object.fromEntries(await Promise.all(files.map(async (f) => [f, await gw.must(["cat", f])])));
}

/** Milliseconds that a shell script takes, measured on the machine. */
export async function taken(gw: Machine, script: string): Promise<number> {
  const output = await gw.must(`date +%s%N; { ${script}\n} >&2; date +%s%N`, { timeoutSeconds: 600 });
  const [begun, ended] = output.trim().split("\n").map(Number);
  return (ended! - begun!) / 1e6;
}

export const median = (list: number[]) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]!;

/** A pair measured in turn, PAIRS times. */
export interface Measured {
  ours: number[];
  theirs: number[];
}

export const nothing = (): Measured => ({ ours: [], theirs: [] });

/** The median of the ratios, pair by pair. */
export const ratioOf = ({ ours, theirs }: Measured): number => median(ours.map((time, i) => time / theirs[i]!));

/** For the report. */
export const rowOf = (name: string, measured: Measured, limit?: number): Row => ({
  name,
  values: {
    "crxn, ms": median(measured.ours),
    "without, ms": median(measured.theirs),
    "ratio": ratioOf(measured),
    ...(limit === undefined ? {} : { "wanted at most": limit }),
  },
});

/** @returns what is wrong */
export function judge(what: string, measured: Measured, limit: number): string[] {
  const ratio = ratioOf(measured);
  const ms = (list: number[]) => `${median(list).toFixed(0)} ms`;
  const words = `${what}: ${ms(measured.ours)}, ${ms(measured.theirs)} without crxn, ratio ${
    ratio.toFixed(2)
  } (at most ${limit.toFixed(1)})`;
  console.log(words);
  return ratio <= limit ? [] : [words];
}
