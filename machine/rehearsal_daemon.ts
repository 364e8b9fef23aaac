/** A daemon of a rehearsal: a child process in a namespace, with its last log lines kept. */

import { inside } from "./namespace.ts";
import { CLEAN_ENVIRONMENT } from "./run.ts";

const KEPT_LINES = 6;

export class Daemon {
  /** The last lines of its output. */
  readonly lines: string[] = [];
  /** Set when it has ended, in words. */
  ended: string | undefined;
  private readonly child: Deno.ChildProcess;
  private readonly read: Promise<unknown>;

  constructor(readonly name: string, namespace: string, argv: string[]) {
    const [program, ...args] = [...inside(namespace), ...argv];
    this.child = new Deno.Command(program!, {
      args,
      clearEnv: true,
      env: CLEAN_ENVIRONMENT,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.read = Promise.all([this.keep(this.child.stdout), this.keep(this.child.stderr)]);
    this.child.status.then(({ code, signal }) =>
      this.ended = signal ? `was ended by ${signal}` : `ended with code ${code}`
    );
  }

  private async keep(stream: ReadableStream<Uint8Array>): Promise<void> {
    let rest = "";
    for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + piece).split("\n");
      rest = lines.pop()!;
      this.lines.push(...lines.filter((l) => l.trim() !== ""));
      if (this.lines.length > KEPT_LINES) this.lines.splice(0, this.lines.length - KEPT_LINES);
    }
  }

  /** Ends it and waits until it is gone. */
  async stop(): Promise<void> {
    try {
      this.child.kill("SIGKILL");
    } catch {
      // It went by itself.
    }
    await this.child.status;
    await this.read;
  }
}
