import { assert, assertEquals } from "@std/assert";
import { installProduct, Lab, type Machine, type OverlayHost, ping, transfer, until } from "../rig/mod.ts";
import { publicKeyOf } from "../machines/pair.ts";
import {
  answersWithin,
  assertAnswers,
  assertNothingToDo,
  assertSilent,
  chaptersOf,
  CONFIG,
  crxn,
  HOST,
  MAPPED,
  ROUTED,
  someDebians,
  steadyWithin,
} from "../machines/story.ts";
import { assertForgedStaysOut } from "./guard.ts";

// One gateway, two far nodes: `west` carries all of 10.0.0.0/8, `east` a part of it, and of the two the longer prefix
// counts. The gateway has two addresses of its own and one for an IPv6 host.

const EAST_HOST = "10.2.0.3";
const EAST_MAPPED = "2a04:5b80:300:4::a02:3";
const CLIENT = "2001:db8:c::2";

interface Keys {
  gw: string;
  west: string;
  east: string;
}

const gatewayConfig = (routes: string, tunnel: string) =>
  `address: [10.5.0.1/24, 10.5.7.9/32]
prefix: 2a04:5b80:300:4::/96
overlay:
  type: yggdrasil
  tunnel: ${tunnel}
  listen: ["tls://[::]:4443"]
  routes:
${routes}
nat64:
  maps: [{ipv4: 10.5.0.2, ipv6: "${CLIENT}"}]
`;

const WEST = (keys: Keys) => `    - {to: 10.0.0.0/8, via: ${keys.west}}`;
const EAST = (keys: Keys) => `    - {to: 10.2.0.0/16, via: ${keys.east}}`;

const nodeConfig = (address: string, gw: Machine, key: string, tunnel: string) =>
  `address: ${address}/32
overlay:
  type: yggdrasil
  tunnel: ${tunnel}
  peers: ["tls://[${gw.uplink.ipv6}]:4443"]
  routes: [{to: 10.5.0.0/16, via: ${key}}]
`;

async function hostBehind(lab: Lab, node: Machine, network: string, name: string): Promise<OverlayHost> {
  return await lab.overlayHost(node, "lan0", {
    name,
    addresses: [`${network}.0.3/16`],
    machineAddress: `${network}.0.1/16`,
    routes: [`10.5.0.0/16 via ${network}.0.1`],
  });
}

