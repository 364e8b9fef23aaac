import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { CommandError, installProduct, Lab, ping, transfer, until } from "../rig/mod.ts";
import { remains, sweep } from "../rig/removal.ts";

const PREFIX = "2a04:5b80:300:4::/64";
const MAPPED = "2a04:5b80:300:4::a01:3";

for (const debian of ["bookworm", "trixie"] as const) {
  Deno.test(`Lab.machine: a bare ${debian} boots, installs with apt, and keeps its files but not its network`, async () => {
    await using lab = await Lab.create();
    const net = await lab.internet();
    const [client, gw] = [await net.client(), await lab.machine("gw", { debian, uplink: net })];
    assertStringIncludes(await gw.read("/etc/os-release"), `VERSION_CODENAME=${debian}`);
    assertEquals((await gw.run(["systemctl", "is-system-running"])).stdout.trim(), "running");
    assertEquals((await gw.sh("command -v iptables nft tayga yggdrasil tcpdump")).stdout, "");
    assertEquals(await ping(client, gw.uplink.ipv6), { sent: 3, received: 3 });
    assertEquals(await ping(client, gw.uplink.ipv4, { deadline: 3 }), { sent: 3, received: 3 });

    await gw.must(["apt-get", "update", "-q"]);
    await gw.must(["apt-get", "install", "-yq", "--no-install-recommends", "tcpdump"]);
    await gw.must("ip addr add 10.9.9.9/32 dev eth0; ip route add 10.8.0.0/16 dev eth0; ip link add d0 type veth");
    await gw.must(
      "sysctl -qw net.ipv6.conf.all.forwarding=1; ip rule add from 10.9.9.9 table 7; ip tuntap add t0 mode tun",
    );
    await gw.write("/etc/sysctl.d/50-rig.conf", "net.ipv4.conf.all.log_martians = 1\n");
    await gw.write("/etc/kept", "kept");
    await gw.must("logger --id=1 before-the-reboot; journalctl --sync", { timeoutSeconds: 10 });

    await gw.reboot();
    assertEquals(await ping(client, gw.uplink.ipv6), { sent: 3, received: 3 });
    const network = await gw.must("ip addr; ip route; ip rule; sysctl net.ipv6.conf.all.forwarding");
    for (const gone of ["10.9.9.9", "10.8.0.0", "d0", "t0:", "forwarding = 1"]) {
      assert(!network.includes(gone), `after the reboot there is still ${gone}:\n${network}`);
    }
    assertEquals(await gw.read("/etc/kept"), "kept");
    // The boot applies sysctl.d, as on any Debian.
    assertEquals(await gw.must(["sysctl", "-n", "net.ipv4.conf.all.log_martians"]), "1\n");
    assertStringIncludes(await gw.must(["journalctl", "-b", "-1", "--no-pager"]), "before-the-reboot");
    assertMatch(await gw.must(["journalctl", "-b", "--no-pager"]), /systemd\[1\]: Startup finished/);
  });
}

Deno.test("Lab.machine: two run side by side, and when one goes down the other stays", async () => {
  await using lab = await Lab.create();
  const net = await lab.internet();
  const [one, two] = await Promise.all([
    lab.machine("one", { debian: "bookworm", uplink: net }),
    lab.machine("two", { debian: "trixie", uplink: net }),
  ]);
  const boot = await two.read("/proc/sys/kernel/random/boot_id");
  const started = await two.must(["systemctl", "show", "-P", "ActiveEnterTimestampMonotonic", "systemd-journald"]);
  await one.stop();
  assertEquals(await two.read("/proc/sys/kernel/random/boot_id"), boot);
  assertEquals((await two.run(["systemctl", "is-system-running"])).stdout.trim(), "running");
  assertEquals((await ping(net, two.uplink.ipv6)).received, 3);
  assertEquals((await ping(net, one.uplink.ipv6, { deadline: 1 })).received, 0);
  await two.kill("systemd-journald");
  await until("journald to be started again", 10, async () => {
    const now = await two.must(["systemctl", "show", "-P", "ActiveEnterTimestampMonotonic", "systemd-journald"]);
    return now !== started && now.trim() !== "0" ? true : undefined;
  });
});

