import { assert, assertEquals } from "@std/assert";
import { readJournal } from "../../machine/journal.ts";
import { routingSection } from "../../gateway/yggdrasil_config.ts";
import { FAR, OTHER_FAR, WALK } from "../unit/fake/configs.ts";
import { FakeMachine } from "../unit/fake/machine.ts";
import { Play } from "../unit/fake/play.ts";
import { differences, snapshot } from "../unit/fake/snapshot.ts";

/** A machine that is up with one config and is about to become another. */
function changed(from: string, to: string, what: string, check: (play: Play) => Promise<void>): void {
  Deno.test({
    name: `compare: ${from} becomes ${to}: ${what}`,
    ignore: Deno.uid() !== 0,
    fn: async () => {
      using machine = new FakeMachine();
      const play = new Play(machine);
      const first = snapshot(machine);
      assertEquals(await play.up(WALK[from]!), 0, play.said);
      await check(play);
      assertEquals(await play.up(WALK[to]!), 0, play.said);
      assertEquals(await play.steps(WALK[to]!), []);
      assertEquals(await play.down(), 0, play.said);
      assertEquals(differences(first, snapshot(machine)), []);
    },
  });
}

const titles = async (play: Play, to: string) => (await play.steps(WALK[to]!)).map((s) => s.title);

changed("interface gateway", "other clients and mss", "only rules change, and no daemon restarts", async (play) => {
  assertEquals(await titles(play, "other clients and mss"), [
    "change /etc/crxn/rules.v4",
    "change /etc/crxn/rules.v6",
    "set chain inet6 filter CRXN-FORWARD",
    "set chain inet mangle CRXN-FORWARD",
    "set chain inet6 mangle CRXN-FORWARD",
  ]);
});

changed("interface gateway", "another address", "the new one comes before the old one goes", async (play) => {
  const list = await titles(play, "another address");
  const [add, remove] = [
    list.indexOf("add address 10.5.0.9/32 on wg0"),
    list.indexOf("remove address 10.5.0.1/32 on wg0"),
  ];
  assert(add >= 0 && remove > add, list.join("\n"));
  assert(!list.some((t) => t.includes("tayga")), list.join("\n"));
});

changed("yggdrasil gateway", "interface gateway", "nothing is taken away before the new way is there", async (play) => {
  const list = await titles(play, "interface gateway");
  assert(list.indexOf("set route 10.0.0.0/8") < list.indexOf("stop yggdrasil.service"), list.join("\n"));
  assert(list.indexOf("stop yggdrasil.service") < list.indexOf("remove link ygg"), list.join("\n"));
});

changed("yggdrasil gateway", "ip6gre", "the tunnel of the same name is made anew", async (play) => {
  const list = await titles(play, "ip6gre");
  assert(list.includes(`add link crxn-${FAR.slice(0, 8)}`), list.join("\n"));
});

changed("ip6gre", "yggdrasil gateway", "and back", async (play) => {
  assert((await titles(play, "yggdrasil gateway")).length > 0);
});

changed(
  "yggdrasil gateway",
  "another far node",
  "the kernel has one VXLAN device for an id: the old one goes first",
  async (play) => {
    const step = (await play.steps(WALK["another far node"]!)).find((s) =>
      s.title === `add link crxn-${OTHER_FAR.slice(0, 8)}`
    )!;
    assertEquals(step.actions[0], {
      do: "run",
      argv: ["/usr/sbin/ip", "link", "del", "dev", `crxn-${FAR.slice(0, 8)}`],
    });
  },
);

changed("yggdrasil gateway", "another overlay device", "the tunnel moves with the device below it", async (play) => {
  assert((await titles(play, "another overlay device")).includes("add link ygg1"));
});

changed("interface gateway", "mss off, another pool", "the table that iptables made goes in the end", async (play) => {
  assert((await titles(play, "mss off, another pool")).includes("remove chain inet mangle CRXN-FORWARD"));
});

changed("interface gateway", "interface node", "a gateway becomes a node", async () => {});
changed("interface node", "yggdrasil gateway", "a node becomes a gateway", async () => {});

const [TUNNEL, OTHER] = [FAR, OTHER_FAR].map((key) => `crxn-${key.slice(0, 8)}`);

changed(
  "yggdrasil gateway",
  "two far nodes",
  "the first tunnel stays as it is, and yggdrasil runs on",
  async (play) => {
    const list = await titles(play, "two far nodes");
    assert(list.includes(`add link ${OTHER}`) && !list.some((t) => t.includes(`link ${TUNNEL}`)), list.join("\n"));
    assertEquals(list.filter((t) => t.includes("yggdrasil")), []);
  },
);

