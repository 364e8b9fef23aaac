import { assert, assertEquals } from "@std/assert";
import { Lab, type Machine, type Namespace } from "../rig/mod.ts";
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
import { ensureTools, fromManySources } from "./tools.ts";

// One network wants the whole gateway for itself: its pool, connection tracking, the daemon's memory.

/** Of all clients, those that the gateway has let in. */
const known = async (gw: Machine): Promise<number> => {
  const { nftables } = JSON.parse(await gw.must("nft -j list set inet crxn known"));
  return nftables.flatMap((e: { set?: { elem?: unknown[] } }) => e.set?.elem ?? []).length;
};
const tracked = async (gw: Machine) => Number(await gw.must(["sysctl", "-n", "net.netfilter.nf_conntrack_count"]));

/** KiB that the daemon takes. */
async function memoryOf(gw: Machine, unit: string): Promise<number> {
  const pid = (await gw.must(["systemctl", "show", "-P", "MainPID", unit])).trim();
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(await gw.must(["cat", `/proc/${pid}/status`]))![1]);
}

/** Pings 50 times a second while `body` runs. @returns how many were lost */
async function lostDuring(client: Namespace, body: () => Promise<unknown>): Promise<number> {
  const pings = client.run(["sh", "-c", `ping -n -q -i 0.02 -W 1 ${MAPPED} & read -r stop; kill -INT $!; wait $!`], {
    input: new ReadableStream({
      async start(controller) {
        await body().catch((error) => controller.error(error));
        controller.enqueue(new TextEncoder().encode("stop\n"));
        controller.close();
      },
    }),
    timeoutSeconds: 240,
  });
  const { stdout, stderr } = await pings;
  const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(stdout) ?? [];
  assert(Number(sent) > 50, `ping says: ${stdout}${stderr}`);
  console.log(`${sent} pings meanwhile, ${received} answered`);
  return Number(sent) - Number(received);
}

const networks = (count: number) =>
  Array.from({ length: count }, (_, i) => `2001:db8:bad:${(i + 1).toString(16)}::/64`);

