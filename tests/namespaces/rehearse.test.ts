// `crxn rehearse` as a newcomer runs it.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { COMMAND, GATEWAY, KEY, leftovers, ROUTES, run, test, withConfig } from "./newcomer.ts";

/** Starts a rehearsal, waits for a line of its, and sends it a signal. */
async function interrupted(line: string, signal: Deno.Signal): Promise<{ pid: number; code: number; stderr: string }> {
  const [program, ...args] = COMMAND;
  const child = new Deno.Command(program!, { args, stdin: "null", stdout: "null", stderr: "piped" }).spawn();
  let stderr = "";
  for await (const piece of child.stderr.pipeThrough(new TextDecoderStream())) {
    const before = stderr.includes(line);
    stderr += piece;
    if (!before && stderr.includes(line)) child.kill(signal);
  }
  return { pid: child.pid, code: (await child.status).code, stderr };
}

test("rehearse: the built-in example carries pings and data both ways, in 80 columns", async () => {
  const { code, stdout, stderr } = await run(COMMAND);
  assertEquals(code, 0, stderr + stdout);
  assertStringIncludes(stderr, "2 of 2 pings are lost");
  assertStringIncludes(stdout, "=== yggdrasil ===");
  assertStringIncludes(stdout, "4 of 4 answered");
  assertEquals(stdout.match(/MB\/s, checksum right/g)?.length, 2, stdout);
  assertStringIncludes(stdout, "The host's own network was not touched.");
  const rehearsal = stderr.slice(stderr.indexOf("Rehearsing"));
  assertEquals((rehearsal + stdout).split("\n").filter((l) => l.length > 80), []);
});

test("rehearse: --json prints one document with what was found", async () => {
  const { code, stdout, stderr } = await run([...COMMAND, "--json"]);
  const found = JSON.parse(stdout);
  assertEquals([code, found.schema, found.ok, found.left], [0, "crxn.rehearse/1", true, []], stderr + stdout);
  assertEquals([found.control, found.ping.received], [{ sent: 2, received: 0 }, 4]);
  assert(found.transfer.toHost.intact && found.transfer.toClient.intact, stdout);
  // Every device of the way has carried the transfer: 8 MiB are more than 100 packets whatever the offload.
  for (const hop of found.hops) assert(hop.received > 100 && hop.sent > 100, JSON.stringify(hop));
  assertEquals(found.hops.length, 5);
});

test("rehearse: an existing interface, next hops, a narrow pool and clients of the user's own", async () => {
  const overlay = "{type: interface, interface: wg0, routes: [{to: 172.20.0.0/14, via: 172.20.0.53}]}";
  const nat64 = `nat64: {instance: longname9, pool: 192.168.64.0/24, mss: 1200, clients: ["2a01:db8:7::/48"]}`;
  await withConfig(GATEWAY(overlay, nat64), async (file) => {
    const { code, stdout, stderr } = await run([...COMMAND, "--config", file]);
    assertEquals(code, 0, stderr + stdout);
    assertStringIncludes(stderr, "uplink ens3: here it is eth0");
    assertStringIncludes(stdout, "eth0 [ nat64-longname9 ] wg0 ----- host");
  });
});

test("rehearse: hosts in maps are reached from the overlay under their fixed addresses", async () => {
  const nat64 =
    `nat64: {maps: [{ipv4: 10.5.0.2, ipv6: "2001:db8::2"}, {ipv4: 10.5.0.3, ipv6: "2a04:5b80:300:4:1::3"}]}`;
  await withConfig(GATEWAY(`{type: yggdrasil, ${ROUTES}}`, nat64), async (file) => {
    const { code, stdout, stderr } = await run([...COMMAND, "--json", "--config", file]);
    assertEquals(code, 0, stderr + stdout);
    const { maps } = JSON.parse(stdout);
    assertEquals(maps.map((m: { ipv4: string }) => m.ipv4), ["10.5.0.2", "10.5.0.3"]);
    assert(maps.every((m: { ping: { received: number } }) => m.ping.received > 0), stdout);
    assert(!(stdout + stderr).includes(KEY), "a key of the user's is printed");
  });
});

