import { assert, assertEquals, assertMatch } from "@std/assert";
import { installProduct, Lab, ping, type Place, transfer, type VirtualMachine } from "../rig/mod.ts";
import { BINARY, needsBinary, offerRelease, unbuilt } from "../rig/release.ts";
import { Web } from "../rig/web.ts";
import { LAN, publicKeyOf } from "../machines/pair.ts";
import {
  answersWithin,
  assertSilent,
  chaptersOf,
  CONFIG,
  crxn,
  HOST,
  MAPPED,
  ROUTED,
  someDebians,
} from "../machines/story.ts";
import { Typist } from "../rig/typist.ts";
import { allBlocks } from "../docs/blocks.ts";

// The last judge: a machine with Debian's own kernel, from `curl` to pings and back, as an operator types it. What the terminal
// shows is kept in docs/ (UPDATE=1 writes it).

/** Seconds for the path to come back: yggdrasil 0.4.7 tries a peer that refuses again after a minute. */
const PATIENCE = 180;
const NUMBER = { bookworm: 12, trixie: 13 } as const;
const ROOT = new URL("../..", import.meta.url).pathname;

/** The other end: a node with a host behind it, made by crxn as well. */
async function nodeUp(node: VirtualMachine, gateway: VirtualMachine, key: string): Promise<void> {
  await node.write(
    CONFIG,
    `address: 10.1.0.1/32
overlay:
  type: yggdrasil
  peers: ["tls://[${gateway.uplink.ipv6}]:4443"]
  routes: [{to: 10.5.0.0/16, via: ${key}}]
`,
  );
  await crxn(node, "up --yes");
}

const packets = async (machine: Place, device: string): Promise<number> => {
  const [link] = JSON.parse(await machine.must(["ip", "-j", "-s", "link", "show", "dev", device]));
  return link.stats64.rx.packets;
};

/** What the translator writes goes on over all CPUs near the first: nobody has made /sys read-only here. */
async function assertSteered(gw: VirtualMachine): Promise<void> {
  const mask = await gw.must(["cat", "/sys/class/net/nat64-ygg/queues/rx-0/rps_cpus"]);
  assertEquals(mask, await gw.must(["cat", "/sys/devices/system/node/node0/cpumap"]));
  assertEquals(await gw.must(["cat", "/sys/class/net/lo/queues/rx-0/rps_cpus"]), mask.replace(/[1-9a-f]/g, "0"));
}

