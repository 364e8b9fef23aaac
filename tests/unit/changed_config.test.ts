import { assert, assertEquals } from "@std/assert";
import { readJournal } from "../../machine/journal.ts";
import { FAR, OTHER_FAR, WALK } from "./fake/configs.ts";
import { FakeMachine } from "./fake/machine.ts";
import { Play } from "./fake/play.ts";
import { differences, snapshot } from "./fake/snapshot.ts";

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

for (const name of ["yggdrasil gateway", "interface gateway"]) {
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
