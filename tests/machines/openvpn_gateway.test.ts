import { assertEquals } from "@std/assert";
import { diffSnapshots, installProduct, Lab, snapshot } from "../rig/mod.ts";
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
  removeProduct,
  ROUTED,
  someDebians,
} from "./story.ts";
import { leaksDuring } from "./wireguard.ts";

/** Two ends with a key in common; OpenVPN calls that deprecated, and it is the shortest config that makes a link. */
const openvpn = (far: string, own: string, peer: string) =>
  `dev vpn0
dev-type tun
proto udp
port 1194
remote ${far}
ifconfig ${own} ${peer}
secret /etc/openvpn/static.key
cipher AES-256-CBC
keepalive 2 10
`;

for (const debian of someDebians("an OpenVPN link")) {
  Deno.test(`crxn up: a gateway over an OpenVPN link that comes and goes, ${debian}`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const net = await lab.internet();
    const client = await net.client();
    const machine = (name: string) => lab.machine(name, { debian, image: "ready", uplink: net });
    const [gw, node] = await Promise.all([machine("gw"), machine("node")]);
    await lab.overlayHost(node, "lan0", {
      addresses: ["10.1.0.3/16"],
      machineAddress: "10.1.0.1/16",
      routes: ["10.5.0.0/16 via 10.1.0.1"],
    });
    await net.route(ROUTED, gw);
    const install = "apt-get -qq update; DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install";
    await Promise.all([gw, node].map((m) => m.must(`${install} openvpn >/dev/null`)));
    const key = await gw.must("openvpn --genkey secret /run/static.key; cat /run/static.key");
    for (
      const [m, far, own, peer] of [[gw, node, "10.9.0.1", "10.9.0.2"], [node, gw, "10.9.0.2", "10.9.0.1"]] as const
    ) {
      await m.write("/etc/openvpn/static.key", key, 0o600);
      await m.write("/etc/openvpn/crxn.conf", openvpn(far.uplink.ipv4, own, peer));
      await m.must("systemctl enable --now openvpn@crxn 2>/dev/null");
    }
    await node.must(
      "sysctl -qw net.ipv4.ip_forward=1; until ip link show vpn0 up 2>/dev/null | grep -q .; do sleep 0.1; done; ip route add 10.5.0.0/16 dev vpn0",
    );
    await installProduct(gw);
    await gw.write(CONFIG, INTERFACE_GATEWAY.replace("ovl0", "vpn0"));
    // What runs once after the first boot of all is not there any more after a later one.
    await gw.reboot();
    const before = await snapshot(gw);

    await chapter("before up nothing answers; up, and it does", async () => {
      await assertSilent(client);
      await crxn(gw, `up --yes --target ${HOST}`);
      await assertAnswers(client);
      await assertNothingToDo(gw);
    });
    await chapter("without crxn: stopped, nothing leaves by the uplink; started, it answers by itself", async () => {
      await removeProduct(gw);
      await gw.must(["systemctl", "stop", "openvpn@crxn"]);
      assertEquals(await leaksDuring(gw, () => assertSilent(client)), []);
      await gw.must(["systemctl", "start", "openvpn@crxn"]);
      await answersWithin(15, client);
      await gw.must("systemctl kill -s KILL openvpn@crxn");
      await answersWithin(25, client);
    });
    await chapter("a reboot", async () => {
      await gw.reboot();
      await answersWithin(25, client);
      await installProduct(gw);
      await assertNothingToDo(gw);
    });
    await chapter("down: the machine is as it was", async () => {
      await crxn(gw, "down --yes");
      await assertSilent(client);
      assertEquals(diffSnapshots(before, await snapshot(gw), { ignore: [/"vpn0".*"fe80::|"fe80::.*"vpn0"/] }), "");
    });
  });
}
