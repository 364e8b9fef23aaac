/** The two ends of a transfer: crxn's own, so that a rehearsal needs no further program. One connection, one way after the other. */

/** What one end saw. Sums are SHA-256 in hex; seconds from the first byte that came to the last. */
export interface Seen {
  sent: { bytes: number; sum: string };
  received: { bytes: number; sum: string; seconds: number };
}

/** Waits for one connection; receives all that comes, then sends `bytes` of its own. */
export async function listen(address: string, port: number, bytes: number): Promise<Seen> {
  const data = randomBytes(bytes);
  using listener = Deno.listen({ hostname: address, port });
  using connection = await listener.accept();
  const received = await receive(connection);
  await send(connection, data);
  return await seen(data, received);
}

/** Connects, trying again while nobody listens; sends `bytes`, then receives all that comes. */
export async function connect(address: string, port: number, bytes: number): Promise<Seen> {
  const data = randomBytes(bytes);
  using connection = await patiently(() => Deno.connect({ hostname: address, port }));
  await send(connection, data);
  return await seen(data, await receive(connection));
}

async function seen(sent: Bytes, { data, seconds }: { data: Bytes; seconds: number }): Promise<Seen> {
  return {
    sent: { bytes: sent.length, sum: await sum(sent) },
    received: { bytes: data.length, sum: await sum(data), seconds },
  };
}

type Bytes = Uint8Array<ArrayBuffer>;

function randomBytes(count: number): Bytes {
  const data = new Uint8Array(count);
  // getRandomValues fills 64 KiB at a time.
  for (let i = 0; i < count; i += 65536) crypto.getRandomValues(data.subarray(i, i + 65536));
  return data;
}

async function patiently<T>(attempt: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + 5000;
  while (true) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused) || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }
}

async function send(connection: Deno.TcpConn, data: Bytes): Promise<void> {
  for (let done = 0; done < data.length;) done += await connection.write(data.subarray(done, done + 262144));
  await connection.closeWrite();
}

async function receive(connection: Deno.TcpConn): Promise<{ data: Bytes; seconds: number }> {
  const pieces: Bytes[] = [];
  const buffer = new Uint8Array(262144);
  let first = 0;
  let last = 0;
  for (let n = await connection.read(buffer); n !== null; n = await connection.read(buffer)) {
    last = performance.now();
    first ||= last;
    pieces.push(buffer.slice(0, n));
  }
  return { data: new Uint8Array(await new Blob(pieces).arrayBuffer()), seconds: (last - first) / 1000 };
}

async function sum(data: Bytes): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  return Array.from(digest, (b) => b.toString(16).padStart(2, "0")).join("");
}
