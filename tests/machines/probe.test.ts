import { assert, assertEquals, assertMatch } from "@std/assert";
import { diffSnapshots, Lab, type Machine, snapshot, until } from "../rig/mod.ts";
import { type Diagnosis, doctor, healthyWithin } from "./diagnosis.ts";
import { pairOf, upOnBoth } from "./pair.ts";
import { chain, type Loss, LOSSES, unchain } from "./probe_losses.ts";
import {
  answersWithin,
  assertAnswers,
  chaptersOf,
  crxn,
  HOST,
  ROUTED,
  type Scene,
  sceneOf,
  someDebians,
} from "./story.ts";

// Where the probe sees faults, also those that another check names, and that nothing of it stays.

const findingOf = (seen: Diagnosis, id: string) => seen.findings.find((f) => f.id === id);
const failed = (seen: Diagnosis) => seen.findings.filter((f) => f.verdict === "fail").map((f) => `${f.id}: ${f.found}`);

async function suffer(scene: Scene, { breaks, mends, on, id = "probe", hop, says }: Loss): Promise<void> {
  const place = on?.(scene) ?? scene.gw;
  await place.must(breaks);
  // A neighbour that was there a moment ago is not asked for again so soon.
  await scene.gw.must("ip neigh flush dev ovl0");
  const seen = await doctor(scene.gw, 1, ` --target ${HOST}`).finally(() => place.must(mends));
  assertEquals(failed(seen).length, 1, failed(seen).join("\n"));
  // Rules that a check can read for itself are its finding; the probe then says who explains it.
  assertMatch((findingOf(seen, id)?.found ?? "").replace(/, which [\w-]+ explains$/, ""), says);
  assertEquals(seen.path.find((station) => station.state === "broken")?.hop, hop);
}

/** Links, routes, rules and tables of nftables. */
const stateOf = async (machine: Machine) =>
  await machine.must(
    "ip -o link | cut -d' ' -f2; ip route show table all; ip -6 route show table all; nft list tables",
  );

