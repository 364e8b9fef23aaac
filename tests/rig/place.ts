import { CommandError, type Output, quoted, run, type RunOptions } from "./process.ts";

/** Somewhere programs can be run: a network namespace or a booted machine. */
export abstract class Place {
  /** @param name as the tests call it @param namespace its network namespace, as in `ip netns` */
  constructor(readonly name: string, readonly namespace: string) {}

  /** Runs a program here, whatever the way in is. */
  protected abstract execute(argv: readonly string[], options: RunOptions): Promise<Output>;

  /**
   * Runs a program here with a clean environment (PATH, HOME, TERM, LC_ALL=C.UTF-8) and stdin from /dev/null.
   * After `timeoutSeconds` (default 120) it is ended from inside and the code is 124 (137 when it had to be SIGKILL).
   */
  async run(argv: readonly string[], options: RunOptions = {}): Promise<Output> {
    const seconds = options.timeoutSeconds ?? 120;
    const env = Object.entries({ ...ENVIRONMENT, ...options.env }).map(([key, value]) => `${key}=${value}`);
    // Killing the way in does not kill what runs inside, so the limit is kept on the inside.
    const inside = ["env", "-i", ...env, "timeout", "-k", "5", String(seconds), ...argv];
    return await this.execute(inside, { input: options.input, timeoutSeconds: seconds + 10 });
  }

  /** Runs a shell script (`sh -c`) here. */
  async sh(script: string, options: RunOptions = {}): Promise<Output> {
    return await this.run(["sh", "-c", script], options);
  }

  /**
   * Runs a program, or a shell script when given a string, and returns its stdout.
   * @throws {CommandError} with argv, exit code and output when the exit code is not 0
   */
  async must(command: readonly string[] | string, options: RunOptions = {}): Promise<string> {
    const argv = typeof command === "string" ? ["sh", "-euc", command] : command;
    const output = await this.run(argv, options);
    if (output.code !== 0) throw new CommandError(this.name, argv, output);
    return output.stdout;
  }

  /** Makes `path` (and its directory) with this content and mode, replacing it in one step. */
  async write(path: string, content: NonNullable<RunOptions["input"]>, mode = 0o644): Promise<void> {
    const [to, temporary] = [quoted(path), quoted(`${path}.rig-new`)];
    await this.must(
      `mkdir -p "$(dirname ${to})"; cat > ${temporary}; chmod ${
        mode.toString(8)
      } ${temporary}; mv -f ${temporary} ${to}`,
      { input: content },
    );
  }

  /** Copies a file of the host to `path` here. */
  async push(hostPath: string, path: string, mode = 0o644): Promise<void> {
    await this.write(path, (await Deno.open(hostPath)).readable, mode);
  }

  /** The text of a file. @throws {CommandError} when it cannot be read */
  async read(path: string): Promise<string> {
    return await this.must(["cat", path]);
  }
}

const ENVIRONMENT = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/root",
  TERM: "dumb",
  LC_ALL: "C.UTF-8",
};

/** A plain network namespace: a client, a host, a router. It shares the host's files. */
export class Namespace extends Place {
  protected override async execute(argv: readonly string[], options: RunOptions): Promise<Output> {
    return await run(["nsenter", `--net=/run/netns/${this.namespace}`, "--", ...argv], options);
  }
}
