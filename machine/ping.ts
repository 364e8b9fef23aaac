/** ping(8). */

import { Program } from "../gateway/action.ts";
import type { Runner } from "./run.ts";

export interface Pinged {
  sent: number;
  received: number;
  /** Round trips in milliseconds. */
  times: number[];
  argv: string[];
  output: string;
}

export async function ping(
  runner: Runner,
  address: string,
  { count = 3, waitSeconds = 1, size = 56 }: { count?: number; waitSeconds?: number; size?: number } = {},
): Promise<Pinged> {
  const argv = [
    Program.ping,
    "-n",
    "-c",
    String(count),
    "-i",
    "0.2",
    "-W",
    String(waitSeconds),
    "-s",
    String(size),
    address,
  ];
  const { stdout, stderr } = await runner.run(argv, { timeoutSeconds: count * (waitSeconds + 0.2) + 5 });
  return { ...parsePing(stdout), argv, output: (stdout + stderr).trim() };
}

/** `64 bytes from ...: icmp_seq=1 ttl=64 time=0.041 ms` and `3 packets transmitted, 3 received, ...`. */
export function parsePing(output: string): Pick<Pinged, "sent" | "received" | "times"> {
  const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(output) ?? [];
  const times = [...output.matchAll(/ time[=<]([\d.]+) ms/g)].map((m) => Number(m[1]));
  return { sent: Number(sent ?? 0), received: Number(received ?? 0), times };
}

/** "socktype: SOCK_RAW", "missing cap_net_raw+p capability": a user whom net.ipv4.ping_group_range leaves out. icmp(7). */
export const mayNotPing = (output: string): boolean => /cap_net_raw|Operation not permitted/.test(output);
