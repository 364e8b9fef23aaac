/** The only place that starts programs. Two methods, so that a test can put a fake or a namespace in its stead. */

import { commandLine, Program } from "../gateway/action.ts";
import { CrxnError, Exit } from "../gateway/errors.ts";
import { collect, type Held, HeldProgram, type HoldOptions, kill, within } from "./held.ts";

export type { Held, HoldOptions } from "./held.ts";

export interface Result {
  argv: string[];
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  stdin?: string;
  /** Default 30. The program is ended after it (SIGTERM, and SIGKILL where that is not heard), with code 124. */
  timeoutSeconds?: number;
  /** Called with each piece of stdout and stderr as it comes. */
  onOutput?: (text: string) => void;
  /** Added to the clean environment. */
  env?: Record<string, string>;
}

export interface Runner {
  /**
   * Runs a program to its end. Never throws for its exit code; 127 means that it does not exist, 126 that it cannot be run.
   * Comes back in any case, also from a program that nothing can end (state D).
   */
  run(argv: string[], options?: RunOptions): Promise<Result>;
  /** Starts a program that goes on until it is ended; the kernel ends it when crxn dies. Missing where nothing can be started. */
  start?(argv: string[], options?: HoldOptions): Held | undefined;
  /** From now on programs that `run` starts have a session of their own, out of reach of the terminal's signals. */
  detach?(): void;
  /** What was asked before this crxn was alone holds only if nobody else was at work since: `last` of lock.ts. */
  since?(last: string | undefined): void;
}

/** A program's whole environment: nothing of the caller's gets through (LD_PRELOAD, IFS, a foreign PATH). */
export const CLEAN_ENVIRONMENT = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C", HOME: "/root" };

/** Programs on this machine. `prefix` comes before every argv, e.g. `ip netns exec NAME`. */
export class SystemRunner implements Runner {
  #detached = false;

  constructor(private readonly prefix: string[] = []) {}

  detach(): void {
    this.#detached = true;
  }

  async run(argv: string[], options: RunOptions = {}): Promise<Result> {
    const [program, ...args] = [...this.prefix, ...argv];
    let child: Deno.ChildProcess;
    try {
      child = new Deno.Command(program!, {
        args,
        clearEnv: true,
        env: { ...CLEAN_ENVIRONMENT, ...options.env },
        stdin: options.stdin === undefined ? "null" : "piped",
        stdout: "piped",
        stderr: "piped",
        detached: this.#detached,
      }).spawn();
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) {
        return { argv, code: 127, stdout: "", stderr: `${program}: not found` };
      }
      const why = error instanceof Error ? error.message : String(error);
      return { argv, code: 126, stdout: "", stderr: `${program}: cannot be run: ${why}` };
    }
    const done = Promise.all([
      options.onOutput ? follow(child, options.onOutput) : whole(child),
      feed(child, options.stdin),
    ]);
    if (await within(done, (options.timeoutSeconds ?? 30) * 1000)) return { argv, ...(await done)[0] };
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      kill(child, signal);
      if (await within(done, GRACE)) return { argv, ...(await done)[0], code: 124 };
    }
    // Somebody whom it started still holds its output.
    return { argv, code: 124, stdout: "", stderr: "" };
  }

  start(argv: string[], options: HoldOptions = {}): Held | undefined {
    const [program, ...args] = [...DIES_WITH_US, ...this.prefix, ...argv];
    try {
      const child = new Deno.Command(program!, {
        args,
        clearEnv: true,
        // nft -i keeps a history in the home folder.
        env: { ...CLEAN_ENVIRONMENT, HOME: "/nonexistent" },
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      return new HeldProgram(child, options);
    } catch {
      return undefined;
    }
  }
}

/** Milliseconds that a program gets to end after a signal. */
const GRACE = 2000;

/** PR_SET_PDEATHSIG (prctl(2)): the program gets SIGKILL when crxn dies of whatever cause. */
const DIES_WITH_US = [Program.setpriv, "--pdeathsig", "KILL", "--"];

type Output = Pick<Result, "code" | "stdout" | "stderr">;

/** All of it at once, at its end: reading piece by piece costs more than most programs. */
async function whole(child: Deno.ChildProcess): Promise<Output> {
  const { code, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

/** Piece by piece. */
async function follow(child: Deno.ChildProcess, onOutput: (text: string) => void): Promise<Output> {
  const said = { stdout: "", stderr: "" };
  const take = (name: "stdout" | "stderr") => (text: string) => {
    said[name] += text;
    onOutput(text);
  };
  const [{ code }] = await Promise.all([
    child.status,
    collect(child.stdout, take("stdout")),
    collect(child.stderr, take("stderr")),
  ]);
  return { code, ...said };
}

async function feed(child: Deno.ChildProcess, stdin: string | undefined): Promise<void> {
  if (stdin === undefined) return;
  const writer = child.stdin.getWriter();
  try {
    await writer.write(new TextEncoder().encode(stdin));
    await writer.close();
  } catch {
    // The program went without reading all of it: its exit code tells.
  }
}

/** @throws CrxnError 1 with the whole command, its code and its output. */
export async function must(
  runner: Runner,
  argv: string[],
  options: RunOptions & { also?: number[] } = {},
): Promise<Result> {
  const result = await runner.run(argv, options);
  if (result.code === 0 || options.also?.includes(result.code)) return result;
  throw failure(result);
}

export function failure(result: Result): CrxnError {
  const what = result.code === 124 ? "did not end in time" : `ended with code ${result.code}`;
  const output = (result.stderr.trim() || result.stdout.trim()).split("\n").slice(-20).join("\n");
  return new CrxnError(Exit.failed, `\`${commandLine(result.argv)}\` ${what}.`, undefined, {
    text: output,
    json: { argv: result.argv, code: result.code, output },
  });
}
