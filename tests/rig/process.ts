// Programs run on the host of the tests.

/** What a finished program left behind. `code` is its exit status, 128+N when signal N ended it. */
export interface Output {
  code: number;
  stdout: string;
  stderr: string;
}

/** How to run a program. */
export interface RunOptions {
  /** What the program reads; without it stdin is /dev/null. */
  input?: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  /** Seconds until it is killed (default 120). A killed program ends with code 124 or 137. */
  timeoutSeconds?: number;
  /** Variables on top of the environment. */
  env?: Record<string, string>;
  /** When it is aborted the program gets SIGTERM. */
  signal?: AbortSignal;
  /** Working directory; only for programs on the host. */
  cwd?: string;
}

/** A program that had to succeed and did not: the whole argv, the exit code and all of its output. */
export class CommandError extends Error {
  override name = "CommandError";
  constructor(readonly where: string, readonly argv: readonly string[], readonly output: Output) {
    super(
      `${where}: exit code ${output.code} of: ${argv.map(quoted).join(" ")}\n` +
        [output.stdout, output.stderr].map((text) => text.trimEnd()).filter((text) => text !== "").join("\n"),
    );
  }
}

/** One word of a command as a shell would have to be given it. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Runs `argv` on the host and returns what came of it, whatever the exit code. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<Output> {
  const [command, ...args] = argv;
  if (command === undefined) throw new TypeError("Cannot run an empty argv");
  const child = new Deno.Command(command, {
    args,
    cwd: options.cwd,
    env: options.env,
    stdin: options.input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const kill = (signal: Deno.Signal) => {
    try {
      child.kill(signal);
    } catch {
      // It has ended in the meantime.
    }
  };
  const limit = setTimeout(kill, (options.timeoutSeconds ?? 120) * 1000, "SIGKILL");
  const aborted = () => kill("SIGTERM");
  options.signal?.addEventListener("abort", aborted);
  // A program that ends without reading its input closes the pipe; its exit code tells the story.
  const fed = options.input === undefined ? undefined : feed(child, options.input).catch(() => {});
  const { code, stdout, stderr } = await child.output();
  clearTimeout(limit);
  options.signal?.removeEventListener("abort", aborted);
  await fed;
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

/** Runs `argv` on the host and returns its stdout. @throws {CommandError} when the exit code is not 0 */
export async function must(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const output = await run(argv, options);
  if (output.code !== 0) throw new CommandError("host", argv, output);
  return output.stdout;
}

/** Runs several `ip` commands in one process, in order. @throws {CommandError} at the first that fails */
export async function ip(namespace: string, commands: readonly string[]): Promise<void> {
  await must(["ip", "-n", namespace, "-batch", "-"], { input: commands.join("\n") + "\n" });
}

/** Asks `probe` until it gives something other than undefined. @throws {Error} naming `what` after `seconds` */
export async function until<T>(what: string, seconds: number, probe: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + seconds * 1000;
  for (let pause = 20; performance.now() < end; pause = Math.min(pause * 1.5, 300)) {
    const found = await probe();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  throw new Error(`Waited ${seconds} s in vain for: ${what}`);
}

async function feed(child: Deno.ChildProcess, input: NonNullable<RunOptions["input"]>): Promise<void> {
  if (input instanceof ReadableStream) return await input.pipeTo(child.stdin);
  const writer = child.stdin.getWriter();
  await writer.write(typeof input === "string" ? new TextEncoder().encode(input) : input);
  await writer.close();
}