Deno.test("Machine.reboot: a router advertisement brings address and default route, before and after a crash", async () => {
  await using lab = await Lab.create();
  const net = await lab.internet();
  const client = await net.client();
  const gw = await lab.machine("gw", { debian: "bookworm", uplink: net, ra: true });
  for (const round of ["first boot", "after the crash"]) {
    assertMatch(await gw.must(["ip", "-6", "route", "show", "default"]), /proto ra .*expires/, round);
    assertStringIncludes(await gw.must(["ip", "-6", "addr", "show", "dynamic"]), gw.uplink.ipv6, round);
    assertEquals((await ping(client, gw.uplink.ipv6)).received, 3, round);
    assertEquals(await gw.must(["sysctl", "-n", "net.ipv6.conf.eth0.accept_ra"]), "1\n", round);
    if (round === "first boot") await gw.reboot({ crash: true });
  }
  // The trap that crxn has to avoid, shown to be set: forwarding without accept_ra=2 loses the route.
  await gw.must(["sysctl", "-qw", "net.ipv6.conf.all.forwarding=1"]);
  assertEquals(await gw.must(["ip", "-6", "route", "show", "default"]), "");
});

Deno.test("Lab.overlayHost: reachable from the machine once it has address and route; the prefix is not", async () => {
  await using lab = await Lab.create();
  const net = await lab.internet();
  const client = await net.client();
  const gw = await lab.machine("gw", { debian: "bookworm", image: "ready", uplink: net });
  const host = await lab.overlayHost(gw, "ovl0");
  const byHand = "ip addr add 10.5.0.1/32 dev ovl0; ip route add 10.0.0.0/8 dev ovl0 src 10.5.0.1";
  assertEquals((await ping(gw, host.address, { deadline: 1 })).received, 0);
  await gw.must(byHand);
  assertEquals(await ping(gw, host.address), { sent: 3, received: 3 });
  assertEquals((await ping(gw, host.address, { size: 1472, whole: true })).received, 3);

  assertEquals((await ping(client, MAPPED, { deadline: 1 })).received, 0, "the prefix is routed nowhere");
  await net.route(PREFIX, gw);
  assertEquals((await ping(client, MAPPED, { deadline: 1 })).received, 0, "there is no gateway");
  const seen = gw.must(["timeout", "5", "tcpdump", "-nc1", "-ieth0", "icmp6 and dst", MAPPED]);
  await ping(client, MAPPED, { deadline: 1 });
  assertStringIncludes(await seen, MAPPED, "the router sends the prefix to the machine");

  await gw.reboot();
  assertEquals((await ping(gw, host.address, { deadline: 1 })).received, 0);
  await gw.must(byHand);
  assertEquals((await ping(gw, host.address)).received, 3);
});

Deno.test("transfer: counts and compares both directions, and says who failed", async () => {
  await using lab = await Lab.create();
  const net = await lab.internet();
  const [one, two] = [await net.client("one"), await net.client("two")];
  assertEquals((await transfer(one, two, "2001:db8:c::3", 5001, 20_000_003)).bytes, 20_000_003);
  assertEquals((await transfer(two, one, "198.51.100.2", 5001, 1000)).ok, true);
  await two.must("ip route del default; ip -6 route del default; ip -6 route add unreachable ::/0");
  const failed = await assertRejects(() => transfer(two, one, "2001:db8:9::99", 5001, 10), Error);
  assertMatch(failed.message, /two to one at \[2001:db8:9::99\]:5001 failed\n {2}two: code 1 .*No route to host/);
  // A connection that breaks in the middle is not a success.
  const cut = assertRejects(() => transfer(one, two, "2001:db8:c::3", 5002, 2_000_000_000, 3), Error, "failed");
  await new Promise((resolve) => setTimeout(resolve, 500));
  await two.must("ip link set eth0 down");
  await cut;
});