for (const debian of someDebians("from curl to a quiet night")) {
  Deno.test({
    name: `from curl to pings and back, on a virtual machine with Debian ${NUMBER[debian]}${needsBinary}`,
    ignore: unbuilt !== undefined,
    fn: async (t) => {
      const chapter = chaptersOf(t);
      await using lab = await Lab.create();
      const net = await lab.internet();
      const client = await net.client();
      const [gw, node] = await Promise.all(
        ["gw", "node"].map((name) => lab.virtualMachine(name, { debian, uplink: net })),
      ) as [VirtualMachine, VirtualMachine];
      const host = await lab.overlayHost(node, "eth1", LAN);
      await Promise.all([gw.start(), node.start()]);
      await net.route(ROUTED, gw);
      await installProduct(node);
      const nodeKey = await publicKeyOf(node);
      const url = await offerRelease(await Web.start(net), await Deno.readFile(BINARY));
      const typist = new Typist(gw);
      let tunnel = "";

      await chapter("before anything nothing answers", () => assertSilent(client));
      await chapter("curl: the binary arrives", async () => {
        await typist.types(
          "{ apt-get -qq update; apt-get install -qq -y curl; } >/dev/null 2>&1; rm -f /usr/local/bin/crxn",
          { shown: false },
        );
        assertMatch(await typist.types(`curl -fsSL ${url}/install.sh | sh`), /is installed: \/usr\/local\/bin\/crxn/);
        assertMatch(await typist.types("crxn --version"), /^crxn \d/m);
      });
      await chapter("crxn init", async () => {
        const key = await typist.types("crxn init --key");
        assertMatch(key, /public key +[0-9a-f]{64}/);
        const asked = "crxn init --overlay yggdrasil --listen 'tls://[::]:4443' --address 10.5.0.1/32 \\\n" +
          `    --route 10.0.0.0/8=${nodeKey} \\\n    --routed ${ROUTED}`;
        await typist.types(asked, { keys: ["", "", "", "y"], ends: /Wrote \/etc\/crxn\/crxn\.yaml/ });
        assertEquals((await gw.run(["test", "-e", CONFIG])).code, 0);
        await assertSilent(client);
      });
      await chapter("crxn up, and the ping through ip6gre over yggdrasil", async () => {
        const said = await typist.types("crxn up", { keys: ["y"] });
        assertMatch(said, /Done: \d+ changes/);
        await nodeUp(
          node,
          gw,
          /public key +([0-9a-f]{64})/.exec(await typist.types("crxn init --key", { shown: false }))![1]!,
        );
        await answersWithin(PATIENCE, client);
        const status = JSON.parse((await crxn(gw, "status --json")).stdout);
        assertEquals(status.tunnel.kind, "ip6gre");
        tunnel = status.tunnel.device;
        const before = await packets(gw, tunnel);
        assertEquals((await ping(client, MAPPED, { count: 20, deadline: 60 })).received, 20);
        assert(await packets(gw, tunnel) - before >= 20, "the pings are not the packets of the tunnel");
        await assertSteered(gw);
        await typist.types("crxn status");
        await typist.types(`ping -c 3 ${HOST}`);
        await typist.types(`crxn doctor --target ${HOST}`);
      });
      await chapter("1500 bytes pass whole, not one more, and 2 MB in both directions", async () => {
        // An emulated machine answers late, and yggdrasil drops what has waited too long.
        assertEquals((await ping(gw, HOST, { size: 1472, whole: true, deadline: 30 })).received, 3);
        assertEquals((await ping(gw, HOST, { size: 1473, whole: true })).received, 0);
        await transfer(client, host, MAPPED, 5001, 2_000_000, 120);
        assertMatch(await typist.types("crxn up"), /Nothing to do|no changes/i);
      });
      await chapter("reboot: it works by itself", async () => {
        typist.note("reboot");
        await gw.must(["mv", "/usr/local/bin/crxn", "/root/crxn"]);
        await gw.reboot();
        await answersWithin(PATIENCE, client);
        await assertSteered(gw);
        await gw.must(["mv", "/root/crxn", "/usr/local/bin/crxn"]);
      });
      await chapter("a fault: doctor names it and mends it", async () => {
        await typist.types(`ip link del ${tunnel}`);
        await assertSilent(client);
        const said = await typist.types(`crxn doctor --target ${HOST}`, { exit: 1 });
        assertMatch(said, /FAIL tunnel-routing/);
        await typist.types(`crxn doctor --fix --target ${HOST}`, { keys: ["y"] });
        await answersWithin(PATIENCE, client);
      });
      await chapter("crxn down: silence, and nothing is left", async () => {
        assertMatch(await typist.types("crxn down", { keys: ["y"] }), /the machine is as it was/);
        await assertSilent(client);
        assertEquals(
          await gw.must(
            `ip link show ${tunnel} 2>/dev/null || true
            { iptables-save; ip6tables-save; } | grep CRXN || true
            ip -4 route show table all proto 64; ip -6 route show table all proto 64
            ls -d /etc/systemd/system/crxn* /etc/sysctl.d/crxn.conf /etc/tayga/ygg.conf /var/lib/crxn/journal.jsonl 2>/dev/null || true`,
          ),
          "",
        );
      });
      await chapter("the docs' tunnel by hand, for kernels like this one", async () => {
        const lines = allBlocks().filter(({ given }) => given["needs"] === "ip6gre").map(({ text }) => text);
        assert(lines.length > 0);
        for (const line of lines) {
          const here = line.replace("OWN", "2001:db8::1").replace("GATEWAY", "2001:db8::2");
          await node.must(`${here}; ip -d link show crxn0 | grep -q ip6gre; ip link del crxn0`);
        }
      });
      if (Deno.env.get("UPDATE")) {
        await Deno.writeTextFile(`${ROOT}docs/story-debian-${NUMBER[debian]}.txt`, typist.transcript());
      }
    },
  });
}
