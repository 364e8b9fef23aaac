/** Traffic of a rehearsal: pings, and a transfer between two ends of crxn's own. */

import { Program } from "../gateway/action.ts";
import { CrxnError, Exit } from "../gateway/errors.ts";
import type { Findings, Flow, PingResult } from "../gateway/rehearsal_report.ts";
import type { Seen } from "./rehearsal_peer.ts";
import { must, type Runner } from "./run.ts";

/** The last lines of iputils' ping(8). */
export function parsePing(output: string): PingResult {
  const counts = /(\d+) packets transmitted, (\d+) received/.exec(output);
  const rtt = /rtt min\/avg\/max\/mdev = ([\d.]+)\/([\d.]+)\/([\d.]+)/.exec(output);
  return {
    sent: Number(counts?.[1] ?? 0),
    received: Number(counts?.[2] ?? 0),
    ...(rtt ? { rtt: { min: Number(rtt[1]), avg: Number(rtt[2]), max: Number(rtt[3]) } } : {}),
  };
}

/** @param patience seconds to wait for the last answer */
export async function ping(runner: Runner, to: string, count: number, patience: number): Promise<PingResult> {
  const { stdout } = await runner.run([
    Program.ping,
    "-n",
    "-q",
    "-c",
    `${count}`,
    "-i",
    "0.2",
    "-W",
    `${patience}`,
    to,
  ]);
  return parsePing(stdout);
}

/**
 * Pings until four of four are answered. A yggdrasil that has just found a peer looks for its paths once more about a
 * second later, and loses packets for up to a second then (docs/facts.md).
 * @param tries at most so many; with one the first loss is the result
 * @throws CrxnError 1 when something is lost in the last try, too
 */
export async function pingWhole(runner: Runner, to: string, tries: number): Promise<PingResult> {
  let lostBefore = 0;
  for (;; tries--) {
    const result = await ping(runner, to, 4, 2);
    if (result.received === result.sent && result.sent > 0) return { ...result, ...(lostBefore ? { lostBefore } : {}) };
    if (tries <= 1) {
      throw new CrxnError(Exit.failed, `Only ${result.received} of ${result.sent} pings to ${to} were answered.`);
    }
    lostBefore += result.sent - result.received;
  }
}

const PORT = 4711;

/**
 * Sends `bytes` from `client` to `host` and as many back, over one TCP connection.
 * @param to the host's address as the client sees it
 * @throws CrxnError 1 when an end gives up, or when something else arrives than was sent
 */
export async function transfer(
  ends: { client: Runner; host: Runner },
  addresses: { host: string; to: string },
  bytes: number,
): Promise<NonNullable<Findings["transfer"]>> {
  const options = { timeoutSeconds: 60, env: peerEnvironment() };
  const end = async (runner: Runner, role: string, address: string): Promise<Seen> => {
    const { stdout } = await must(runner, [...peerArgv(), role, address, String(PORT), String(bytes)], options);
    return JSON.parse(stdout);
  };
  const [client, host] = await Promise.all([
    end(ends.client, "send", addresses.to),
    end(ends.host, "listen", addresses.host),
  ]);
  const result = { toHost: flow(client, host), toClient: flow(host, client) };
  if (result.toHost.intact && result.toClient.intact) return result;
  throw new CrxnError(Exit.failed, "What arrived over TCP is not what was sent: the checksums differ.", undefined, {
    json: { transfer: result },
  });
}

export function flow(from: Seen, to: Seen): Flow {
  const { bytes, seconds, sum } = to.received;
  return {
    bytes,
    seconds,
    megabytesPerSecond: seconds > 0 ? Math.round(bytes / seconds / 1e4) / 100 : 0,
    intact: bytes === from.sent.bytes && sum === from.sent.sum,
  };
}

/** crxn itself: the compiled binary, or the sources that run just now. */
function peerArgv(): string[] {
  const self = Deno.build.standalone
    ? [Deno.execPath()]
    : [Deno.execPath(), "run", "--quiet", "-A", "--cached-only", new URL(Deno.mainModule).pathname];
  return [...self, "rehearse-peer"];
}

/** From sources, Deno must find its cache: there is no network in a namespace to fetch anything again. */
function peerEnvironment(): Record<string, string> {
  if (Deno.build.standalone) return {};
  const names = ["HOME", "DENO_DIR", "XDG_CACHE_HOME"];
  return Object.fromEntries(names.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  }));
}
