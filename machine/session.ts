/** Which SSH session a command comes from. */

import { Program } from "../gateway/action.ts";
import type { Runner } from "./run.ts";

export interface SshSession {
  /** SSH_CONNECTION as sshd(8) sets it: "client port server port". One TCP connection has one. */
  connection: string;
  client: string;
  /** This machine's address, to which the client talks. */
  server: string;
  /** Of this machine's end. */
  port: number;
}

/** @returns undefined for a session that is not SSH's */
export async function sshSession(runner: Runner): Promise<SshSession | undefined> {
  return sessionOf(Deno.env.get("SSH_CONNECTION") ?? await inherited(runner, Deno.pid));
}

/** @param connection SSH_CONNECTION */
export function sessionOf(connection: string | undefined): SshSession | undefined {
  const [client, clientPort, server, serverPort] = connection?.split(" ") ?? [];
  if (!connection || !client || !clientPort || !server || !serverPort) return undefined;
  return { connection, client, server, port: Number(serverPort) };
}

/** By the environments of the processes that one comes from, the nearest first: sudo(8) takes the variable away. proc(5). */
export async function inherited(runner: Runner, pid: number): Promise<string | undefined> {
  const parents = parseParents((await runner.run([Program.ps, "-eo", "pid=,ppid="])).stdout);
  const files = ancestors(pid, parents).map((p) => `/proc/${p}/environ`);
  if (files.length === 0) return undefined;
  const { stdout } = await runner.run([Program.grep, "-zahs", "^SSH_CONNECTION=", "--", ...files]);
  const [first = ""] = stdout.split("\0");
  return first.startsWith("SSH_CONNECTION=") ? first.slice("SSH_CONNECTION=".length) : undefined;
}

/** `ps -eo pid=,ppid=` */
export function parseParents(output: string): Map<number, number> {
  return new Map(
    output.split("\n").flatMap((line): [number, number][] => {
      const [, pid, parent] = /^\s*(\d+)\s+(\d+)\s*$/.exec(line) ?? [];
      return pid === undefined ? [] : [[Number(pid), Number(parent)]];
    }),
  );
}

/** The process itself and those that it comes from, without init. Processes that change meanwhile must not become a circle. */
export function ancestors(pid: number, parents: Map<number, number>): number[] {
  const chain: number[] = [];
  for (let next = pid; next > 1 && !chain.includes(next); next = parents.get(next) ?? 0) chain.push(next);
  return chain;
}
