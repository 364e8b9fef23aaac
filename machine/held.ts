/** Programs that run beside crxn until they are ended, and what they say. */

export interface HoldOptions {
  /** Where its stdout goes instead of `output`. */
  stdout?: WritableStream<Uint8Array>;
}

/** A program that runs beside crxn. */
export interface Held {
  pid: number;
  /** stdout and stderr so far. */
  output(): string;
  /** Why its stdout could not be written to where it goes, e.g. a full disk. */
  lost?(): string | undefined;
  /** Writes lines to its stdin. */
  say(...lines: string[]): Promise<void>;
  /** Waits until `output` has it. @returns false when it ended, or did not come in time */
  says(pattern: RegExp, seconds: number): Promise<boolean>;
  /** By SIGINT (or `signal`), and waits for its end, seconds at most. */
  end(signal?: Deno.Signal): Promise<void>;
}

export class HeldProgram implements Held {
  #output = "";
  #ended = false;
  #lost: string | undefined;
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
      stdout
        ? child.stdout.pipeTo(stdout).catch((error) => this.#lost = messageOf(error))
        : collect(child.stdout, take),
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

  lost = (): string | undefined => this.#lost;

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
    kill(this.child, signal);
    // A program that reads nothing more must not keep what is still to be written to it.
    void this.#writer.close().catch(() => {});
    if (await within(this.#readers, PATIENCE)) return;
    kill(this.child, "SIGKILL");
    // One in state D stays, and ends with crxn.
    await within(this.#readers, PATIENCE);
  }
}

/** Milliseconds that a program gets to end after a signal. */
const PATIENCE = 2000;

const messageOf = (error: unknown) => error instanceof Error ? error.message : String(error);

export function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // It has ended by itself.
  }
}

/** Waits for a promise, but no longer than some milliseconds. @returns whether it came in time; its own error if it has one */
export async function within(promise: Promise<unknown>, milliseconds: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => timer = setTimeout(() => resolve(false), milliseconds));
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Hands over the pieces of a stream of text until its end. */
export async function collect(stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
  for await (const piece of stream.pipeThrough(new TextDecoderStream())) take(piece);
}
