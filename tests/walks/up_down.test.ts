import { assert, assertEquals, assertRejects } from "@std/assert";
import { CrxnError } from "../../gateway/errors.ts";
import { see } from "../../gateway/see.ts";
import type { Runner } from "../../machine/run.ts";
import { refused } from "../unit/fake/answer.ts";
import { WALK } from "../unit/fake/configs.ts";
import { differences, snapshot } from "../unit/fake/snapshot.ts";
import { GATEWAY, start, test, YGGDRASIL } from "./start.ts";

for (const [name, config] of Object.entries(WALK)) {
  test(`up: ${name}: every item is there, a second time changes nothing, a reboot neither, down takes all back`, async () => {
    const { machine, play } = start();
    using _ = machine;
    const first = snapshot(machine);
    assertEquals(await play.up(config), 0, play.said);
    const { blueprint, survey } = await play.prepare(config);
    const missing = blueprint.items.map((i) => [i.id, see(i, survey)] as const).filter(([, s]) => s.is !== "present");
    assertEquals(missing, []);
    assertEquals(await play.steps(config), []);

    const journal = machine.read("/var/lib/crxn/journal.jsonl");
    const done = machine.commands.length;
    assertEquals(await play.up(config), 0);
    assertEquals(machine.read("/var/lib/crxn/journal.jsonl"), journal);
    assertEquals(machine.commands.slice(done).filter(([p]) => !/ping|unshare/.test(p!)), []);

    await machine.reboot();
    assertEquals((await play.steps(config)).map((s) => s.title), [], "after a reboot");
    assertEquals(await play.down(), 0, play.said);
    assertEquals(differences(first, snapshot(machine)), []);
  });
}

test("up: a bare Debian gets its packages, and the sample translator does not run", async () => {
  for (const version of ["12", "13"] as const) {
    const { machine, play } = start({ packages: [], version });
    using _ = machine;
    const first = snapshot(machine);
    assertEquals(await play.up(YGGDRASIL), 0, play.said);
    assert(machine.packages.has("tayga") && machine.packages.has("yggdrasil"));
    assertEquals(machine.systemd.unit("tayga.service").active, "inactive");
    assertEquals(await play.steps(YGGDRASIL), []);
    assertEquals(await play.down(), 0, play.said);
    assertEquals(differences(first, snapshot(machine)), []);
  }
});

test("up: a default route by router advertisement survives, and survives down", async () => {
  const { machine, play } = start({ ra: true });
  using _ = machine;
  const first = snapshot(machine);
  await play.up(GATEWAY);
  assert(machine.network.routes.some((r) => r.protocol === "ra"), "after up");
  await machine.reboot();
  assert(machine.network.routes.some((r) => r.protocol === "ra"), "after a reboot");
  await play.down();
  assertEquals(differences(first, snapshot(machine)), []);
});

test("down: accept_ra goes back after forwarding, also where it was set later", async () => {
  const { machine, play } = start();
  using _ = machine;
  await play.up(GATEWAY.replace("overlay:", "uplink: eth0\noverlay:"));
  // A later `up` finds that the route now comes from a router.
  machine.network.routes = machine.network.routes.map((r) => r.to === "default" ? { ...r, protocol: "ra" } : r);
  await play.up(GATEWAY);
  await play.down();
  assert(machine.network.routes.some((r) => r.protocol === "ra"), "the default route is lost");
  assertEquals(machine.sysctls.values.get("net/ipv6/conf/eth0/accept_ra"), "1");
});

for (const [from, to] of [["yggdrasil gateway", "interface gateway"], ["yggdrasil gateway", "ip6gre"]] as const) {
  test(`up: ${from} becomes ${to}: what ran before crxn runs again when it is not ours any more`, async () => {
    const { machine, play } = start();
    using _ = machine;
    const key = "00".repeat(32) + "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29";
    machine.write(
      "/etc/yggdrasil/yggdrasil.conf",
      `{\n  # mine\n  PrivateKey: ${key}\n  Peers: []\n  IfName: own\n}\n`,
    );
    await machine.systemd.run(["enable", "yggdrasil.service"]);
    await machine.systemd.run(["start", "yggdrasil.service"]);
    const first = snapshot(machine);
    await play.up(WALK[from]!);
    assert(!machine.network.find("own"), "yggdrasil has the device of the config now");
    await play.up(WALK[to]!);
    if (to === "interface gateway") assert(machine.network.find("own"), "the former yggdrasil does not run");
    await play.down();
    assertEquals(differences(first, snapshot(machine)), []);
  });
}

