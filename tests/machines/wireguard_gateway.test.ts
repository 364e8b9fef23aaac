import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { diffSnapshots, installProduct, Lab, type Machine, snapshot, transfer, until } from "../rig/mod.ts";
import {
  answersWithin,
  assertAnswers,
  assertNothingToDo,
  assertSilent,
  chaptersOf,
  crxn,
  HOST,
  MAPPED,
  removeProduct,
  someDebians,
} from "./story.ts";
import { leaksDuring, wireguardOf } from "./wireguard.ts";

/** Seconds from the link's return until traffic flows: the follower lets wg-quick finish first. */
const SOON = 6;

interface Finding {
  id: string;
  verdict: string;
  found?: string;
}

/** What doctor finds worse than pass, as "VERDICT ID". */
async function findings(gw: Machine, exit: number): Promise<string[]> {
  const { findings } = JSON.parse((await crxn(gw, `doctor --json --target ${HOST}`, exit)).stdout);
  return (findings as Finding[]).filter((f) => !["pass", "skip"].includes(f.verdict)).map((f) =>
    `${f.verdict} ${f.id}`
  );
}

/** Made anew, wg0 has another link-local address. */
const IGNORE = { ignore: [/"wg0".*"fe80::|"fe80::.*"wg0"/] };

const units = (gw: Machine) => gw.must("systemctl is-active crxn-overlay crxn-link || true");