test("rehearse: an overlay node without prefix reaches the overlay from its own machine", async () => {
  const node = `address: 10.1.0.1/32\noverlay: {type: yggdrasil, routes: [{to: 10.5.0.1/32, via: ${KEY}}]}\n`;
  await withConfig(node, async (file) => {
    const { code, stdout, stderr } = await run([...COMMAND, "--config", file]);
    assertEquals(code, 0, stderr + stdout);
    assertStringIncludes(stdout, "machine crxn-");
  });
});

test("rehearse: a bad config ends with 78 and its place, before anything is made", async () => {
  await withConfig(GATEWAY("{type: yggdrasil, colour: red}"), async (file) => {
    const { code, stderr } = await run([...COMMAND, "--config", file]);
    assertEquals(code, 78);
    assertStringIncludes(stderr, `${file}:5:`);
  });
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  test(`rehearse: after ${signal} nothing is left`, async () => {
    const { pid, code, stderr } = await interrupted("ok  gateway", signal);
    assertEquals(code, 1, stderr);
    assertStringIncludes(stderr, `Interrupted by ${signal}`);
    assertEquals(await leftovers(pid), []);
  });
}

test("rehearse: what a killed rehearsal left behind goes with the next one", async () => {
  const { pid } = await interrupted("ok  overlay", "SIGKILL");
  const left = await leftovers(pid);
  assertEquals(left.length, 5, `four namespaces and a folder: ${left.join(", ")}`);
  const { code, stderr } = await run(COMMAND);
  assertEquals(code, 0, stderr);
  assertEquals(await leftovers(pid), []);
});

test("rehearse: the host's addresses, routes, rules and sysctls are the same before and after", async () => {
  // A host of its own, so that nothing else on this machine moves meanwhile; with something in it to be lost.
  const script = `
    set -e
    snapshot() {
      ip -j address; ip -j -4 route show table all; ip -j -6 route show table all; ip -j rule; ip -j -6 rule
      iptables-save | grep -v '^#' | sed 's/\\[[0-9:]*\\]//'; ip6tables-save | grep -v '^#' | sed 's/\\[[0-9:]*\\]//'
      sysctl -a -r '^net\\.(ipv4|ipv6|netfilter)\\.' 2>/dev/null | grep -v -e random -e count -e stable_secret
    }
    ip link set lo up
    ip link add eth0 type veth peer name far
    ip link set eth0 up; ip link set far up
    ip address add 10.1.0.3/24 dev eth0; ip address add 2001:db8:300:4::1/64 dev eth0 nodad
    ip route add 100.64.0.0/10 via 10.1.0.9
    ip -6 route add default via 2001:db8:300:4::9
    iptables -A FORWARD -s 10.0.0.0/8 -j DROP; ip6tables -P FORWARD DROP
    # Link-local addresses settle by themselves, which is no doing of the rehearsal.
    while ip -6 address show tentative | grep -q inet6; do sleep 0.05; done
    snapshot >"$1/before"
    shift_dir="$1"; shift
    "$@" >"$shift_dir/output" 2>&1
    snapshot >"$shift_dir/after"
  `;
  const folder = await Deno.makeTempDir();
  try {
    const { code, stderr } = await run([
      "/usr/bin/unshare",
      "--net",
      "/bin/sh",
      "-c",
      script,
      "sh",
      folder,
      ...COMMAND,
    ]);
    const read = (name: string) => Deno.readTextFile(`${folder}/${name}`).catch(() => "");
    assertEquals(code, 0, stderr + await read("output"));
    assertStringIncludes(await read("before"), "10.1.0.3");
    assertStringIncludes(await read("before"), "-A FORWARD -s 10.0.0.0/8 -j DROP");
    assertEquals(await read("after"), await read("before"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