for (const debian of someDebians("exhaustion")) {
  Deno.test(`attack: one network against all others, ${debian}`, async (t) => {
    const chapter = chaptersOf(t);
    await ensureTools();
    await using lab = await Lab.create();
    const { net, client, gw } = await sceneOf(lab, { debian, image: "ready" });
    const [attacker, late] = [await net.client("attacker"), await net.client("late")];
    // Of all in the clients' own /64 it is the attacker's neighbours only that could be held liable: late has another.
    await late.must(
      "ip -6 address add 2001:db8:d::2/64 dev eth0 nodad; ip -6 route replace default via 2001:db8:c::1 src 2001:db8:d::2",
    );
    await net.must("ip -6 route replace 2001:db8:d::/64 dev br-clients");
    await assertSilent(client);
    await crxn(gw, "up --yes");
    await answersWithin(5, client);
    const before = { tayga: await memoryOf(gw, "tayga@ygg"), tracked: await tracked(gw) };

    await chapter("100,000 addresses of one /64: who was there loses nothing, who comes is let in", async () => {
      const lost = await lostDuring(client, () => fromManySources(attacker, MAPPED, networks(1), 100_000));
      assertEquals(lost, 0);
      const taken = await known(gw);
      console.log(`${taken} sources let in`);
      // A day's share, what comes back of it meanwhile, and the client.
      assert(taken >= 256 && taken <= 260, `${taken} sources were let in`);
      await answersWithin(2, late);
    });
    await chapter("5,000 of each of 16 /64s", async () => {
      const lost = await lostDuring(client, () => fromManySources(attacker, MAPPED, networks(17).slice(1), 5000));
      assertEquals(lost, 0);
      const taken = await known(gw);
      console.log(`${taken} sources let in`);
      // All are of one /48.
      assert(taken <= 4096 + 16, `${taken} sources were let in`);
      await late.must(
        "ip -6 address replace 2001:db8:d::3/64 dev eth0 nodad; ip -6 route replace default via 2001:db8:c::1 src 2001:db8:d::3",
      );
      await answersWithin(2, late);
      const after = { tayga: await memoryOf(gw, "tayga@ygg"), tracked: await tracked(gw) };
      console.log(
        `tayga: ${before.tayga} KiB before, ${after.tayga} after; connections: ${before.tracked}, ${after.tracked}`,
      );
      assert(after.tayga < before.tayga + 4096 && after.tracked < 16384);
    });
    await chapter("floods of large and of fragmented packets: the daemons live, and take no more memory", async () => {
      const pid = await gw.must(["systemctl", "show", "-P", "MainPID", "tayga@ygg"]);
      const memory = await memoryOf(gw, "tayga@ygg");
      await attacker.run(["ping", "-n", "-q", "-f", "-c", "3000", "-w", "10", "-s", "1400", MAPPED], {
        timeoutSeconds: 30,
      });
      await attacker.run(["ping", "-n", "-q", "-f", "-c", "1000", "-w", "10", "-s", "60000", MAPPED], {
        timeoutSeconds: 30,
      });
      // Beginnings of packets whose ends never come, and those of IPv4 from the overlay.
      const script = `from scapy.all import *
conf.verb = 0
s = conf.L3socket6()
for n in range(3000): s.send(IPv6(dst="${MAPPED}")/IPv6ExtHdrFragment(id=n, m=1, nh=58)/(b"x" * 1232))`;
      await attacker.must(["python3", "-c", script], { timeoutSeconds: 60 });
      await answersWithin(5, client);
      assertEquals(await gw.must(["systemctl", "show", "-P", "MainPID", "tayga@ygg"]), pid);
      const after = await memoryOf(gw, "tayga@ygg");
      console.log(`tayga: ${memory} KiB before, ${after} after`);
      assert(after < memory + 4096);
    });
    await chapter("thc-ipv6: headers, fragments and floods as nobody sends them", async () => {
      const pids = () => gw.must(["systemctl", "show", "-P", "MainPID", "tayga@ygg", "crxn-link"]);
      const [before, memory] = [await pids(), await memoryOf(gw, "tayga@ygg")];
      const tools = [
        ["atk6-fragmentation6", "eth0", MAPPED],
        ["atk6-implementation6", "eth0", MAPPED],
        ["atk6-randicmp6", "eth0", MAPPED],
        // The cases of denial6 are floods of hop-by-hop and destination options.
        ...[1, 2, 3].map((n) => ["atk6-denial6", "eth0", MAPPED, String(n)]),
        ["atk6-thcsyn6", "eth0", MAPPED, "80"],
        ["atk6-toobig6", "eth0", "2001:db8:c::2", MAPPED, "1280"],
      ];
      for (const [tool = "", ...words] of tools) {
        // It goes on until it is ended.
        const { code, stdout, stderr } = await attacker.run(["timeout", "4", tool, ...words], { timeoutSeconds: 20 });
        console.log(`${tool} ${words.join(" ")}: ${code}, ${(stdout + stderr).trim().split("\n").at(-1)}`);
        assert(code !== 126 && code !== 127, `${tool} cannot be run`);
      }
      await answersWithin(5, client);
      assertEquals(await pids(), before);
      const after = await memoryOf(gw, "tayga@ygg");
      console.log(`tayga: ${memory} KiB before, ${after} after; ${await tracked(gw)} connections`);
      assert(after < memory + 4096);
    });
    await chapter("as a control: without limits a small pool is spent, and nobody else comes in", async () => {
      await gw.write(CONFIG, `${INTERFACE_GATEWAY}nat64: {pool: 100.64.0.0/24, limits: off}\n`);
      await crxn(gw, "up --yes");
      await answersWithin(5, client);
      await fromManySources(attacker, MAPPED, networks(18).slice(17), 500);
      await late.must(
        "ip -6 address replace 2001:db8:d::4/64 dev eth0 nodad; ip -6 route replace default via 2001:db8:c::1 src 2001:db8:d::4",
      );
      await assertSilent(late);
      await gw.write(CONFIG, `${INTERFACE_GATEWAY}nat64: {pool: 100.66.0.0/24}\n`);
      await crxn(gw, "up --yes");
      await gw.must(
        "systemctl stop tayga@ygg; find /var/lib/private/tayga/ygg -name dynamic.map -delete; systemctl start tayga@ygg",
      );
      await fromManySources(attacker, MAPPED, networks(19).slice(18), 500);
      await answersWithin(2, late);
    });
    const { code, stdout } = await gw.run(["crxn", "doctor", "--target", HOST]);
    assertEquals(code, 0, stdout);
  });
}
