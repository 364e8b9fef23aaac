import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { CrxnError } from "../../gateway/errors.ts";
import { type HopCount, picture, results } from "../../gateway/rehearsal_report.ts";
import type { Rehearsal } from "../../gateway/rehearsal.ts";
import { staysSilent } from "../../machine/rehearsal.ts";
import { connect, listen } from "../../machine/rehearsal_peer.ts";
import type { Runner } from "../../machine/run.ts";
import type { Stage } from "../../machine/rehearsal_stage.ts";
import { flow, parsePing, pingWhole } from "../../machine/rehearsal_traffic.ts";

const HOPS: HopCount[] = [
  { place: "gateway", device: "eth0", received: 1245, sent: 7921 },
  { place: "gateway", device: "nat64-ygg", received: 14819, sent: 14823 },
  { place: "gateway", device: "crxn-6f9372e2", received: 7917, sent: 6908 },
  { place: "node", device: "crxn-aa11bb22", received: 6907, sent: 2227 },
  { place: "host", device: "eth0", received: 6908, sent: 2231 },
];

Deno.test("picture: the path with each device's counters below it", () => {
  assertEquals(picture(HOPS, "nat64-ygg").slice(0, 3), [
    "  client --- eth0 [ nat64-ygg ] crxn-6f9372e2 === yggdrasil === node --- host",
    "  in         1245     14819         7917                        6907     6908",
    "  out        7921     14823         6908                        2227     2231",
  ]);
});

Deno.test("picture: fits into 80 columns with the longest names and large counters", () => {
  const long = HOPS.map((h) => ({
    ...h,
    device: h.device.startsWith("nat64") ? "nat64-abcdefghi" : h.device,
    received: 1234567,
    sent: 1234567,
  }));
  for (const line of picture(long, "nat64-abcdefghi")) assert(line.length <= 80, `${line.length}: ${line}`);
});

Deno.test("picture: an overlay node starts at the machine itself", () => {
  const [path] = picture(HOPS.slice(2), undefined);
  assertEquals(path, "  machine crxn-6f9372e2 ===== yggdrasil ===== node ----- host");
});

Deno.test("picture: a hop that could not be read is left out", () => {
  const [path] = picture(HOPS.slice(0, 2), "nat64-ygg");
  assertStringIncludes(path!, "client ----- eth0 [ nat64-ygg ]");
});

Deno.test("results: says where the traffic went and what was lost on purpose", () => {
  const rehearsal = { client: { address: "2001:db8:c11e::1", maps: [] }, target: "2001:db8::a01:3", host: "10.1.0.3" };
  const text = results(rehearsal as unknown as Rehearsal, {
    control: { sent: 2, received: 0 },
    ping: { sent: 4, received: 4, lostBefore: 3, rtt: { min: 0.5, avg: 1, max: 2.25 } },
    transfer: {
      toHost: { bytes: 8388608, seconds: 0.1, megabytesPerSecond: 83.89, intact: true },
      toClient: { bytes: 8388608, seconds: 2, megabytesPerSecond: 4.19, intact: true },
    },
  }).join("\n");
  assertStringIncludes(text, "2001:db8::a01:3 (overlay 10.1.0.3)");
  assertStringIncludes(text, "2 of 2 pings lost");
  assertStringIncludes(text, "4 of 4 answered, 1.00 ms (0.50 to 2.25)");
  assertStringIncludes(text, "3 lost before, while yggdrasil looked for its paths");
  assertStringIncludes(text, "8 MiB, 84 MB/s");
  assertStringIncludes(text, "8 MiB, 4.2 MB/s");
});

Deno.test("parsePing: iputils' summary, with and without answers", () => {
  const some =
    "2 packets transmitted, 1 received, 50% packet loss, time 201ms\nrtt min/avg/max/mdev = 0.043/0.051/0.062/0.008 ms\n";
  assertEquals(parsePing(some), { sent: 2, received: 1, rtt: { min: 0.043, avg: 0.051, max: 0.062 } });
  const none = "2 packets transmitted, 0 received, +2 errors, 100% packet loss, time 201ms\n";
  assertEquals(parsePing(none), { sent: 2, received: 0 });
  assertEquals(parsePing("ping: connect: Network is unreachable"), { sent: 0, received: 0 });
});

Deno.test("pingWhole: goes on while yggdrasil looks for its paths, and says what was lost; not for ever", async () => {
  const answering = (...received: number[]) => ({
    run: () => Promise.resolve({ code: 0, stdout: `4 packets transmitted, ${received.shift()} received`, stderr: "" }),
  } as unknown as Runner);
  assertEquals(await pingWhole(answering(4), "10.1.0.3", 5), { sent: 4, received: 4 });
  assertEquals(await pingWhole(answering(1, 0, 4), "10.1.0.3", 5), { sent: 4, received: 4, lostBefore: 7 });
  await assertRejects(() => pingWhole(answering(3, 4), "10.1.0.3", 1), CrxnError, "Only 3 of 4");
  await assertRejects(() => pingWhole(answering(3, 2, 4), "10.1.0.3", 2), CrxnError, "Only 2 of 4");
});

Deno.test("listen and connect: both ends see the same sums, each way its own", async () => {
  const port = 40000 + Deno.pid % 20000;
  const [host, client] = await Promise.all([listen("127.0.0.1", port, 300_000), connect("127.0.0.1", port, 300_000)]);
  assertEquals(client.sent, { bytes: host.received.bytes, sum: host.received.sum });
  assertEquals(host.sent, { bytes: client.received.bytes, sum: client.received.sum });
  assert(host.sent.sum !== client.sent.sum);
  assertEquals(flow(client, host).intact, true);
  assertEquals(flow(host, host).intact, false);
});

Deno.test("flow: a byte that is missing is not intact", () => {
  const seen = (bytes: number) => ({ sent: { bytes: 10, sum: "a" }, received: { bytes, sum: "a", seconds: 1 } });
  assertEquals([flow(seen(10), seen(10)).intact, flow(seen(10), seen(9)).intact], [true, false]);
});

Deno.test("staysSilent: an answer without tayga fails the rehearsal", async () => {
  const stage = (received: number) => ({
    runnerIn: () => ({
      run: (argv: string[]) =>
        Promise.resolve({ argv, code: 0, stdout: `2 packets transmitted, ${received} received`, stderr: "" }),
    }),
  } as unknown as Stage);
  const rehearsal = { from: "client", target: "2001:db8::a01:3" } as Rehearsal;
  assertEquals(await staysSilent(stage(0), rehearsal), { sent: 2, received: 0 });
  await assertRejects(() => staysSilent(stage(1), rehearsal), CrxnError);
});
