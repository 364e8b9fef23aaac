import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { diffSnapshots, installProduct, Lab, type Machine, type Namespace, snapshot, transfer } from "../rig/mod.ts";
import {
  answersWithin,
  assertAnswers,
  assertNothingToDo,
  assertSilent,
  chaptersOf,
  CONFIG,
  crxn,
  HOST,
  INTERFACE_GATEWAY,
  MAPPED,
  removeProduct,
  sceneOf,
  someDebians,
} from "./story.ts";

// Several translators side by side: a client stays with its own, and a dead one takes nobody else's packets with it.

const NOBODY = MAPPED.replace(/3$/, "77");
const CLIENTS = Array.from({ length: 12 }, (_, i) => `2001:db8:c::a${i.toString(16)}`);
const DEVICES = ["nat64-ygg", "nat64-ygg-2", "nat64-ygg-3", "nat64-ygg-4"];
const configOf = (workers: number, more = "") => `${INTERFACE_GATEWAY}nat64: {workers: ${workers}${more}}\n`;
/** Echo requests per second. */
const RATE = 50;

/** Which client's packets have gone into which translator. */
const WATCH = `table inet watch {
  set seen { type ipv6_addr . ifname; flags dynamic; size 9999; }
  chain forward { type filter hook forward priority 300; iifname "eth0" update @seen { ip6 saddr . oifname }; }
}`;

/** Into which translators packets of each client go, whatever its destination and flow label. */
async function homesOf(client: Namespace, gw: Machine): Promise<Map<string, string>> {
  await gw.must(["nft", WATCH]);
  // Each socket has a flow label of its own (auto_flowlabels, ip-sysctl.rst).
  const one = (from: string, to: string) => client.run(["ping", "-c", "1", "-W", "2", "-I", from, to]);
  const all = async (from: string) => {
    const pings = await Promise.all([...[1, 2, 3].map(() => one(from, MAPPED)), one(from, NOBODY)]);
    assertEquals(pings.map((p) => p.code), [0, 0, 0, 1], `from ${from}: ${pings[0]!.stdout}`);
  };
  await Promise.all(CLIENTS.slice(0, 6).map(all));
  await Promise.all(CLIENTS.slice(6).map(all));
  const listed = JSON.parse(await gw.must(["nft", "-j", "list", "set", "inet", "watch", "seen"]));
  await gw.must("nft delete table inet watch");
  const pairs: string[][] = listed.nftables.flatMap((o: { set?: { elem?: { concat: string[] }[] } }) =>
    (o.set?.elem ?? []).map((e) => e.concat)
  );
  const homes = new Map<string, string>();
  for (const from of CLIENTS) {
    const devices = pairs.filter(([source]) => source === from).map(([, device]) => device!);
    assertEquals(devices.length, 1, `${from} went into ${devices.join(" and ")}`);
    homes.set(from, devices[0]!);
  }
  return homes;
}

/** How many echo requests of each client got no answer while `body` ran. */
async function lostBy(
  clients: string[],
  client: Namespace,
  seconds: number,
  body: () => Promise<unknown>,
): Promise<number[]> {
  const count = String(seconds * RATE);
  const pings = clients.map((from) =>
    client.run(["ping", "-n", "-q", "-i", String(1 / RATE), "-W", "1", "-c", count, "-I", from, MAPPED])
  );
  await new Promise((resolve) => setTimeout(resolve, 500));
  await body();
  return (await Promise.all(pings)).map(({ stdout }) => {
    const found = /(\d+) packets transmitted, (\d+) received/.exec(stdout);
    assert(found, stdout);
    return Number(found[1]) - Number(found[2]);
  });
}

