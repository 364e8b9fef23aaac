import { assertEquals } from "@std/assert";
import { Lab } from "../rig/mod.ts";
import { assertHealthy, doctor, told } from "./diagnosis.ts";
import { answersWithin, assertAnswers, assertSilent, chaptersOf, crxn, HOST, sceneOf, someDebians } from "./story.ts";

/** What leads packets of a gateway elsewhere: by whom, how, and the check that names it. Its own commands undo it. */
const ASTRAY: [name: string, breaks: string, id: string, hop: string][] = [
  [
    "a rule for the slice",
    "ip -6 rule add to 2a04:5b80:300:4::/64 lookup 100; ip -6 route add 2a04:5b80:300:4::/64 dev eth0 table 100",
    "prefix-route",
    "translator",
  ],
  ["a prohibit route of one host", "ip -6 route add prohibit 2a04:5b80:300:4::a01:3/128", "prefix-route", "translator"],
  ["a narrower route", "ip -6 route add 2a04:5b80:300:4::a01:0/112 dev eth0", "prefix-route", "translator"],
  [
    "a rule for the pool",
    "ip rule add to 100.64.0.0/16 lookup 100; ip route add 100.64.0.0/16 dev eth0 table 100",
    "pool-route",
    "translator",
  ],
  ["a rule that drops what the overlay sends", "ip rule add from 10.1.0.0/16 blackhole", "pool-route", "translator"],
  [
    "a rule by mark",
    "iptables -t mangle -A PREROUTING -i ovl0 -j MARK --set-mark 7; ip rule add fwmark 7 lookup 101; ip route add default dev eth0 table 101",
    "pool-route",
    "translator",
  ],
  ["a throw route", "ip route add throw 10.1.0.0/24", "overlay-route", "overlay"],
  [
    "strict rp_filter and a narrower route",
    "sysctl -qw net.ipv4.conf.ovl0.rp_filter=1; ip route add 10.1.0.0/16 dev eth0",
    "overlay-route",
    "overlay",
  ],
  [
    "a rule that ends answers to clients",
    "ip -6 rule add from 2a04:5b80:300:4::/64 prohibit",
    "uplink",
    "uplink",
  ],
];

/** Rules and settings that do the gateway no harm. */
const HARMLESS = `
  for f in -4 -6; do
    ip $f rule add not fwmark 51820 lookup 51820
    ip $f rule add lookup main suppress_prefixlength 0
    ip $f rule add l3mdev pref 1000
  done
  ip rule add fwmark 9 lookup 109; ip route add blackhole default table 109
  sysctl -qw net.ipv4.conf.all.rp_filter=1`;

for (const debian of someDebians("routing")) {
  Deno.test(`crxn doctor: names what leads packets astray, ${debian}`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const { client, gw } = await sceneOf(lab, { debian, image: "ready" });
    await crxn(gw, "up --yes");
    await chapter("rules of others that do no harm", async () => {
      await gw.must(HARMLESS);
      await assertAnswers(client);
      await assertHealthy(gw);
    });
    await gw.must("sysctl -qw net.ipv4.conf.all.rp_filter=0");
    for (const [name, breaks, id, hop] of ASTRAY) {
      await chapter(`${name}: ${id}`, async () => {
        await gw.must(breaks);
        await assertSilent(client);
        const seen = await doctor(gw, 1, ` --target ${HOST}`);
        const failing = seen.findings.filter((f) => f.verdict === "fail" && f.id !== "probe");
        assertEquals(failing.map((f) => f.id), [id], told(seen));
        assertEquals(seen.path.find((station) => station.state === "broken")?.hop, hop, told(seen));
        // It is somebody else's: --fix leaves it alone, the printed commands do it.
        for (const argv of failing[0]!.fix ?? []) await gw.must(argv);
        await assertAnswers(client);
        assertEquals(told(await doctor(gw, 0, ` --target ${HOST}`)), "");
      });
    }
    await chapter("the overlay link renamed", async () => {
      await gw.must("ip link set ovl0 down; ip link set ovl0 name ovl9; ip link set ovl9 up");
      assertEquals(
        told(await doctor(gw, 1)),
        "fail tunnel-routing: the overlay link ovl0 does not exist; ovl9 has its address: it was renamed",
      );
      await gw.must("ip link set ovl9 down; ip link set ovl9 name ovl0; ip link set ovl0 up");
      // crxn-link.service puts its route back.
      await answersWithin(10, client);
    });
    await chapter("the uplink renamed", async () => {
      await gw.must("ip link set eth0 down; ip link set eth0 name lan7; ip link set lan7 up");
      const seen = await doctor(gw, 1);
      assertEquals(seen.findings.filter((f) => f.verdict === "fail").map((f) => f.id), ["uplink"], told(seen));
      assertEquals(/eth0.*lan7/.test(told(seen)), true, told(seen));
    });
  });
}
