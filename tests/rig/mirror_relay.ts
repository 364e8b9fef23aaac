// Carries TCP connections that arrive inside a network namespace to a Unix socket of the host:
//   deno run -A mirror_relay.ts ADDRESS PORT SOCKET

async function relay(incoming: Deno.TcpConn, path: string): Promise<void> {
  try {
    using mirror = await Deno.connect({ transport: "unix", path });
    await Promise.all([incoming.readable.pipeTo(mirror.writable), mirror.readable.pipeTo(incoming.writable)]);
  } catch {
    // One side went away in the middle; apt tries again.
  }
}

if (import.meta.main) {
  const [hostname, port, path] = Deno.args as [string, string, string];
  for await (const incoming of Deno.listen({ hostname, port: Number(port) })) relay(incoming, path);
}
