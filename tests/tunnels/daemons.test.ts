// The daemons with crypto-key routing, without crxn: what the other tests of this directory build on.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { daemon, daemonStandIn, Lab, type Namespace, ping, until } from "../rig/mod.ts";
import { steadyWithin } from "../machines/story.ts";
import { type CkrDaemon, EVERYTHING, GENERATIONS, Node, normalised, type Section } from "./node.ts";

const [NEAR, FAR, STRANGER] = ["10.5.0.1", "10.1.0.3", "10.2.0.3"] as const;
const LINE: Readonly<Record<CkrDaemon, string>> = {
  "yggdrasil-0.3.16": "Added CKR remote subnet 10.1.0.0/16",
  "yggdrasilckr-0.5.5": "10.1.0.0/16",
  "yggdrasilckr-0.5.12": "Active IPv4 routes",
  "yggdrasilckr-newest": "Active IPv4 routes",
};

for (const name of Object.keys(GENERATIONS) as CkrDaemon[]) {
  const generation = GENERATIONS[name];

  Deno.test(`${name}: keeps the keys of its own generation when it normalises`, async () => {
    const program = await daemon(name);
    assertEquals((await normalised(program, { TunnelRouting: EVERYTHING })).TunnelRouting, generation.kept);
  });

  Deno.test(`${name}: carries IPv4 to its like, between the subnets it was told of and no others`, async (story) => {
    await using lab = await Lab.create();
    const [near, far] = [await Node.create(lab, "near", name), await Node.create(lab, "far", name)];
    await join(near.place, far.place);
    const nodes = async (sections: { near: Section; far: Section }) => {
      const stopNear = await near.start(sections.near, [NEAR], { Listen: ["tcp://192.0.2.1:9001"] });
      const stopFar = await far.start(sections.far, [FAR, STRANGER], { Peers: ["tcp://192.0.2.1:9001"] });
      // The far node answers on its yggdrasil address, so whatever gets lost now is not lost on the way.
      await until("the nodes to see each other", 30, async () => {
        return (await ping(near.place, far.address, { count: 1 })).received === 1 ? true : undefined;
      });
      return async () => {
        await stopFar();
        await stopNear();
      };
    };
    const sections = {
      near: generation.section(far.key, "10.1.0.0/16", `${NEAR}/32`),
      far: generation.section(near.key, `${NEAR}/32`, "10.0.0.0/8"),
    };

    await story.step("without TunnelRouting nothing passes", async () => {
      const stop = await nodes({ near: {}, far: sections.far });
      assertEquals((await ping(near.place, FAR)).received, 0);
      await stop();
    });
    await story.step("with it, pings pass both ways, full-sized ones too, and the log says so", async () => {
      await nodes(sections);
      await steadyWithin(30, near.place, FAR);
      assertEquals(await ping(near.place, FAR, { size: 1472, whole: true }), { sent: 3, received: 3 });
      assertEquals(await ping(far.place, NEAR), { sent: 3, received: 3 });
      assertStringIncludes(await near.log(), LINE[name]);
    });
    await story.step("a source that the near node was not told of is dropped on arrival", async () => {
      // No answer would prove little: it has no way back either. So what counts is what comes in.
      const from = async (source: string) => {
        const before = await echoesAt(near.place);
        await far.place.run(["ping", "-n", "-c", "3", "-i", "0.2", "-W", "1", "-I", source, NEAR]);
        return await echoesAt(near.place) - before;
      };
      assertEquals(await from(FAR), 3);
      assertEquals(await from(STRANGER), 0);
    });
  });
}

Deno.test("yggdrasilckr-0.5.12: a key of the wrong kind looks right in the log, and carries nothing", async () => {
  await using lab = await Lab.create();
  const name = "yggdrasilckr-0.5.12";
  const [near, far] = [await Node.create(lab, "near", name), await Node.create(lab, "far", name)];
  const old = await Node.create(lab, "old", "yggdrasil-0.3.16");
  await join(near.place, far.place);
  const { section } = GENERATIONS[name];
  await near.start(section(old.key, "10.1.0.0/16", ""), [NEAR], { Listen: ["tcp://192.0.2.1:9001"] });
  await far.start(section(near.key, `${NEAR}/32`, ""), [FAR], { Peers: ["tcp://192.0.2.1:9001"] });
  await until("the nodes to see each other", 30, async () => {
    return (await ping(near.place, far.address, { count: 1 })).received === 1 ? true : undefined;
  });
  assertStringIncludes(await near.log(), `10.1.0.0/16 via ${old.key}`);
  assertEquals((await ping(near.place, FAR)).received, 0);
});