test("up: what others put there stays through down", async () => {
  const { machine, play } = start();
  using _ = machine;
  machine.netfilter.command("ip", ["-I", "FORWARD", "-s", "192.0.2.7", "-j", "DROP"]);
  machine.network.ip(["route", "replace", "198.51.100.0/24", "dev", "wg0", "proto", "63"]);
  machine.write("/etc/sysctl.d/zz-other.conf", "net.ipv4.ip_forward = 0\n");
  machine.write("/etc/tayga/other.conf", "tun-device other\n");
  machine.sysctls.set("net/ipv4/conf/eth0/forwarding", "1");
  // iptables leaves an empty INPUT beside the FORWARD of others: it filters nothing.
  const first = snapshot(machine, { tables: false });
  for (const config of [GATEWAY, WALK["another instance"]!, YGGDRASIL]) {
    assertEquals(await play.up(config), 0, play.said);
  }
  await play.down();
  assertEquals(differences(first, snapshot(machine, { tables: false })), []);
});

test("down: what a translator of before has remembered of its pool stays", async () => {
  const { machine, play } = start();
  using _ = machine;
  machine.write("/var/lib/tayga/ygg/dynamic.map", "");
  machine.write("/var/lib/tayga/ygg/more", "100.64.0.2 2001:db8::1\n");
  const first = snapshot(machine);
  await play.up(GATEWAY);
  await play.up(WALK["another instance"]!);
  await play.down();
  assertEquals(differences(first, snapshot(machine)), []);
});

test("up: a folder that we made goes with the last of its files", async () => {
  const { machine, play } = start();
  using _ = machine;
  const first = snapshot(machine);
  await play.up(GATEWAY);
  await play.up(WALK["another instance"]!);
  assert(machine.read("/etc/tayga/ygg.conf") === undefined && machine.read("/etc/tayga/b.conf") !== undefined);
  await play.down();
  assertEquals(differences(first, snapshot(machine)), []);
});

test("up: a foreign route in the way is named, and nothing is touched", async () => {
  const { machine, play } = start();
  using _ = machine;
  machine.network.ip(["route", "replace", "10.0.0.0/8", "dev", "eth0"]);
  const first = snapshot(machine);
  await assertRejects(() => play.up(GATEWAY), CrxnError, "route 10.0.0.0/8: dev eth0 proto boot");
  assertEquals(differences(first, snapshot(machine)), []);
});

test("up: a foreign route that does the same job: down leaves the way there", async () => {
  const { machine, play } = start();
  using _ = machine;
  machine.network.ip(["route", "replace", "10.0.0.0/8", "dev", "wg0", "proto", "static"]);
  const first = snapshot(machine);
  await play.up(GATEWAY);
  await machine.systemd.run(["restart", "crxn-link.service"]);
  await play.down();
  assertEquals(differences(first, snapshot(machine)), []);
});

test("down: a route of somebody else that has taken the place of ours stays", async () => {
  const { machine, play } = start();
  using _ = machine;
  await play.up(GATEWAY);
  machine.network.ip(["route", "replace", "10.0.0.0/8", "dev", "wg0", "proto", "static"]);
  assertEquals(await play.down(), 0, play.said);
  assert(machine.network.routes.some((r) => r.to === "10.0.0.0/8" && r.protocol === "static"));
});

test("up: a missing overlay link is an error before anything is touched", async () => {
  const { machine, play } = start();
  using _ = machine;
  machine.network.removeLink("wg0");
  const first = snapshot(machine);
  await assertRejects(() => play.up(GATEWAY), CrxnError, "wg0");
  assertEquals(differences(first, snapshot(machine)), []);
});

test("up: what did not answer is not taken for what is not there", async () => {
  for (const program of ["dpkg-query", "ip"]) {
    const { machine, play } = start();
    using _ = machine;
    const first = snapshot(machine);
    const runner: Runner = {
      run: (argv, options) =>
        argv[0]!.endsWith(`/${program}`) ? Promise.resolve({ argv, ...refused("", 124) }) : machine.run(argv, options),
    };
    Object.assign(play.context, { runner });
    const error = await assertRejects(() => play.up(GATEWAY), CrxnError, "could not be read") as CrxnError;
    assertEquals(error.exit, 1);
    assertEquals(differences(first, snapshot(machine)), []);
  }
});