Deno.test("installProduct: the program runs in the machine, with its assets, and tells how it ended", async () => {
  const sources = await Deno.makeTempDir();
  await Deno.mkdir(`${sources}/assets`);
  await Deno.writeTextFile(`${sources}/deno.json`, `{"unstable": ["raw-imports"]}`);
  await Deno.writeTextFile(`${sources}/assets/greeting.txt`, "hello from");
  await Deno.writeTextFile(
    `${sources}/main.ts`,
    `import text from "./assets/greeting.txt" with { type: "text" };
     console.log(text, Deno.hostname(), Deno.args.join("+"));
     Deno.exit(3);`,
  );
  const [lead, binary] = [Deno.env.get("CRXN_BIN"), `${sources}/binary`];
  Deno.env.delete("CRXN_BIN");
  await using lab = await Lab.create();
  const gw = await lab.machine("gw", { debian: "bookworm" });
  await installProduct(gw, `${sources}/main.ts`);
  const said = await gw.run(["crxn", "a b", "c"]);
  assertEquals(said, { code: 3, stdout: "hello from gw a b+c\n", stderr: "" });
  await Deno.writeTextFile(`${sources}/assets/greeting.txt`, "goodbye from");
  await installProduct(gw, `${sources}/main.ts`);
  assertStringIncludes((await gw.run(["crxn"])).stdout, "goodbye from gw");
  const failure = await assertRejects(() => gw.must(["crxn", "x y"]), CommandError);
  assertStringIncludes(failure.message, "gw: exit code 3 of: crxn 'x y'\ngoodbye from gw x y");

  await Deno.writeTextFile(binary, "#!/bin/sh\necho compiled");
  Deno.env.set("CRXN_BIN", binary);
  await installProduct(gw);
  assertEquals(await gw.must(["crxn"]), "compiled\n");
  await Deno.remove(sources, { recursive: true });
  if (lead === undefined) Deno.env.delete("CRXN_BIN");
  else Deno.env.set("CRXN_BIN", lead);
});

Deno.test("Lab: nothing is left when its process is killed, and the next lab removes what a dead reaper left", async (t) => {
  const hold = async () => {
    const script = new URL("../rig/hold_lab.ts", import.meta.url).pathname;
    const child = new Deno.Command(Deno.execPath(), { args: ["run", "-A", "--no-lock", script], stdout: "piped" })
      .spawn();
    const reader = child.stdout.getReader();
    const { value } = await reader.read();
    const [id, reaper] = new TextDecoder().decode(value).trim().split(" ") as [string, string];
    const there = await remains(id);
    for (const kind of ["namespace", "mount", "directory", "cgroup", "process"]) {
      assert(there.some((line) => line.startsWith(kind)), `before the kill there is a ${kind}: ${there.join("\n")}`);
    }
    const kill = async () => {
      child.kill("SIGKILL");
      await child.status;
      await reader.cancel();
    };
    return { id, reaper: Number(reaper), kill };
  };
  await t.step("killed", async () => {
    const { id, kill } = await hold();
    await using other = await Lab.create();
    await kill();
    await until("the reaper", 20, async () => (await remains(id)).length === 0 || undefined);
    assert((await remains(other.id)).length > 0, "another run is left alone");
  });
  await t.step("killed after its reaper", async () => {
    const { id, reaper, kill } = await hold();
    Deno.kill(reaper, "SIGKILL");
    assertEquals((await sweep()).includes(id), false, "the owner is alive");
    await kill();
    assert((await remains(id)).length > 0, "nobody has removed it yet");
    await using _next = await Lab.create();
    assertEquals(await remains(id), []);
  });
});
