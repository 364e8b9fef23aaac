/** Which SSH session a command comes from. */

import { readNow } from "./files.ts";

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
export function sshSession(pid: number = Deno.pid): SshSession | undefined {
  const connection = connectionOf(pid);
  const [client, clientPort, server, serverPort] = connection?.split(" ") ?? [];
  if (!connection || !client || !clientPort || !server || !serverPort) return undefined;
  return { connection, client, server, port: Number(serverPort) };
}

/** By the environment of this process or of one that it comes from: sudo(8) takes the variable away. proc(5). */
function connectionOf(pid: number): string | undefined {
  // A chain of processes that changes while it is walked must not become a circle.
  for (let steps = 0; pid > 1 && steps < 64; steps++) {
    const found = (readNow(`/proc/${pid}/environ`) ?? "").split("\0").find((line) =>
      line.startsWith("SSH_CONNECTION=")
    );
    if (found) return found.slice("SSH_CONNECTION=".length);
    pid = Number(/^PPid:\s*(\d+)/m.exec(readNow(`/proc/${pid}/status`) ?? "")?.[1] ?? 0);
  }
  return undefined;
}
