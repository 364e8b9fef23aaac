import { assert, assertEquals } from "@std/assert";
import { diffSnapshots, Lab, type Machine, ping, snapshot } from "../rig/mod.ts";
import { manyNetworks } from "../unit/fake/configs.ts";
import {
  answersWithin,
  assertAnswers,
  assertNothingToDo,
  assertSilent,
  chaptersOf,
  CONFIG,
  crxn,
  MAPPED,
  sceneOf,
  someDebians,
} from "./story.ts";

// From 64 networks on those that adjoin have rules and routes together: the same addresses pass, and no others.

/** In the last of 65 networks, and in the first that would come behind it. */
const [LAST, BEHIND] = ["10.0.63.7", "10.0.64.7"];
/** Packets that stood for an overlay host's and came from elsewhere. */
async function forged(gw: Machine): Promise<number> {
  const rules = (await gw.must("ip6tables -t raw -vnxL CRXN-PREROUTING")).split("\n").filter((l) =>
    l.includes("forged")
  );
  return rules.map((line) => Number(line.trim().split(/\s+/)[0])).reduce((a, b) => a + b);
}

/** The pairs stay the same: for others tayga is started again, and loses packets. */
const configOf = (networks: number) => {
  const [before] = manyNetworks(networks, "ovl0").split("nat64:");
  const [, pairs] = manyNetworks(100, "ovl0").split("nat64:");
  return `${before}nat64:${pairs}`;
};
/** What is for these networks and leaves by the uplink, or would, if somebody there answered ARP. */
const LEAKS = `table ip leaks {
  chain out { type filter hook postrouting priority 300; ip daddr 10.0.0.0/18 oifname "eth0" counter; }
}`;
const leaked = async (gw: Machine): Promise<number> =>
  Number(/packets (\d+)/.exec(await gw.must("nft list table ip leaks"))![1]);
const mapped = (last: string) => MAPPED.replace("a01:3", last);

for (const debian of someDebians("networks that adjoin")) {
  Deno.test(`crxn: networks that adjoin have their rules together, ${debian}`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const { client, gw, host } = await sceneOf(lab, { debian, image: "ready" });
    await host.must("ip route replace default via 10.200.255.1 dev eth0 onlink");
    await host.must(`ip address add ${LAST}/32 dev lo; ip address add ${BEHIND}/32 dev lo`);
    const before = await snapshot(gw);
    const lines = async (command: string) => (await gw.must(command)).trim().split("\n").length;
    const rules = () => lines("iptables-save; ip6tables-save");

    await chapter("64: each has its own, and nothing answers while the gateway is down", async () => {
      await assertSilent(client);
      await gw.write(CONFIG, configOf(64));
      await crxn(gw, "up --yes");
      await answersWithin(10, client);
      await assertNothingToDo(gw);
      assert(await rules() > 300, "each has a rule of its own");
    });

    await chapter("one more: a handful of rules, and no packet is lost while they change", async () => {
      await gw.write(CONFIG, configOf(65));
      const pings = ping(client, MAPPED, { count: 60, interval: 0.05 });
      await new Promise((resolve) => setTimeout(resolve, 200));
      await crxn(gw, "up --yes");
      assertEquals(await pings, { sent: 60, received: 60 });
      assert(await rules() < 200, "they have rules together");
      assert(await lines("ip -6 route show dev nat64-ygg proto 64") < 10, "and routes");
      await assertNothingToDo(gw);
    });

    await chapter(
      "what lies in them answers, what lies behind them does not, and nobody is taken for one of them",
      async () => {
        await assertAnswers(client, mapped("a00:3f07"));
        await assertSilent(client, mapped("a00:4007"));
        await gw.must(`ip route add ${BEHIND}/32 dev ovl0`);
        // Its slice is routed by hand, too: what is left is the rule, and where one before it passes them they answer.
        await gw.must(`ip -6 route add ${mapped("a00:4007")}/128 dev nat64-ygg`);
        await assertSilent(client, mapped("a00:4007"));
        const passing = `CRXN-FORWARD -d ${BEHIND}/32 -i nat64-ygg -j RETURN`;
        await gw.must(`iptables -I ${passing}`);
        await assertAnswers(client, mapped("a00:4007"));
        await gw.must(`iptables -D ${passing}`);
        for (const [source, isTheirs] of [["a00:3f07", true], ["a00:4007", false]] as const) {
          const before = await forged(gw);
          await client.must(`ip -6 address add ${mapped(source)}/128 dev eth0 nodad`);
          await client.run(["ping", "-c", "2", "-W", "1", "-I", mapped(source), MAPPED]);
          await client.must(`ip -6 address del ${mapped(source)}/128 dev eth0`);
          assertEquals(await forged(gw) > before, isTheirs, `packets from ${mapped(source)} are dropped as forged`);
        }
        await gw.must(`ip -6 route del ${mapped("a00:4007")}/128 dev nat64-ygg; ip route del ${BEHIND}/32 dev ovl0`);
        await crxn(gw, "doctor --skip prefix-routed");
      },
    );

    await chapter("without the link nothing of theirs leaves by the uplink", async () => {
      await gw.must("ip link set ovl0 down");
      for (const address of ["10.1.0.3", LAST, "10.0.5.5"]) {
        const { code, stderr } = await gw.run(["ip", "route", "get", address]);
        assert(code !== 0 && /No route to host/.test(stderr), `${address}: ${stderr}`);
      }
      // A route between the networks and what they share comes first, for this machine's own packets alone.
      await gw.must("ip route add 10.0.0.0/20 dev eth0 scope global");
      await gw.must(["nft", LEAKS]);
      await assertSilent(client, mapped("a00:505"));
      assertEquals(await leaked(gw), 0, "translated packets left by the uplink");
      await gw.run(["ping", "-c", "1", "-W", "1", "10.0.5.5"]);
      assert(await leaked(gw) > 0, "the control sees none");
      await gw.must("nft delete table ip leaks; ip route del 10.0.0.0/20; ip link set ovl0 up");
      await answersWithin(15, client);
    });

    await chapter("back to 64, and down: no trace", async () => {
      await gw.write(CONFIG, configOf(64));
      await crxn(gw, "up --yes");
      await answersWithin(10, client);
      await assertNothingToDo(gw);
      await crxn(gw, "down --yes");
      await assertSilent(client);
      assertEquals(diffSnapshots(before, await snapshot(gw)), "");
    });
  });
}
