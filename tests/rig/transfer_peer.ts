// One end of a transfer (traffic.ts), inside a network namespace:
//   deno run -A transfer_peer.ts listen PORT BYTES
//   deno run -A transfer_peer.ts call PORT BYTES ADDRESS
// The caller sends BYTES and their SHA-256, then the listener does the same, then the caller says "k" and both hang up.
import { createHash } from "node:crypto";

const SUM = 32;

async function send(to: Deno.TcpConn, bytes: number): Promise<void> {
  const hash = createHash("sha256");
  const chunk = crypto.getRandomValues(new Uint8Array(65536));
  for (let left = bytes; left > 0; left -= chunk.length) {
    // Every chunk differs, so that lost, doubled and swapped ones all show.
    new DataView(chunk.buffer).setFloat64(0, left);
    const part = chunk.subarray(0, Math.min(left, chunk.length));
    hash.update(part);
    await writeAll(to, part);
  }
  await writeAll(to, hash.digest());
}

async function receive(from: Deno.TcpConn, bytes: number): Promise<void> {
  const hash = createHash("sha256");
  const buffer = new Uint8Array(65536);
  for (let left = bytes; left > 0;) {
    const count = await from.read(buffer.subarray(0, Math.min(left, buffer.length)));
    if (count === null) throw new Error(`the connection ended ${left} bytes early`);
    hash.update(buffer.subarray(0, count));
    left -= count;
  }
  const theirs = new Uint8Array(SUM);
  for (let at = 0; at < SUM;) {
    const count = await from.read(theirs.subarray(at));
    if (count === null) throw new Error("the connection ended before the checksum");
    at += count;
  }
  if (!hash.digest().equals(theirs)) throw new Error("the checksums differ");
}

async function writeAll(to: Deno.TcpConn, data: Uint8Array): Promise<void> {
  for (let at = 0; at < data.length;) at += await to.write(data.subarray(at));
}

async function connect(hostname: string, port: number): Promise<Deno.TcpConn> {
  // "Refused" means that the path works and the listener is not up yet; everything else is for the test to hear.
  for (;;) {
    try {
      return await Deno.connect({ hostname, port });
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function main([role, port, bytes, address]: string[]): Promise<void> {
  if (role === "listen") {
    using listener = Deno.listen({ hostname: "::", port: Number(port) });
    using caller = await listener.accept();
    await receive(caller, Number(bytes));
    await send(caller, Number(bytes));
    if (await caller.read(new Uint8Array(1)) !== 1) throw new Error("the caller did not get everything");
    return;
  }
  using listener = await connect(String(address), Number(port));
  const start = performance.now();
  await send(listener, Number(bytes));
  await receive(listener, Number(bytes));
  console.log((performance.now() - start) / 1000);
  await listener.write(new TextEncoder().encode("k"));
}

if (import.meta.main) {
  await main(Deno.args).catch((error) => {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  });
}