for (const debian of someDebians("several nodes")) {
  Deno.test(`two far nodes over Debian's yggdrasil, several addresses and a map, ${debian}`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const net = await lab.internet();
    const client = await net.client();
    const [gw, west, east] = await Promise.all(
      ["gw", "west", "east"].map((name) => lab.machine(name, { debian, image: "ready", uplink: net })),
    ) as [Machine, Machine, Machine];
    const westHost = await hostBehind(lab, west, "10.1", "westhost");
    const eastHost = await hostBehind(lab, east, "10.2", "easthost");
    await net.route(ROUTED, gw);
    const all = [gw, west, east];
    for (const machine of all) await installProduct(machine);
    const keys = { gw: await publicKeyOf(gw), west: await publicKeyOf(west), east: await publicKeyOf(east) };
    const tunnel = "vxlan";
    const both = `${WEST(keys)}\n${EAST(keys)}`;
    const configure = (routes: string) => gw.write(CONFIG, gatewayConfig(routes, tunnel));
    await configure(both);
    await west.write(CONFIG, nodeConfig("10.1.0.1", gw, keys.gw, tunnel));
    await east.write(CONFIG, nodeConfig("10.2.0.1", gw, keys.gw, tunnel));

    await chapter("before up nothing answers, in either direction", async () => {
      await assertSilent(client);
      await assertSilent(client, EAST_MAPPED);
      await assertSilent(westHost, "10.5.0.2");
    });
    await chapter("up on all three: both hosts answer", async () => {
      await crxn(gw, "up --yes");
      await Promise.all([west, east].map((machine) => crxn(machine, "up --yes")));
      await answersWithin(60, client);
      await answersWithin(60, client, EAST_MAPPED);
      await steadyWithin(30, client, MAPPED, EAST_MAPPED);
      const { nodes } = JSON.parse((await crxn(gw, "status --json")).stdout);
      assertEquals(nodes.map((n: { key: string }) => n.key), [keys.west, keys.east]);
      await crxn(gw, "status");
    });
    await chapter("of two networks the longer prefix counts: the packets go to east, and only there", async () => {
      const seen = async (node: Machine) =>
        Number(
          (await node.must(
            `ip -j -s link show lan0 | grep -o '"tx":{"bytes":[0-9]*,"packets":[0-9]*' | grep -o '[0-9]*$'`,
          )).trim(),
        );
      const before = [await seen(west), await seen(east)];
      assertEquals(await ping(client, EAST_MAPPED, { count: 10 }), { sent: 10, received: 10 });
      const [atWest, atEast] = [await seen(west) - before[0]!, await seen(east) - before[1]!];
      assert(atEast >= 10 && atWest < 10, `${atEast} packets to the LAN of east, ${atWest} to that of west`);
    });
    await chapter("full packets and 10 MB through each tunnel", async () => {
      for (const address of [HOST, EAST_HOST]) {
        assertEquals(await ping(gw, address, { size: 1472, whole: true }), { sent: 3, received: 3 });
      }
      await transfer(client, westHost, MAPPED, 5001, 10_000_000);
      await transfer(client, eastHost, EAST_MAPPED, 5002, 10_000_000);
    });
    await chapter("both hosts reach the mapped IPv6 host, and every address of the gateway", async () => {
      for (const host of [westHost, eastHost]) {
        for (const address of ["10.5.0.2", "10.5.0.1", "10.5.7.9"]) await assertAnswers(host, address);
      }
      await transfer(westHost, client, "10.5.0.2", 5003, 5_000_000);
      // What is neither an address of its own nor a map is not the gateway's.
      await assertSilent(westHost, "10.5.0.3");
    });
    await chapter("up again changes nothing, and doctor is silent", async () => {
      for (const machine of all) await assertNothingToDo(machine);
      await until(
        "a healthy gateway",
        30,
        async () => (await gw.run(["crxn", "doctor", "--target", EAST_HOST])).code === 0 || undefined,
      );
      const { findings } = JSON.parse((await crxn(gw, "doctor --json")).stdout);
      assertEquals(findings.filter((f: { verdict: string }) => !["pass", "skip"].includes(f.verdict)), []);
    });
    await chapter("a node speaks for its own networks only", async () => {
      await assertForgedStaysOut({ gw, node: west, own: "10.1.0.1" });
      await assertForgedStaysOut({ gw, node: west, own: "10.1.0.1", forged: "10.2.0.77" });
      await assertForgedStaysOut({ gw, node: east, own: "10.2.0.1", forged: "10.1.0.77" });
    });
    await chapter("reboot of the gateway: both ways come back", async () => {
      await gw.reboot();
      await answersWithin(75, client);
      await answersWithin(75, client, EAST_MAPPED);
      await steadyWithin(30, client, MAPPED, EAST_MAPPED);
    });
    await chapter("the nodes in another order: nothing moves, and both work", async () => {
      const links = await gw.must("ip -br link");
      await configure(`${EAST(keys)}\n${WEST(keys)}`);
      await crxn(gw, "up --yes");
      assertEquals(await gw.must("ip -br link"), links);
      await assertAnswers(client);
      await assertAnswers(client, EAST_MAPPED);
      await assertNothingToDo(gw);
    });
    await chapter("without east: west goes on, and nothing of east is left", async () => {
      await configure(WEST(keys));
      await crxn(gw, "up --yes");
      await answersWithin(30, client);
      await assertSilent(client, EAST_MAPPED);
      assertEquals((await gw.must("ip -br link")).includes(`crxn-${keys.east.slice(0, 8)}`), false);
      assertEquals((await gw.must("ip6tables-save")).includes("REDIRECT"), false);
      await assertNothingToDo(gw);
    });
    await chapter("down: nothing answers", async () => {
      for (const machine of all) await crxn(machine, "down --yes");
      await assertSilent(client);
      assertEquals((await gw.must("ip -br link")).includes("crxn-"), false);
    });
  });
}