for (const debian of someDebians("translators side by side")) {
  Deno.test(`crxn up: translators side by side, ${debian}`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const { client, gw, host } = await sceneOf(lab, { debian, image: "ready" });
    await client.must(CLIENTS.map((a) => `ip -6 address add ${a}/64 dev eth0 nodad`).join("; "));
    // What runs at the first boot only is not there after the next.
    await gw.reboot();
    const before = await snapshot(gw);
    let home = new Map<string, string>();
    const devices = DEVICES.slice(0, 2);

    await chapter("two: clients are divided between them, and each stays with its own", async () => {
      await gw.write(CONFIG, configOf(2));
      await assertSilent(client);
      await crxn(gw, `up --yes --target ${HOST}`);
      await assertAnswers(client);
      await assertNothingToDo(gw);
      const near = await gw.must("cat /sys/devices/system/node/node0/cpumap");
      for (const d of devices) assertEquals(await gw.must(`cat /sys/class/net/${d}/queues/rx-0/rps_cpus`), near);
      home = await homesOf(client, gw);
      const shares = devices.map((d) => [...home.values()].filter((h) => h === d).length);
      console.log(`${debian}: 12 clients divided ${shares.join(" to ")}`);
      assert(Math.min(...shares) > 0, "one of them has all clients");
    });
    const of = (device: string) => CLIENTS.filter((c) => home.get(c) === device).slice(0, 3);

    await chapter("doctor and status: both are seen, and the probe finds its way", async () => {
      const report = JSON.parse((await crxn(gw, `doctor --json --target ${HOST}`)).stdout);
      assertEquals(report.healthy, true);
      const metrics = (await crxn(gw, "status --prometheus")).stdout;
      assertStringIncludes(metrics, 'crxn_state{state="up"} 1\n');
      assertStringIncludes(metrics, 'crxn_hop_up{hop="translator",device="nat64-ygg-2"} 1\n');
      const status = JSON.parse((await crxn(gw, "status --json")).stdout);
      assertEquals(status.state, "up");
      const hops = status.hops.filter((h: { name: string }) => h.name === "translator");
      assertEquals(hops.map((h: { device: string; state: string }) => `${h.device} ${h.state}`), [
        "nat64-ygg up",
        "nat64-ygg-2 up",
      ]);
      assertEquals(status.services.filter((s: { unit: string }) => s.unit.startsWith("tayga@")).length, 2);
    });
    await chapter("one is killed under load: only its clients notice, for less than 2 s", async () => {
      const [here, there] = [of(devices[0]!), of(devices[1]!)];
      const lost = await lostBy(
        [...here, ...there],
        client,
        5,
        () => gw.must(["systemctl", "kill", "-s", "KILL", "tayga@ygg-2"]),
      );
      console.log(
        `${debian}: killed: its clients lost ${lost.slice(here.length)} pings, the others ${
          lost.slice(0, here.length)
        }`,
      );
      assertEquals(lost.slice(0, here.length), here.map(() => 0));
      for (const n of lost.slice(here.length)) assert(n > 0 && n < 2 * RATE, `${n} lost`);
      await assertNothingToDo(gw);
      assertEquals(await homesOf(client, gw), home);
    });
    await chapter("one stands still for seconds: nobody else loses anything, and doctor names it", async () => {
      const [here, there] = [of(devices[0]!), of(devices[1]!)];
      const lost = await lostBy([...here, ...there], client, 4, async () => {
        await gw.must(["systemctl", "stop", "tayga@ygg-2"]);
        const report = JSON.parse((await crxn(gw, "doctor --json", 1)).stdout);
        const faults = report.findings.filter((f: { verdict: string }) => f.verdict === "fail");
        assertEquals(faults.map((f: { id: string }) => f.id)[0], "translator-service");
        assertStringIncludes(JSON.stringify(faults), "tayga@ygg-2");
      });
      assertEquals(lost.slice(0, here.length), here.map(() => 0));
      for (const n of lost.slice(here.length)) assert(n > RATE, `${n} lost`);
      await crxn(gw, "doctor --fix --yes");
      await Promise.all(there.map((from) => client.must(["ping", "-c", "1", "-W", "2", "-I", from, MAPPED])));
    });
    await chapter("a next hop is gone: doctor says so, and up puts it back", async () => {
      const slice = (await gw.must("ip -6 route show proto 64")).split(" ")[0]!;
      await gw.must(`ip -6 route replace ${slice} dev nat64-ygg proto 64`);
      const report = JSON.parse((await crxn(gw, "doctor --json", 1)).stdout);
      const faults = report.findings.filter((f: { verdict: string }) => f.verdict === "fail");
      assertEquals(faults.map((f: { id: string }) => f.id), ["prefix-route"]);
      assert(!/"(del|rm)"/.test(JSON.stringify(faults)), "crxn's own route is nobody's to delete");
      await crxn(gw, "up --yes");
      await assertNothingToDo(gw);
      assertEquals(await homesOf(client, gw), home);
    });
    await chapter(
      "a device is deleted: doctor names it alone, and --fix makes it anew, under its running daemon",
      async () => {
        await gw.must("ip link del nat64-ygg-2");
        const report = JSON.parse((await crxn(gw, "doctor --json", 1)).stdout);
        const faults = report.findings.filter((f: { verdict: string }) => f.verdict === "fail");
        assertEquals(faults.map((f: { id: string }) => f.id), ["translator-device"]);
        await crxn(gw, "doctor --fix --yes");
        await assertNothingToDo(gw);
        // The unit that makes all devices at boot may run again while they are in use.
        await gw.must(["systemctl", "restart", "crxn-overlay"]);
        assertEquals(await homesOf(client, gw), home);
        await assertNothingToDo(gw);
      },
    );
    await chapter("clients divided by more than their source: doctor says so, and --fix mends it", async () => {
      await gw.must(["sysctl", "-qw", "net.ipv6.fib_multipath_hash_policy=1"]);
      const report = JSON.parse((await crxn(gw, "doctor --json", 1)).stdout);
      const faults = report.findings.filter((f: { verdict: string }) => f.verdict === "fail");
      assertEquals(faults.map((f: { id: string }) => f.id), ["prefix-route"]);
      assertStringIncludes(JSON.stringify(faults), "fib_multipath_hash_policy");
      // As a control: so divided, a client does go into several, and this test sees it.
      await assertRejects(() => homesOf(client, gw), Error, "went into nat64-ygg");
      await crxn(gw, "doctor --fix --yes");
      await assertNothingToDo(gw);
    });
    await chapter("reboot without the binary", async () => {
      await removeProduct(gw);
      await gw.reboot();
      await answersWithin(10, client);
      assertEquals(await homesOf(client, gw), home);
    });
    await chapter("large transfers, and pairs of nat64.maps in both directions", async () => {
      await installProduct(gw);
      await gw.write(
        CONFIG,
        configOf(2, `, maps: [{ipv4: 10.5.0.2, ipv6: "${CLIENTS[0]}"}, {ipv4: 10.5.0.3, ipv6: "${CLIENTS[1]}"}]`),
      );
      await crxn(gw, "up --yes");
      await transfer(client, host, MAPPED, 5001, 20_000_000);
      await host.must("ip route add 10.5.0.2/31 via 10.5.0.1");
      for (const ipv4 of ["10.5.0.2", "10.5.0.3"]) await host.must(["ping", "-c", "2", "-W", "2", ipv4]);
      await assertNothingToDo(gw);
    });
    await chapter("from two to one, to four, and back to two: what the changes cost", async () => {
      for (const workers of [1, 4, 2]) {
        await gw.write(CONFIG, configOf(workers));
        const lost = await lostBy(CLIENTS.slice(0, 6), client, 6, () => crxn(gw, "up --yes"));
        console.log(`${debian}: to ${workers} translators: ${lost} pings lost`);
        for (const n of lost) assert(n < RATE, `${n} lost`);
        await assertNothingToDo(gw);
        assertEquals(JSON.parse((await crxn(gw, `doctor --json --target ${HOST}`)).stdout).healthy, true);
        assertEquals(new Set((await homesOf(client, gw)).values()), new Set(DEVICES.slice(0, workers)));
      }
    });
    await chapter("down: nothing is left of any of them", async () => {
      await crxn(gw, "down --yes");
      await assertSilent(client);
      assertEquals(diffSnapshots(before, await snapshot(gw), { ignoreInstalledPackages: true }), "");
    });
  });
}