for (const debian of someDebians("a WireGuard link")) {
  Deno.test(`crxn up: a gateway over a WireGuard link that comes and goes, ${debian}`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const { client, gw, node, host, configure } = await wireguardOf(lab, debian);
    // What runs once after the first boot of all is not there any more after a later one.
    await gw.reboot();
    const before = await snapshot(gw);

    await chapter("before up nothing answers", () => assertSilent(client));
    await chapter("up: the ping answers, doctor finds nothing, up again changes nothing", async () => {
      await crxn(gw, `up --yes --target ${HOST}`);
      await assertAnswers(client);
      await transfer(client, host, MAPPED, 5001, 2_000_000);
      assertEquals(await findings(gw, 0), []);
      await assertNothingToDo(gw);
      assertEquals(
        (await gw.must("ip -4 route show exact 10.0.0.0/8 dev wg0")).trim(),
        "10.0.0.0/8 proto 64 scope link",
      );
    });
    await chapter("the far end stopped: silence, so it is this link that carries", async () => {
      await node.must(["systemctl", "stop", "wg-quick@wg0"]);
      await assertSilent(client);
      await node.must(["systemctl", "start", "wg-quick@wg0"]);
      // WireGuard shakes hands anew when nothing has come back for 15 s.
      await answersWithin(30, client);
    });
    await removeProduct(gw);
    await chapter("without crxn: wg-quick down: silence, and nothing leaves by the uplink", async () => {
      await gw.must("wg-quick down wg0 2>&1");
      assertEquals(await leaksDuring(gw, () => assertSilent(client)), []);
      assertEquals(await units(gw), "active\nactive\n");
      // The control: the rules alone stop them, and so does the last resort alone. Without both they leave.
      await gw.must("iptables -I FORWARD -i nat64-ygg -j ACCEPT");
      assertEquals(await leaksDuring(gw, () => assertSilent(client)), []);
      await gw.must("ip route del unreachable 10.0.0.0/8");
      const leaks = await leaksDuring(gw, () => assertSilent(client));
      assert(leaks.length > 0 && leaks.every((line) => line.includes(HOST)), leaks.join("\n"));
      await gw.must("iptables -D FORWARD -i nat64-ygg -j ACCEPT");
      assertEquals(await leaksDuring(gw, () => assertSilent(client)), []);
      await gw.must(["systemctl", "restart", "crxn-overlay"]);
      assertEquals(await leaksDuring(gw, () => assertSilent(client)), []);
    });
    await chapter("wg-quick up: it answers by itself", async () => {
      await gw.must("wg-quick up wg0 2>&1");
      await answersWithin(SOON, client);
      await assertAnswers(client);
    });
    await chapter("ip link set wg0 down and up: the same", async () => {
      await gw.must("ip link set wg0 down");
      assertEquals(await leaksDuring(gw, () => assertSilent(client)), []);
      await gw.must("ip link set wg0 up; ip link set wg0 down; ip link set wg0 up");
      assertEquals((await gw.must("ip -4 route show dev wg0")).trim(), "", "the kernel has dropped the route");
      await answersWithin(SOON, client);
    });
    await chapter("ten times in a row, and its daemon killed", async () => {
      await gw.must("for i in 0 1 2 3 4 5 6 7 8 9; do wg-quick down wg0; wg-quick up wg0; done 2>&1");
      await answersWithin(SOON, client);
      await gw.must("kill -KILL $(pgrep -x wireguard-go)");
      await until(
        "wg0 to be gone",
        5,
        async () => (await gw.run("ip link show wg0".split(" "))).code !== 0 || undefined,
      );
      await assertSilent(client);
      await gw.must("systemctl restart wg-quick@wg0");
      await answersWithin(SOON, client);
    });
    await chapter("its monitor killed, and the follower itself: systemd starts it anew", async () => {
      for (const victim of ["$(pgrep -xf '/usr/sbin/ip -o monitor link')", "$(systemctl show -P MainPID crxn-link)"]) {
        await gw.must(`kill -KILL ${victim}`);
        await gw.must("wg-quick down wg0 2>&1; wg-quick up wg0 2>&1");
        await answersWithin(15, client);
      }
    });
    await chapter(
      "wg-quick makes the same routes (no Table = off), and the address: as good, and left alone",
      async () => {
        await gw.must("wg-quick down wg0 2>&1");
        await configure("Address = 10.5.0.1/32");
        for (let i = 0; i < 5; i++) {
          await gw.must("wg-quick up wg0 2>&1");
          await answersWithin(SOON, client);
          await gw.must("sleep 2.5");
          assertEquals((await gw.must("ip -4 route show exact 10.0.0.0/8 dev wg0")).trim(), "10.0.0.0/8 scope link");
          await gw.must("wg-quick down wg0 2>&1");
        }
        await configure("Table = off");
        await gw.must("systemctl restart wg-quick@wg0");
        await answersWithin(SOON, client);
      },
    );
    await chapter("a reboot with the link 20 s late: nothing fails, and it works in the end", async () => {
      await gw.must("systemctl disable wg-quick@wg0 2>/dev/null");
      const timer =
        "[Timer]\nOnBootSec=20\nAccuracySec=1\nUnit=wg-quick@wg0.service\n[Install]\nWantedBy=timers.target\n";
      await gw.write("/etc/systemd/system/late.timer", timer);
      await gw.must("systemctl enable late.timer 2>/dev/null");
      await gw.reboot();
      assertEquals((await gw.run(["ip", "link", "show", "wg0"])).code, 1, "wg0 is there too early for this chapter");
      assertEquals((await gw.run(["systemctl", "is-system-running"])).stdout, "running\n");
      assertEquals(await units(gw), "active\nactive\n");
      assertEquals(await leaksDuring(gw, () => assertSilent(client)), []);
      await installProduct(gw);
      assertEquals(await findings(gw, 1), ["fail tunnel-routing"]);
      assertEquals((await gw.run(["ip", "link", "show", "wg0"])).code, 1, "wg0 is there too early for this chapter");
      await answersWithin(30, client);
      const log = await gw.must("journalctl -b -o cat -u crxn-link -u crxn-overlay");
      assert(!/cannot|error|fail|RTNETLINK|not all/i.test(log), log);
      assertEquals(log.match(/is up, with/g)?.length, 1, log);
    });
    await chapter("the binary comes back: healthy, and nothing to do", async () => {
      await until("the follower", 5, async () => (await findings(gw, 0)).length === 0 || undefined);
      await assertNothingToDo(gw);
    });
    await chapter("doctor: link down, link gone, link back", async () => {
      await gw.must("ip link set wg0 down");
      assertEquals(await findings(gw, 1), ["fail tunnel-routing"]);
      await crxn(gw, "doctor --fix --yes");
      await assertAnswers(client);
      await gw.must("wg-quick down wg0 2>&1");
      assertEquals(await findings(gw, 1), ["fail tunnel-routing"]);
      assertEquals(JSON.parse((await crxn(gw, "status --json", 1)).stdout).state, "degraded");
      await gw.must("wg-quick up wg0 2>&1");
      await answersWithin(SOON, client);
      assertEquals(await findings(gw, 0), []);
    });
    await chapter("doctor: the follower disabled, stopped, and missed", async () => {
      await gw.must("systemctl disable crxn-link 2>/dev/null");
      assertEquals(await findings(gw, 1), ["fail overlay-service"]);
      await gw.must("systemctl stop crxn-link");
      assertEquals(await findings(gw, 1), ["fail overlay-service"]);
      await assertAnswers(client);
      await gw.must("wg-quick down wg0 2>&1; wg-quick up wg0 2>&1; sleep 4");
      await assertSilent(client);
      assertEquals(await findings(gw, 1), ["fail overlay-service"]);
      await crxn(gw, "doctor --fix --yes");
      await assertAnswers(client);
      assertEquals(await findings(gw, 0), []);
    });
    await chapter("down: the machine is as it was", async () => {
      await gw.must("systemctl disable --now late.timer 2>/dev/null; rm /etc/systemd/system/late.timer");
      await gw.must("systemctl daemon-reload; systemctl enable wg-quick@wg0 2>/dev/null");
      assertStringIncludes((await crxn(gw, "down --dry-run", 2)).stdout, "crxn-link.service");
      await crxn(gw, "down --yes");
      await assertSilent(client);
      assertEquals(diffSnapshots(before, await snapshot(gw), IGNORE), "");
      await gw.must("test ! -e /etc/crxn/link.sh; test -z \"$(pgrep -xf '/usr/sbin/ip -o monitor link')\"");
    });
    await chapter("up and down where wg-quick made address and route: they are still wg-quick's", async () => {
      await gw.must("systemctl stop wg-quick@wg0");
      await configure("Address = 10.5.0.1/32");
      await gw.must("systemctl start wg-quick@wg0");
      const theirs = await snapshot(gw);
      await crxn(gw, `up --yes --target ${HOST}`);
      await assertAnswers(client);
      await gw.must("sleep 4");
      assertEquals(await findings(gw, 0), []);
      await assertNothingToDo(gw);
      await crxn(gw, "down --yes");
      assertEquals(diffSnapshots(theirs, await snapshot(gw)), "");
    });
  });
}
