import { assertEquals, assertStringIncludes } from "@std/assert";
import { diffSnapshots, installProduct, Lab, type Machine, type Namespace, run, snapshot } from "../rig/mod.ts";
import { ip } from "../rig/process.ts";
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
  removeProduct,
  ROUTED,
  someDebians,
} from "./story.ts";

/** The other network's host. */
const OTHER = "2a04:5b80:300:4::ac14:35";

const GATEWAY = `address: 10.5.0.1/32
prefix: 2a04:5b80:300:4::/96
overlay:
  type: interface
  interface: ovl0
  routes:
    - {to: 10.0.0.0/8, via: 10.5.0.254}
    - {to: 172.20.0.0/14, via: 10.5.0.253}
`;

/** An Ethernet overlay: on the gateway's ovl0 a switch with two routers, each with a network of its own behind it. */
async function ethernetOf(
  lab: Lab,
  gw: Machine,
): Promise<{ routers: [Namespace, Namespace]; plug: () => Promise<void> }> {
  const [wire, first, second] = [
    await lab.namespace("wire"),
    await lab.namespace("first"),
    await lab.namespace("second"),
  ];
  await ip(wire.namespace, ["link add br0 type bridge stp_state 0 mcast_snooping 0", "link set br0 up"]);
  const networks = [[first, "10.5.0.254", "10.1.0.1/16", HOST], [second, "10.5.0.253", "172.20.0.1/16", "172.20.0.53"]];
  for (const [router, address, inner, far] of networks as [Namespace, string, string, string][]) {
    const host = await lab.namespace(`${router.name}host`);
    await ip(wire.namespace, [
      `link add ${router.name} type veth peer name eth0 netns ${router.namespace}`,
      `link set ${router.name} master br0 up`,
    ]);
    await ip(router.namespace, [
      "link set eth0 up",
      `addr add ${address}/24 dev eth0`,
      `link add lan0 type veth peer name eth0 netns ${host.namespace}`,
      "link set lan0 up",
      `addr add ${inner} dev lan0`,
    ]);
    await router.must(["sysctl", "-qw", "net.ipv4.ip_forward=1"]);
    await ip(host.namespace, [
      "link set eth0 up",
      `addr add ${far}/16 dev eth0`,
      `route add default via ${inner.split("/")[0]}`,
    ]);
  }
  const plugged = () => ip(wire.namespace, ["link set gw master br0 up"]);
  await gw.addCard({
    device: "ovl0",
    mac: "02:00:00:00:a1:01",
    far: { namespace: wire.namespace, device: "gw" },
    commands: ["link set ovl0 up"],
    plugged,
  });
  const plug = async () => {
    await run(["ip", "-n", wire.namespace, "link", "del", "gw"]);
    await ip(gw.namespace, [`link add ovl0 type veth peer name gw netns ${wire.namespace}`, "link set ovl0 up"]);
    await plugged();
  };
  return { routers: [first, second], plug };
}

for (const debian of someDebians("next hops")) {
  Deno.test(`crxn up: each overlay network has a next hop of its own, ${debian}`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const net = await lab.internet();
    const client = await net.client();
    const gw = await lab.machine("gw", { debian, image: "ready", uplink: net });
    await net.route(ROUTED, gw);
    const { routers: [first, second], plug } = await ethernetOf(lab, gw);
    await installProduct(gw);
    await gw.write(CONFIG, GATEWAY);
    // What runs once after the first boot of all is not there any more after a later one.
    await gw.reboot();
    const before = await snapshot(gw);
    const both = async (assertion: (from: Namespace, address: string) => Promise<void>) => {
      await assertion(client, MAPPED);
      await assertion(client, OTHER);
    };
    const soon = () => both((from, address) => answersWithin(6, from, address));

    await chapter("before up nothing answers", () => both(assertSilent));
    await chapter("up: hosts behind both routers answer, and the next hop in the overlay as well", async () => {
      const { stdout } = await crxn(gw, `up --yes --target ${HOST}`);
      assertStringIncludes(stdout, "next hop 2a04:5b80:300:4::a05:fe answers");
      await both(assertAnswers);
      assertEquals(JSON.parse((await crxn(gw, `doctor --json --target ${HOST}`)).stdout).healthy, true);
      await assertNothingToDo(gw);
    });
    await chapter("a router that does not forward: its own network is silent, the other is not", async () => {
      for (const [router, silent, answers] of [[first, MAPPED, OTHER], [second, OTHER, MAPPED]] as const) {
        await router.must(["sysctl", "-qw", "net.ipv4.ip_forward=0"]);
        await assertSilent(client, silent);
        await assertAnswers(client, answers);
        await router.must(["sysctl", "-qw", "net.ipv4.ip_forward=1"]);
      }
      await both(assertAnswers);
    });
    await chapter("without crxn: the link down and up, made anew, and a reboot", async () => {
      await removeProduct(gw);
      await gw.must("ip link set ovl0 down; ip link set ovl0 up");
      await both(assertSilent);
      await soon();
      await gw.must("ip link del ovl0");
      await both(assertSilent);
      await plug();
      await soon();
      await gw.reboot();
      await soon();
      await installProduct(gw);
      await assertNothingToDo(gw);
    });
    await chapter("a next hop taken out of the config: ARP finds nobody there", async () => {
      await gw.write(CONFIG, GATEWAY.replace(", via: 10.5.0.253", ""));
      await crxn(gw, "up --yes");
      await assertSilent(client, OTHER);
      await assertAnswers(client);
      await gw.write(CONFIG, GATEWAY);
      await crxn(gw, "up --yes");
      await both(assertAnswers);
    });
    await chapter("down: the machine is as it was", async () => {
      await crxn(gw, "down --yes");
      await both(assertSilent);
      const [was, is] = [before, await snapshot(gw)];
      // The reboot has given ovl0 another MAC address, and its IPv6 address follows.
      assertEquals(diffSnapshots(was, is, { ignore: [/ovl0/] }), "");
    });
  });
}
