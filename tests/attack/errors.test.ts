import { assert } from "@std/assert";
import { Lab, type Namespace, until } from "../rig/mod.ts";
import {
  answersWithin,
  assertSilent,
  chaptersOf,
  CONFIG,
  crxn,
  HOST,
  INTERFACE_GATEWAY,
  MAPPED,
  sceneOf,
  someDebians,
} from "../machines/story.ts";
import { ensureTools } from "./tools.ts";

// Floods of ICMP errors about a real connection: some get through, too many do not, and path MTU discovery has its own share.

const SCRIPT = new URL("errors.py", import.meta.url).pathname;
const COUNT = 600;

type Kind = "unreachable" | "toobig";

/** How tcpdump calls them, at the client and at the overlay host. */
const FILTERS: Record<Kind, { six: string; four: string }> = {
  unreachable: { six: "icmp6 and ip6[40] == 1", four: "icmp[0] == 3 and icmp[1] != 4" },
  toobig: { six: "icmp6 and ip6[40] == 2", four: "icmp[0] == 3 and icmp[1] == 4" },
};

/** One UDP packet from either end, in one connection. The side that complains hears of the other's. */
const TALK = {
  host: `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("0.0.0.0", 4000))
while True: s.sendto(b"x", s.recvfrom(100)[1])`,
  client: `import socket, time
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); s.bind(("::", 4000))
for _ in range(10): s.sendto(b"x", ("${MAPPED}", 4000)); time.sleep(0.3)`,
};

let runs = 0;

/** Errors of the kinds, one flood after the other, from one end. @returns how many of each arrived at the other */
async function flooded(lab: Lab, from: Namespace, to: Namespace, kinds: Kind[], six: boolean): Promise<number[]> {
  const name = (what: string) => `${what}-${++runs}`;
  const filter = (kind: Kind) => FILTERS[kind][six ? "six" : "four"];
  const both = kinds.map((kind) => `(${filter(kind)})`).join(" or ");
  const captureName = name("capture");
  const capture = lab.spawn(captureName, ["tcpdump", "-n", "-l", "-v", "-i", "eth0", both], to.namespace);
  try {
    await until("tcpdump to listen", 10, async () => /listening on/.test(await lab.log(captureName)) || undefined);
    const floods: [string, Promise<unknown>][] = [];
    for (const kind of kinds) {
      const log = name("errors");
      floods.push([log, from.must(["python3", SCRIPT, "eth0", kind, String(COUNT)], { timeoutSeconds: 40 })]);
    }
    // Python takes a second to load what it needs.
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const client = six ? to : from;
    await client.must(["python3", "-c", TALK.client], { timeoutSeconds: 20 });
    await Promise.all(floods.map(([, flood]) => flood));
    await new Promise((resolve) => setTimeout(resolve, 1000));
  } finally {
    await capture.stop();
  }
  const seen = await lab.log(captureName);
  const WORDS: Record<Kind, RegExp> = {
    unreachable: /unreachable(?!.*need to frag)/,
    toobig: /packet too big|need to frag/,
  };
  return kinds.map((kind) => seen.split("\n").filter((line) => WORDS[kind].test(line)).length);
}

for (const debian of someDebians("errors")) {
  Deno.test(`attack: floods of ICMP errors, ${debian}`, async (t) => {
    const chapter = chaptersOf(t);
    await ensureTools();
    await using lab = await Lab.create();
    const { client, gw, host } = await sceneOf(lab, { debian, image: "ready" });
    await assertSilent(client);
    await crxn(gw, "up --yes");
    await answersWithin(5, client);
    lab.spawn("talk", ["python3", "-c", TALK.host], host.namespace);
    const kinds: Kind[] = ["unreachable", "toobig"];
    /** Both kinds at once, to the client. */
    const toClient = () => flooded(lab, host, client, kinds, true);
    const toHost = () => flooded(lab, client, host, ["unreachable"], false);

    await chapter("to a client: no more than its share, and too big has one of its own", async () => {
      const [unreachable, toobig] = await toClient() as [number, number];
      console.log(`of ${COUNT} each: ${unreachable} unreachable, ${toobig} too big`);
      // What a burst has, and what comes back of it in the seconds of the flood.
      assert(unreachable >= 40 && unreachable <= 200, `${unreachable} unreachable`);
      assert(toobig >= 150 && toobig <= 500, `${toobig} too big`);
    });
    await chapter("to an overlay host", async () => {
      const [unreachable] = await toHost() as [number];
      console.log(`of ${COUNT}: ${unreachable} unreachable`);
      assert(unreachable >= 40 && unreachable <= 200, `${unreachable} unreachable`);
    });
    await chapter("as a control: without limits all arrive", async () => {
      await gw.write(CONFIG, `${INTERFACE_GATEWAY}nat64: {limits: off}\n`);
      await crxn(gw, "up --yes");
      await answersWithin(5, client);
      const [[unreachable, toobig], [back]] = [await toClient(), await toHost()] as [[number, number], [number]];
      console.log(`of ${COUNT}: ${unreachable} unreachable, ${toobig} too big, ${back} back`);
      for (const arrived of [unreachable, toobig, back]) assert(arrived >= COUNT * 0.9, `${arrived} arrived`);
    });
    assert((await crxn(gw, `doctor --target ${HOST}`)).code === 0);
  });
}