Deno.test("yggdrasilckr-0.5.12: under Debian 12's unit it peers with Debian 13's yggdrasil, which drops IPv4", async () => {
  await using lab = await Lab.create();
  const net = await lab.internet();
  const name = "yggdrasilckr-0.5.12";
  const [near, stock] = await Promise.all([
    lab.machine("near", { debian: "bookworm", image: "ready", uplink: net }),
    lab.machine("stock", { debian: "trixie", image: "ready", uplink: net }),
  ]);
  const identity = JSON.parse(await stock.must("yggdrasil -genconf -json")).PrivateKey as string;
  await near.push(await daemon(name), "/usr/local/bin/yggdrasilckr", 0o755);
  await near.write(
    "/etc/systemd/system/yggdrasil.service.d/ckr.conf",
    "[Service]\nExecStart=\nExecStart=/usr/local/bin/yggdrasilckr -useconffile /etc/yggdrasil/yggdrasil.conf\n",
  );
  const common = { IfName: "ygg", AdminListen: "unix:///run/yggdrasil/yggdrasil.sock", MulticastInterfaces: [] };
  const section = GENERATIONS[name].section(identity.slice(64), "10.1.0.0/16", "");
  const configs = [
    { place: near, config: { Listen: ["tls://[::]:9001"], TunnelRouting: section }, address: NEAR },
    { place: stock, config: { PrivateKey: identity, Peers: [`tls://[${near.uplink.ipv6}]:9001`] }, address: FAR },
  ];
  for (const { place, config, address } of configs) {
    await place.write("/etc/yggdrasil/yggdrasil.conf", JSON.stringify({ ...common, ...config }), 0o644);
    await place.must(`
      ip tuntap add dev ygg mode tun user yggdrasil
      ip addr add ${address}/32 dev ygg; ip link set ygg up; ip route add 10.0.0.0/8 dev ygg src ${address}
      systemctl daemon-reload; systemctl start yggdrasil
    `);
  }
  const far = (await stock.must("yggdrasil -useconffile /etc/yggdrasil/yggdrasil.conf -address")).trim();
  await until("both to see each other", 60, async () => {
    return (await ping(near, far, { count: 1 })).received === 1 ? true : undefined;
  });
  assertEquals((await ping(near, FAR)).received, 0);
  const user = await near.must(["ps", "-o", "user=", "-C", "yggdrasilckr"]);
  assertEquals(user.trim(), "yggdrasil");
});

Deno.test("what stands in for a daemon says so", async () => {
  for (const name of Object.keys(GENERATIONS) as CkrDaemon[]) {
    const [path, reason] = [await daemon(name), await daemonStandIn(name)];
    assertEquals(path.includes("/ckrd-"), reason !== undefined, `${name}: ${path}, ${reason}`);
    assert(reason === undefined || reason.includes("yggdrasilckr"), reason);
  }
});

/** A cable between two namespaces: 192.0.2.1 and 192.0.2.2. */
async function join(one: Namespace, other: Namespace): Promise<void> {
  await one.must(["ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", other.namespace]);
  for (const [place, address] of [[one, "192.0.2.1"], [other, "192.0.2.2"]] as const) {
    await place.must(`ip addr add ${address}/24 dev eth0; ip link set eth0 up`);
  }
}

/** How many echo requests have come to a place over IPv4. */
async function echoesAt(place: Namespace): Promise<number> {
  const [names, values] = (await place.read("/proc/net/snmp")).split("\n").filter((line) => line.startsWith("Icmp:"));
  return Number(values!.split(" ")[names!.split(" ").indexOf("InEchos")]);
}
