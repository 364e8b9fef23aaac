import { Buffer } from "node:buffer";
import { type Output, type RunOptions, until } from "./process.ts";

// The guest agent of QEMU ("QEMU Guest Agent Protocol Reference") speaks JSON, a line a message, over a serial port. So
// the way into a virtual machine does not depend on its network, which is what the tests break.

type Json = Record<string, unknown>;

/** A program in the machine, as guest-exec-status reports it. */
interface Status {
  exited: boolean;
  exitcode?: number;
  signal?: number;
  "out-data"?: string;
  "err-data"?: string;
}

/** Seconds for the agent to answer a question; a booting kernel is asked over and over. */
const ANSWER = 30;

/** A connection to the agent of one virtual machine, from its power-on to its power-off. */
export class Agent {
  #waiting = new Map<number, (reply: Json) => void>();
  #writer: WritableStreamDefaultWriter<Uint8Array>;
  #last = 0;

  private constructor(readonly socket: Deno.UnixConn) {
    this.#writer = socket.writable.getWriter();
    // Ends when QEMU does; whoever waits for an answer then has a limit of its own.
    this.#listen().catch(() => {});
  }

  /** Connects to the socket that QEMU makes at its start. */
  static async connect(path: string): Promise<Agent> {
    const socket = await until(`QEMU to make ${path}`, 20, async () => {
      return await Deno.connect({ transport: "unix", path }).catch(() => undefined);
    });
    return new Agent(socket);
  }

  /** Asks the agent. @throws {Error} when it refuses, or does not answer within `seconds` */
  async ask(execute: string, args: Json = {}, seconds = ANSWER): Promise<unknown> {
    const id = ++this.#last;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const reply = new Promise<Json>((resolve, reject) => {
      this.#waiting.set(id, resolve);
      timer = setTimeout(() => reject(new Error(`No answer to ${execute} in ${seconds} s`)), seconds * 1000);
    });
    try {
      const line = `${JSON.stringify({ execute, arguments: args, id })}\n`;
      const written = this.#writer.write(new TextEncoder().encode(line));
      // A machine that reads nothing holds the line up; its missing answer is what ends the wait.
      const { error, return: result } = await Promise.race([reply, written.then(() => reply)]);
      if (error !== undefined) throw new Error(`${execute}: ${JSON.stringify(error)}`);
      return result;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  /** Whether the agent answers right now. */
  async answers(): Promise<boolean> {
    return await this.ask("guest-ping", {}, 1).then(() => true, () => false);
  }

  /** Runs a program in the machine and returns what came of it. */
  async run(argv: readonly string[], { input, timeoutSeconds = 120 }: RunOptions): Promise<Output> {
    const [path, ...arg] = argv;
    const text = input === undefined ? {} : { "input-data": Buffer.from(await bytesOf(input)).toString("base64") };
    const started = await this.ask("guest-exec", { path, arg, "capture-output": true, ...text }) as { pid: number };
    const { exitcode, signal, ...said } = await until(`the end of ${argv.join(" ")}`, timeoutSeconds, async () => {
      const status = await this.ask("guest-exec-status", started) as Status;
      return status.exited ? status : undefined;
    });
    const decoded = (data = "") => Buffer.from(data, "base64").toString("utf8");
    return {
      code: exitcode ?? 128 + (signal ?? 0),
      stdout: decoded(said["out-data"]),
      stderr: decoded(said["err-data"]),
    };
  }

  /** Hangs up. */
  close(): void {
    try {
      this.socket.close();
    } catch {
      // QEMU has ended, and the connection with it.
    }
  }

  async #listen(): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of this.socket.readable) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const reply = parsed(line);
        // An answer to a question that nobody waits for any more is none.
        if (typeof reply?.id === "number") this.#waiting.get(reply.id)?.(reply);
      }
    }
  }
}

/** A message; undefined for what a reboot has cut off in the middle. */
function parsed(line: string): Json | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

async function bytesOf(input: NonNullable<RunOptions["input"]>): Promise<ArrayBuffer> {
  return await new Response(input).arrayBuffer();
}
