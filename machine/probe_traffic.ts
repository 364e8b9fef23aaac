/** Packets of the probe's client. ping(8), bash(1). */

import { Program } from "../gateway/action.ts";
import type { Flow, FlowName } from "../checks/probe_result.ts";
import type { Runner } from "./run.ts";

/** The TCP port that is tried: an open one answers, and a closed one as well. */
export const PORT = 80;

/** IPv6 header and ICMPv6 header. */
export const OVERHEAD6 = 48;
/** IPv4 header and ICMP header. */
export const OVERHEAD4 = 28;

export interface Sizes {
  /** Bytes of a whole large packet. */
  large: number;
  ids: Record<"small" | "large", number>;
}

/** Sends `count` packets of a flow and waits some seconds for the last answer. */
export async function sendFlow(
  runner: Runner,
  flow: FlowName,
  to: string,
  { large, ids }: Sizes,
  { count, seconds }: { count: number; seconds: number },
): Promise<Flow> {
  if (flow === "tcp") return await connect(runner, to);
  const size = flow === "large" ? large : 56 + OVERHEAD6;
  const command = [
    Program.ping,
    "-6",
    "-n",
    "-c",
    `${count}`,
    "-i",
    "0.2",
    "-W",
    `${seconds}`,
    // Not to be fragmented. (Debian 12's ping has no `probe` here.)
    "-M",
    "do",
    "-e",
    `${ids[flow]}`,
    "-s",
    `${size - OVERHEAD6}`,
    to,
  ];
  const { stdout, stderr } = await runner.run(command, { timeoutSeconds: 10 });
  const { sent, received } = parsePing(stdout, count);
  const error = icmpError(stdout);
  return {
    sent,
    back: received,
    size,
    ...(error ? { error } : {}),
    command,
    output: (stdout + stderr).trim(),
  };
}

/** A connection, given up after one retransmission (RFC 6298: one second). Its end, in either way, is an answer. */
async function connect(runner: Runner, to: string): Promise<Flow> {
  const script = "exec 3<>/dev/tcp/$0/$1";
  const command = [Program.timeout, "1.5", Program.bash, "-c", script, to, String(PORT)];
  const { code, stdout, stderr } = await runner.run(command, { timeoutSeconds: 10 });
  const back = code === 0 || /Connection refused/.test(stderr) ? 1 : 0;
  // "bash: connect: No route to host" and the like: an ICMP error.
  const error = back ? undefined : /connect: (.*)/.exec(stderr)?.[1];
  return { sent: 1, back, ...(error ? { error } : {}), command, output: (stdout + stderr).trim() };
}

/** "3 packets transmitted, 2 received, ..." and "rtt min/avg/max/mdev = 0.1/0.2/0.3/0.0 ms". */
export function parsePing(output: string, count: number): { sent: number; received: number; rtt?: number } {
  const counts = /(\d+) packets transmitted, (\d+) received/.exec(output);
  const rtt = /= [\d.]+\/([\d.]+)\//.exec(output)?.[1];
  return {
    sent: Number(counts?.[1] ?? count),
    received: Number(counts?.[2] ?? 0),
    ...(rtt ? { rtt: Number(rtt) } : {}),
  };
}

/** "From 2001:db8::1 icmp_seq=1 Destination unreachable: No route": what comes behind the number. */
export const icmpError = (output: string): string | undefined =>
  /^From (\S+):? icmp_seq=\d+ (.+)$/m.exec(output)?.slice(1).join(": ");

/** "... Packet too big: mtu=1400" (IPv6), "... Frag needed and DF set (mtu = 1400)" (IPv4). */
export function toldMtu(output: string): number | undefined {
  const told = /(?:Packet too big: mtu=|Frag needed and DF set \(mtu = |message too long, mtu[:=] ?)(\d+)/.exec(output);
  return told ? Number(told[1]) : undefined;
}
