import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { diffSnapshots, installProduct, Lab, type Machine, snapshot, transfer } from "../rig/mod.ts";
import {
  answersWithin,
  assertAnswers,
  assertNothingToDo,
  assertSilent,
  chaptersOf,
  crxn,
  DEBIANS,
  HOST,
  killAndWait,
  MAPPED,
  removeProduct,
  sceneOf,
  someDebians,
} from "./story.ts";

const RULE = "-A FORWARD -s 203.0.113.99/32 -m comment --comment somebody-else -j ACCEPT";

/** What other people and programs have on a machine: it must survive, and show in snapshots. */
async function clutter(gw: Machine): Promise<void> {
  await gw.must("ip route add 172.31.0.0/16 dev eth0 proto 63; ip -6 route add blackhole 2001:db8:ffff::/48 proto 63");
  await gw.write("/etc/sysctl.d/zz-other.conf", "net.ipv4.conf.all.log_martians = 1\n");
  await gw.write("/etc/systemd/system/tayga@other.service.d/theirs.conf", "[Service]\nNice=5\n");
  await gw.must(["systemctl", "daemon-reload"]);
}

// That the sources work on a machine as the binary does needs to be seen once.
const wanted = Deno.env.has("CRXN_BIN") ? DEBIANS : someDebians("the sources on a machine");

for (const debian of wanted) {
  Deno.test(`crxn up: a bare ${debian} becomes a gateway over an existing interface, and what it was again`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const { client, gw, host } = await sceneOf(lab, { debian });
    await clutter(gw);
    const before = await snapshot(gw);

    await chapter("before up nothing answers, and status says so", async () => {
      await assertSilent(client);
      const { stdout } = await crxn(gw, "status --json", 3);
      assertEquals(JSON.parse(stdout).state, "down");
      assertStringIncludes((await crxn(gw, "up --dry-run", 2)).stdout, "tayga");
      assertEquals(diffSnapshots(before, await snapshot(gw)), "", "--dry-run touches nothing");
    });
    await chapter("up makes it a gateway: the ping answers", async () => {
      await crxn(gw, `up --yes --target ${HOST}`);
      await assertAnswers(client);
    });
    await chapter(
      "what tayga writes goes on over all CPUs near the first, as no other device's packets do",
      async () => {
        const [near, steered, other] = await Promise.all([
          gw.must(["cat", "/sys/devices/system/node/node0/cpumap"]),
          gw.must(["cat", "/sys/class/net/nat64-ygg/queues/rx-0/rps_cpus"]),
          gw.must(["cat", "/sys/class/net/ovl0/queues/rx-0/rps_cpus"]),
        ]);
        assertEquals([steered, Number(`0x${other.replaceAll(",", "").trim()}`)], [near, 0]);
      },
    );
    await chapter("50 MB in both directions arrive whole", () => transfer(client, host, MAPPED, 5001, 50_000_000));
    await chapter("up again changes nothing", () => assertNothingToDo(gw));
    await chapter("status says up", async () => {
      assertEquals(JSON.parse((await crxn(gw, "status --json")).stdout).state, "up");
    });
    await chapter("tayga killed: it works again within 5 s", () => killAndWait(gw, "tayga@ygg", 5, client));
    await chapter("systemctl restart tayga@ygg", async () => {
      await gw.must(["systemctl", "restart", "tayga@ygg"]);
      await answersWithin(5, client);
      await assertNothingToDo(gw);
    });
    await chapter("down: all of it is gone, and somebody else's rule is not", async () => {
      await gw.must(["iptables", ...RULE.split(" ")]);
      await crxn(gw, "down --yes");
      await assertSilent(client);
      assertStringIncludes(await gw.must(["iptables-save"]), RULE);
      await gw.must(["iptables", ...RULE.replace("-A", "-D").split(" ")]);
      assertEquals(diffSnapshots(before, await snapshot(gw), { ignoreInstalledPackages: true }), "");
      assertEquals(JSON.parse((await crxn(gw, "status --json", 3)).stdout).state, "down");
      assert(/nothing to take back/i.test((await crxn(gw, "down --yes")).stdout));
    });
    await chapter("up once more, reboot without the binary: it works by itself", async () => {
      const again = await snapshot(gw);
      await gw.must(["iptables", ...RULE.split(" ")]);
      await crxn(gw, "up --yes");
      await assertAnswers(client);
      assertStringIncludes(await gw.must(["iptables-save"]), RULE);
      await crxn(gw, "down --yes");
      await gw.must(["iptables", ...RULE.replace("-A", "-D").split(" ")]);
      assertEquals(
        diffSnapshots(again, await snapshot(gw)),
        "",
        "with the packages there, down leaves no trace at all",
      );
      await crxn(gw, "up --yes");
      await removeProduct(gw);
      await gw.reboot();
      await answersWithin(10, client);
      await assertAnswers(client);
      assertEquals((await gw.run(["systemctl", "is-system-running"])).stdout, "running\n");
      await killAndWait(gw, "tayga@ygg", 5, client);
    });
    await chapter("the binary comes back and finds nothing to do; down works after a reboot", async () => {
      await installProduct(gw);
      await assertNothingToDo(gw);
      await crxn(gw, "down --yes");
      await assertSilent(client);
      await crxn(gw, "down --yes --purge");
      assertEquals((await snapshot(gw)).packages, before.packages, "--purge removes what install brought");
      await gw.must("test ! -e /var/lib/crxn");
    });
  });
}
