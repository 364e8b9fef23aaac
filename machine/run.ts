/** The only place that starts programs. Two methods, so that a test can put a fake or a namespace in its stead. */

import { commandLine, Program } from "../gateway/action.ts";
import { CrxnError, Exit } from "../gateway/errors.ts";

export interface Result {
  argv: string[];
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  stdin?: string;
  /** Default 30. The program is killed after it, with code 124. */
  timeoutSeconds?: number;
  /** Called with each piece of stdout and stderr as it comes. */
  onOutput?: (text: string) => void;
  /** Added to the clean environment. */
  env?: Record<string, string>;
}

export interface Runner {
  /** Runs a program to its end. Never throws for its exit code; 127 means that it does not exist. */
  run(argv: string[], options?: RunOptions): Promise<Result>;
  /** Starts a program that goes on until it is ended; the kernel ends it when crxn dies. Missing where nothing can be started. */
  start?(argv: string[], options?: HoldOptions): Held | undefined;
}

export interface HoldOptions {
  /** Where its stdout goes instead of `output`. */
  stdout?: WritableStream<Uint8Array>;
}

/** A program that runs beside crxn. */
export interface Held {
  pid: number;
  /** stdout and stderr so far. */
  output(): string;
  /** Writes lines to its stdin. */
  say(...lines: string[]): Promise<void>;
  /** Waits until `output` has it. @returns false when it ended, or did not come in time */
  says(pattern: RegExp, seconds: number): Promise<boolean>;
  /** By SIGINT (or `signal`), and waits for its end. */
  end(signal?: Deno.Signal): Promise<void>;
}

/** A program's whole environment: nothing of the caller's gets through (LD_PRELOAD, IFS, a foreign PATH). */
export const CLEAN_ENVIRONMENT = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C", HOME: "/root" };

/** Programs on this machine. `prefix` comes before every argv, e.g. `ip netns exec NAME`. */
export class SystemRunner implements Runner {
  constructor(private readonly prefix: string[] = []) {}

  async run(argv: string[], options: RunOptions = {}): Promise<Result> {
    const [program, ...args] = [...this.prefix, ...argv];
    const abort = new AbortController();
    let timedOut = false;
    let child: Deno.ChildProcess;
    try {
      child = new Deno.Command(program!, {
        args,
        clearEnv: true,
        env: { ...CLEAN_ENVIRONMENT, ...options.env },
        stdin: options.stdin === undefined ? "null" : "piped",
        stdout: "piped",
        stderr: "piped",
        signal: abort.signal,
      }).spawn();
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      return { argv, code: 127, stdout: "", stderr: `${program}: not found` };
    }
    const timer = setTimeout(() => {
      timedOut = true;
      abort.abort();
    }, (options.timeoutSeconds ?? 30) * 1000);
    try {
      const [{ code, stdout, stderr }] = await Promise.all([
        options.onOutput ? follow(child, options.onOutput) : whole(child),
        feed(child, options.stdin),
      ]);
      return { argv, code: timedOut ? 124 : code, stdout, stderr };
    } finally {
      clearTimeout(timer);
    }
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
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }
}

/** PR_SET_PDEATHSIG (prctl(2)): the program gets SIGKILL when crxn dies of whatever cause. */
const DIES_WITH_US = [Program.setpriv, "--pdeathsig", "KILL", "--"];

class HeldProgram implements Held {
  #output = "";
  #ended = false;
  #wake = new Set<() => void>();
  readonly #readers: Promise<unknown>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;

  constructor(private readonly child: Deno.ChildProcess, { stdout }: HoldOptions) {
    this.#writer = child.stdin.getWriter();
    const take = (text: string) => {
      this.#output += text;
      for (const wake of this.#wake) wake();
    };
    this.#readers = Promise.all([
      stdout ? child.stdout.pipeTo(stdout).catch(() => {}) : collect(child.stdout, take),
      collect(child.stderr, take),
      child.status,
    ]).then(() => {
      this.#ended = true;
      take("");
    });
  }

  get pid(): number {
    return this.child.pid;
  }

  output = (): string => this.#output;

  async say(...lines: string[]): Promise<void> {
    // A program that has ended shows in what it does not answer.
    await this.#writer.write(new TextEncoder().encode(lines.join("\n") + "\n")).catch(() => {});
  }

  says(pattern: RegExp, seconds: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const look = () => {
      if (pattern.test(this.#output)) resolve(true);
      else if (this.#ended) resolve(false);
    };
    const timer = setTimeout(() => resolve(false), seconds * 1000);
    this.#wake.add(look);
    look();
    return promise.finally(() => {
      clearTimeout(timer);
      this.#wake.delete(look);
    });
  }

  async end(signal: Deno.Signal = "SIGINT"): Promise<void> {
    try {
      this.child.kill(signal);
    } catch {
      // It has ended by itself.
    }
    await this.#writer.close().catch(() => {});
    const patience = setTimeout(() => {
      try {
        this.child.kill("SIGKILL");
      } catch {
        // It went in time.
      }
    }, 2000);
    await this.#readers;
    clearTimeout(patience);
  }
}

type Output = Pick<Result, "code" | "stdout" | "stderr">;

/** All at once, which costs a fraction of what streams do. */
async function whole(child: Deno.ChildProcess): Promise<Output> {
  const { code, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

/** Piece by piece. */
async function follow(child: Deno.ChildProcess, onOutput: (text: string) => void): Promise<Output> {
  const [stdout, stderr, { code }] = await Promise.all([
    collect(child.stdout, onOutput),
    collect(child.stderr, onOutput),
    child.status,
  ]);
  return { code, stdout, stderr };
}

async function collect(stream: ReadableStream<Uint8Array>, onOutput?: (text: string) => void): Promise<string> {
  let text = "";
  for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
    text += piece;
    onOutput?.(piece);
  }
  return text;
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