changed("two far nodes", "two far nodes in another order", "each tunnel keeps its port", async (play) => {
  const list = await titles(play, "two far nodes in another order");
  assertEquals(list.filter((t) => / link |inet6 nat|yggdrasil/.test(t)), []);
});

changed(
  "two far nodes",
  "another far node",
  "the one that is left keeps its port and its translation",
  async (play) => {
    const list = await titles(play, "another far node");
    assertEquals(list.filter((t) => / link /.test(t)), [`remove link ${TUNNEL}`]);
    assertEquals(list.filter((t) => t.includes("inet6 nat")), []);
  },
);

changed(
  "another far node",
  "two far nodes in another order",
  "the well-known port is not given twice",
  async (play) => {
    assert((await titles(play, "two far nodes in another order")).includes(`add link ${TUNNEL}`));
  },
);

changed(
  "two far nodes",
  "two far nodes by ip6gre",
  "both tunnels are made anew, and no port is translated",
  async (play) => {
    const list = await titles(play, "two far nodes by ip6gre");
    for (const name of [TUNNEL, OTHER]) assert(list.includes(`add link ${name}`), list.join("\n"));
    assert(list.includes("remove chain inet6 nat CRXN-OUTPUT"), list.join("\n"));
  },
);

changed("two far nodes", "tunnel routing", "the tunnels go, the daemon's own device leads on", async (play) => {
  const list = await titles(play, "tunnel routing");
  for (const name of [TUNNEL, OTHER]) assert(list.includes(`remove link ${name}`), list.join("\n"));
  assert(list.includes("change /etc/yggdrasil/yggdrasil.conf"), list.join("\n"));
  assert(list.indexOf("set route 10.0.0.0/8") < list.indexOf(`remove link ${TUNNEL}`), list.join("\n"));
});

changed("tunnel routing", "two far nodes", "and back", async (play) => {
  const list = await titles(play, "two far nodes");
  for (const name of [TUNNEL, OTHER]) assert(list.includes(`add link ${name}`), list.join("\n"));
});

changed("tunnel routing", "tunnel routing left alone", "the daemon's own way is shut", async (play) => {
  await play.up(WALK["tunnel routing left alone"]!);
  const section = routingSection(play.machine.read("/etc/yggdrasil/yggdrasil.conf")!)!;
  assertEquals([section["Enable"], section["InstallRoutes"]], [false, false]);
});

changed("tunnel routing", "tunnel routing in another order", "that is no change but of rules", async (play) => {
  const list = await titles(play, "tunnel routing in another order");
  assertEquals(list.filter((t) => /yggdrasil|link|route/.test(t)), []);
});

changed(
  "tunnel routing",
  "tunnel routing to one",
  "what led to the other one is gone from the daemon's config",
  async (play) => {
    await play.up(WALK["tunnel routing to one"]!);
    const section = routingSection(play.machine.read("/etc/yggdrasil/yggdrasil.conf")!)!;
    assertEquals(section["RemoteSubnets"], { [OTHER_FAR]: ["10.7.0.0/16", "172.20.0.0/14"] });
  },
);

changed("two far nodes", "two addresses, maps and local", "a larger assignment", async () => {});

for (const name of ["yggdrasil gateway", "interface gateway", "two addresses, maps and local", "tunnel routing"]) {
  Deno.test({
    name: `up: ${name}: killed at any command, the next up or down carries on`,
    ignore: Deno.uid() !== 0,
    fn: async () => {
      using machine = new FakeMachine();
      const play = new Play(machine);
      const first = snapshot(machine);
      for (let at = 0; await play.killedUp(WALK[name]!, at); at += 7) {
        if (at % 2 === 0) {
          assertEquals(await play.up(WALK[name]!), 0, play.said);
          assertEquals(await play.steps(WALK[name]!), []);
        }
        assertEquals(await play.down(), 0, play.said);
        assertEquals(differences(first, snapshot(machine)), [], `killed at ${at}`);
      }
      await play.down();
    },
  });
}

Deno.test({
  name: "down: killed after its last step, before the services of before run again: the next down starts them",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    using machine = new FakeMachine();
    const play = new Play(machine);
    const key = "00".repeat(32) + "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29";
    machine.write("/etc/yggdrasil/yggdrasil.conf", `{\n  PrivateKey: ${key}\n  IfName: own\n}\n`);
    await machine.systemd.run(["enable", "yggdrasil.service"]);
    await machine.systemd.run(["start", "yggdrasil.service"]);
    const first = snapshot(machine);
    await play.up(WALK["yggdrasil gateway"]!);
    assertEquals(await play.killedDown(1000), false);
    assertEquals((await readJournal()).entries.size, 0);
    assertEquals(machine.systemd.unit("yggdrasil.service").active, "inactive");
    await play.down();
    assertEquals(differences(first, snapshot(machine)), []);
  },
});
