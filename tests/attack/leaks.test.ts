import { assert, assertEquals } from "@std/assert";
import { Lab, type Machine, type Net, until } from "../rig/mod.ts";
import { answersWithin, assertSilent, chaptersOf, crxn, MAPPED, sceneOf, someDebians } from "../machines/story.ts";
import { ensureTools } from "./tools.ts";

// The overlay's link comes and goes under traffic: not one packet of the overlay, or of the pool, leaves by the uplink.

const INSIDE = "net 100.64.0.0/16 or net 10.0.0.0/8";

let captures = 0;

/** Packets of the overlay that the gateway puts on its uplink while `body` runs, as tcpdump has them. */
async function seenOnUplink(net: Net, gw: Machine, body: () => Promise<unknown>): Promise<string[]> {
  const address = /ether (\S+)/.exec(await gw.must("ip address show dev eth0"))![1]!;
  const [name, listening] = [`uplink-${++captures}`, /listening on/];
  const argv = ["tcpdump", "-n", "-l", "-i", "br-static", "ether", "src", address, "and", `(${INSIDE})`];
  const capture = net.lab.spawn(name, argv, net.namespace);
  try {
    await until("tcpdump to listen", 10, async () => listening.test(await net.lab.log(name)) || undefined);
    await body();
    // Each line is written at once (-l); the last packets may still be on their way.
    await new Promise((resolve) => setTimeout(resolve, 1000));
  } finally {
    await capture.stop();
  }
  return (await net.lab.log(name)).split("\n").filter((line) => /^\d\d:/.test(line));
}

for (const debian of someDebians("leaks")) {
  Deno.test(`attack: nothing of the overlay leaves by the uplink, ${debian}`, async (t) => {
    const chapter = chaptersOf(t);
    await ensureTools();
    await using lab = await Lab.create();
    const { net, client, gw, host } = await sceneOf(lab, { debian, image: "ready" });
    await host.must("ip route add default via 10.5.0.1 dev eth0 onlink");
    await assertSilent(client);
    await crxn(gw, "up --yes");
    await answersWithin(5, client);
    /** Traffic in both directions, also to where the overlay does not lead. */
    const under = async (body: () => Promise<unknown>) => {
      const ping = (to: string) => ["ping", "-n", "-q", "-i", "0.02", "-c", "500", "-w", "11", to];
      const traffic = [client.run(ping(MAPPED)), host.run(ping("198.51.100.2")), host.run(ping("10.77.0.1"))];
      await body();
      await Promise.all(traffic);
    };
    const wait = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

    await chapter("the link goes down, comes up, goes away under another name, and comes back", async () => {
      const seen = await seenOnUplink(net, gw, () =>
        under(async () => {
          await gw.must("ip link set ovl0 down");
          await wait(1.5);
          await gw.must("ip link set ovl0 up");
          await wait(3.5);
          await gw.must("ip link set ovl0 down; ip link set ovl0 name gone0; ip link set gone0 up");
          await wait(1.5);
          await gw.must("ip link set gone0 down; ip link set gone0 name ovl0; ip link set ovl0 up");
          await wait(3.5);
        }));
      assertEquals(seen, []);
      await answersWithin(10, client);
    });
    await chapter("as a control: without the rules and the last resort it leaves", async () => {
      await gw.must(
        "iptables -F CRXN-FORWARD; iptables -t raw -F CRXN-PREROUTING; ip route del unreachable 10.0.0.0/8 proto 64 metric 2147483647",
      );
      const seen = await seenOnUplink(net, gw, () =>
        under(async () => {
          await gw.must("ip link set ovl0 down");
          await wait(2);
          await gw.must("ip link set ovl0 up");
        }));
      assert(seen.length > 0);
      await crxn(gw, "up --yes");
      await answersWithin(10, client);
    });
  });
}
