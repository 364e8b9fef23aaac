import type { Machine } from "./machine.ts";
import type { Namespace, Place } from "./place.ts";
import { CommandError, run } from "./process.ts";

/** How to ping. */
export interface PingOptions {
  /** Echo requests to send; default 3. */
  count?: number;
  /** Seconds between two of them; default 0.2. */
  interval?: number;
  /** Bytes of payload; default 56. They are sent with "don't fragment" when `whole` is set. */
  size?: number;
  whole?: boolean;
  /** Seconds in all: goes on until `count` answers have come or the time is over. Without it each answer has 1 s. */
  deadline?: number;
}

/** Sends echo requests from a namespace or machine. An unreachable target is a result, not an error. */
export async function ping(
  from: Place,
  address: string,
  { count = 3, interval = 0.2, size = 56, whole = false, deadline }: PingOptions = {},
): Promise<{ sent: number; received: number }> {
  const limit = deadline === undefined ? ["-W", "1"] : ["-w", String(deadline)];
  const fragments = whole ? ["-M", "do"] : [];
  const numbers = ["-c", String(count), "-i", String(interval), "-s", String(size)];
  const argv = ["ping", "-n", ...numbers, ...limit, ...fragments, address];
  const output = await from.run(argv);
  const counted = /(\d+) packets transmitted, (\d+) received/.exec(output.stdout);
  // No route at all is an error of ping's own, before anything is sent.
  if (counted === null && /unreachable/.test(output.stderr)) return { sent: 0, received: 0 };
  if (counted === null) throw new CommandError(from.name, argv, output);
  return { sent: Number(counted[1]), received: Number(counted[2]) };
}

/** What a transfer was like. `seconds` counts both directions. */
export interface Transfer {
  ok: true;
  bytes: number;
  seconds: number;
}

/**
 * Opens a TCP connection from one place to `address`:`port` of the other, sends `bytes` random bytes there and then as
 * many back. Each side compares SHA-256 sums of what was sent and what came.
 * @throws {Error} with what both sides said, when a byte is lost or `seconds` (default 60) are over
 */
export async function transfer(
  from: Namespace | Machine,
  to: Namespace | Machine,
  address: string,
  port: number,
  bytes: number,
  seconds = 60,
): Promise<Transfer> {
  const peer = (place: Namespace | Machine, ...args: (string | number)[]) => {
    const script = new URL("transfer_peer.ts", import.meta.url).pathname;
    const deno = [Deno.execPath(), "run", "-A", "--no-lock", script, ...args.map(String)];
    return ["nsenter", `--net=/run/netns/${place.namespace}`, "--", "timeout", "-k", "1", String(seconds), ...deno];
  };
  // When one end fails, the other has nothing to wait for.
  const failed = new AbortController();
  const end = async (argv: string[]) => {
    const output = await run(argv, { timeoutSeconds: seconds + 5, signal: failed.signal });
    if (output.code !== 0) failed.abort();
    return output;
  };
  // The caller tries until the other side listens, so they can start at the same time.
  const [listening, calling] = await Promise.all([
    end(peer(to, "listen", port, bytes)),
    end(peer(from, "call", port, bytes, address)),
  ]);
  if (listening.code !== 0 || calling.code !== 0) {
    const said = ({ code, stdout, stderr }: typeof calling) => `code ${code} ${stdout.trim()} ${stderr.trim()}`;
    throw new Error(
      `TCP transfer of ${bytes} bytes from ${from.name} to ${to.name} at [${address}]:${port} failed\n` +
        `  ${from.name}: ${said(calling)}\n  ${to.name}: ${said(listening)}`,
    );
  }
  return { ok: true, bytes, seconds: Number(calling.stdout) };
}