for (const debian of someDebians("the probe")) {
  Deno.test(`crxn doctor: the probe finds where packets get lost, ${debian}`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const scene = await sceneOf(lab, { debian, image: "ready" });
    const { gw, client, net } = scene;
    await chapter("healthy, and nothing of it stays", async () => {
      await crxn(gw, "up --yes");
      await assertAnswers(client);
      const before = await snapshot(gw);
      const home = await gw.must("ls -A /root");
      const seen = await doctor(gw, 0, ` --target ${HOST}`);
      assertMatch(findingOf(seen, "probe")!.found!, /^10\.1\.0\.3 answers, .* ms, also to TCP$/);
      assertMatch(findingOf(seen, "path-mtu")!.found!, /1500 bytes whole over the overlay/);
      assertMatch(findingOf(seen, "prefix-routed")!.found!, /arrives$/);
      assertEquals(diffSnapshots(before, await snapshot(gw)), "");
      assertEquals(await gw.must("ls -A /root"), home);
    });
    await chapter("two at a time do not disturb each other", async () => {
      const both = await Promise.all([1, 2].map(() => doctor(gw, 0, ` --target ${HOST} --only probe,path-mtu`)));
      assertEquals(both.map((seen) => findingOf(seen, "probe")!.verdict), ["pass", "pass"]);
    });
    await chapter("without a target it proves the way out, and finds what is lost there", async () => {
      assertMatch(findingOf(await doctor(gw, 0), "probe")!.found!, /leave by ovl0/);
      await gw.must(LOSSES[1]!.breaks.replace("10.1.0.0/16", "10.0.0.0/8"));
      const seen = await doctor(gw, 1).finally(() => gw.must(unchain));
      assertMatch(findingOf(seen, "probe")!.found!, /lost between nat64-ygg and ovl0: inet guard mine/);
    });
    for (const loss of LOSSES) {
      await t.step(loss.name, async () => {
        await suffer(scene, loss);
      });
    }
    await chapter("a firewall that knows the uplink by name is no fault", async () => {
      const accept = ["iifname eth0 oifname nat64-ygg", "iifname nat64-ygg oifname eth0", "ip version 4"];
      await gw.must(
        `${LOSSES[0]!.breaks}; nft '${accept.map((a) => `add rule inet guard mine ${a} accept`).join("; ")}'`,
      );
      await assertAnswers(client);
      const seen = await doctor(gw, 0, ` --target ${HOST}`).finally(() => gw.must(unchain));
      assertMatch(
        findingOf(seen, "probe")!.found!,
        /answers, .*; the gateway asked itself: inet guard mine asks for eth0/,
      );
    });
    await chapter("a network that is on-link", async () => {
      await net.unroute(ROUTED);
      await net.must(`ip route add ${ROUTED} dev ${gw.uplink.bridge}`);
      const seen = await doctor(gw, 1, ` --target ${HOST}`);
      assertEquals(failed(seen).length, 1, failed(seen).join("\n"));
      assertMatch(findingOf(seen, "prefix-routed")!.found!, /is not routed here but on-link: the router asks for/);
      await net.must(`ip route del ${ROUTED} dev ${gw.uplink.bridge}`);
      const lost = await doctor(gw, 0, ` --target ${HOST}`);
      assertEquals(findingOf(lost, "prefix-routed")!.verdict, "unknown");
      await net.route(ROUTED, gw);
    });
    await chapter("killed in the middle, it leaves nothing", async () => {
      const before = await stateOf(gw);
      await gw.must(
        `crxn doctor --target ${HOST} >/dev/null 2>&1 & pid=$!
         for i in $(seq 400); do nft list tables | grep -q probe- && break; sleep 0.01; done
         nft list tables | grep probe- && ip -o link | grep probe- && kill -KILL $pid`,
      );
      // Pings that are on their way end by themselves.
      const held = ["pgrep", "-f", "^/usr/s?bin/(nft -i|unshare --net|ip -batch|ping)"];
      await until("nothing to be left", 5, async () => {
        const { stdout } = await gw.run(held);
        return stdout === "" && (await stateOf(gw)) === before || undefined;
      });
    });
    await chapter("a capture", async () => {
      await crxn(gw, `doctor --target ${HOST} --capture /root/seen.pcap --only probe`);
      assertEquals(await gw.must("stat -c %a /root/seen.pcap"), "600\n");
      const seen = await gw.must("tcpdump -n -r /root/seen.pcap 2>/dev/null");
      for (const device of ["nat64-ygg", "ovl0"]) {
        assert(seen.includes(`${device} `), `no packets of ${device}:\n${seen}`);
      }
      await crxn(gw, "doctor --capture /root/seen.pcap", 64);
      // Where nothing passes any more tcpdump would not notice its broken pipe.
      await gw.must(
        `crxn doctor --target ${HOST} --capture /root/cut.pcap >/dev/null 2>&1 & pid=$!
         for i in $(seq 400); do pgrep -x tcpdump && break; sleep 0.01; done
         sleep 0.1; kill -STOP $pid; sleep 3; pgrep -x tcpdump && kill -KILL $pid`,
      );
      await until(
        "tcpdump to be gone",
        5,
        async () => (await gw.run(["pgrep", "-x", "tcpdump"])).code !== 0 || undefined,
      );
      await gw.must("mv /usr/bin/tcpdump /root/");
      assertMatch((await crxn(gw, "doctor --capture /root/more.pcap", 69)).stderr, /apt install tcpdump/);
    });
    await chapter("without nft, by the devices' counters", async () => {
      await gw.must("mv /usr/sbin/nft /root/");
      assertEquals(findingOf(await doctor(gw, 0, ` --target ${HOST}`), "probe")!.verdict, "pass");
      await gw.must("iptables -t mangle -I FORWARD -d 10.1.0.0/16 -j DROP");
      const seen = await doctor(gw, 1, ` --target ${HOST}`);
      assertMatch(findingOf(seen, "probe")!.found!, /lost between nat64-ygg and ovl0: a firewall/);
    });
  });

  Deno.test(`crxn doctor: the probe over yggdrasil, ${debian}`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const pair = await pairOf(lab, { debian, image: "ready", tunnel: "vxlan", dials: "gw" });
    const { client, gw, node } = pair;
    await chapter("healthy", async () => {
      await upOnBoth(pair);
      await answersWithin(20, client);
      await healthyWithin(20, gw);
      const seen = await doctor(gw, 0, ` --target ${HOST}`);
      assertMatch(findingOf(seen, "path-mtu")!.found!, /1570 bytes whole over yggdrasil/);
      assertMatch(
        findingOf(await doctor(gw, 0), "probe")!.found!,
        /answers, .*; packets to 10\.0\.0\.1 leave by crxn-/,
      );
      assertEquals(findingOf(await doctor(node, 0), "probe")!.verdict, "pass");
    });
    await chapter("a rule that takes the tunnel's packets has its name", async () => {
      const rules: [string, RegExp][] = [
        [
          chain("output priority 10", "udp dport 4789 drop"),
          /lost between crxn-\w+ and ygg: inet guard mine, rule "udp dport 4789 drop"(, which [a-z-]+ explains)?$/,
        ],
        [
          chain("input priority 10", "udp dport 4789 drop"),
          /lost on the way back, between ygg and crxn-\w+: inet guard mine, rule "udp dport 4789 drop"(, which [a-z-]+ explains)?$/,
        ],
      ];
      for (const [breaks, says] of rules) {
        await gw.must(breaks);
        const seen = await doctor(gw, 1, ` --target ${HOST}`).finally(() => gw.must(unchain));
        assertEquals(failed(seen).length, 1, failed(seen).join("\n"));
        assertMatch(findingOf(seen, "probe")!.found!, says);
      }
    });
    await chapter("the far node forwards nothing", async () => {
      await node.must("sysctl -qw net.ipv4.ip_forward=0");
      const seen = await doctor(gw, 1, ` --target ${HOST}`);
      assertEquals(failed(seen).length, 1, failed(seen).join("\n"));
      assertMatch(findingOf(seen, "probe")!.found!, /lost beyond crxn-/);
    });
  });
}
