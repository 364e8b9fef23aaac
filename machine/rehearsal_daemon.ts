/** A daemon of a rehearsal: a child process in a namespace, with its last log lines kept. */

import { inside } from "./namespace.ts";
import { CLEAN_ENVIRONMENT } from "./run.ts";

const KEPT_LINES = 6;

/** How a program in Go begins to say why it crashes; of the stack behind it a few lines are enough. */
const CRASH = /^(panic|fatal error): /;

/** The last lines of an output, or those with which a crash begins. */
export class Tail {
  readonly lines: string[] = [];
  #crashed = false;

  add(lines: string[]): void {
    for (const line of lines.filter((l) => l.trim() !== "")) {
      if (!this.#crashed && CRASH.test(line)) {
        this.#crashed = true;
        this.lines.length = 0;
      }
      if (this.lines.length === KEPT_LINES && this.#crashed) return;
      this.lines.push(line);
      if (this.lines.length > KEPT_LINES) this.lines.shift();
    }
  }
}

/** One life of it. */
interface Run {
  child: Deno.ChildProcess;
  read: Promise<unknown>;
  tail: Tail;
}

/** How a life of it ended, in words, and its last lines. */
export interface Death {
  ended: string;
  lines: string[];
}

export class Daemon {
  /** Set when it has ended, in words, until it is started again. */
  ended: string | undefined;
  /** Those after which it was started again. */
  readonly deaths: Death[] = [];
  #run: Run;

  /** @param clear what is done in front of each further start */
  constructor(
    readonly name: string,
    private readonly namespace: string,
    private readonly argv: string[],
    private readonly clear: () => Promise<void>,
  ) {
    this.#run = this.#start();
  }

  /** The last lines of its output. */
  get lines(): string[] {
    return this.#run.tail.lines;
  }

  #start(): Run {
    const [program, ...args] = [...inside(this.namespace), ...this.argv];
    const child = new Deno.Command(program!, {
      args,
      clearEnv: true,
      env: CLEAN_ENVIRONMENT,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const tail = new Tail();
    const read = Promise.all([keep(child.stdout, tail), keep(child.stderr, tail)]);
    child.status.then(({ code, signal }) => this.ended = signal ? `was ended by ${signal}` : `ended with code ${code}`);
    return { child, read, tail };
  }

  /** Once more, after it has ended. */
  async again(): Promise<void> {
    await this.#run.read;
    this.deaths.push({ ended: this.ended ?? "ended", lines: [...this.lines] });
    await this.clear();
    this.ended = undefined;
    this.#run = this.#start();
  }

  /** Ends it and waits until it is gone. */
  async stop(): Promise<void> {
    const { child, read } = this.#run;
    try {
      child.kill("SIGKILL");
    } catch {
      // It went by itself.
    }
    await child.status;
    await read;
  }
}

async function keep(stream: ReadableStream<Uint8Array>, tail: Tail): Promise<void> {
  let rest = "";
  for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop()!;
    tail.add(lines);
  }
  tail.add([rest]);
}
