// `crxn rehearse` as a newcomer runs it: a process of its own, with the real programs, on this machine.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const COMMAND = [Deno.execPath(), "run", "--quiet", "-A", MAIN, "rehearse"];
const KEY = "6fa497818044d164d7f895a69e4678f03d99820b23c1912970e9255910bd8308";

const GATEWAY = (overlay: string, nat64 = "") => `
address: 10.5.0.1/32
prefix: 2a04:5b80:300:4::/96
uplink: ens3
overlay: ${overlay}
${nat64}
`;
const ROUTES = `routes: [{to: 10.0.0.0/8, via: ${KEY}}]`;

const reason = await obstacle();
if (reason) console.error(`\nTHE REHEARSAL IS NOT TESTED HERE: ${reason}.\n`);

async function obstacle(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "this is not Linux";
  if (Deno.uid() !== 0) return "it needs root";
  const there = (path: string) => Deno.stat(path).then(() => true, () => false);
  if (!(await there("/etc/debian_version"))) return "this is not Debian";
  if (!(await there("/dev/net/tun"))) return "there is no /dev/net/tun";
}

const test = (name: string, body: () => Promise<void>) => Deno.test({ name, ignore: reason !== undefined, fn: body });

interface Output {
  code: number;
  stdout: string;
  stderr: string;
}

async function run(argv: string[]): Promise<Output> {
  const { code, stdout, stderr } = await new Deno.Command(argv[0]!, { args: argv.slice(1), stdin: "null" }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

async function withConfig<T>(text: string, body: (file: string) => Promise<T>): Promise<T> {
  const file = await Deno.makeTempFile({ suffix: ".yaml" });
  try {
    await Deno.writeTextFile(file, text);
    return await body(file);
  } finally {
    await Deno.remove(file);
  }
}

/** Namespaces and folders of the rehearsal that ran as process `pid`. */
async function leftovers(pid: number): Promise<string[]> {
  const { stdout } = await run(["/usr/sbin/ip", "netns", "list"]);
  const names = [...stdout.split("\n"), ...Array.from(Deno.readDirSync("/run"), (e) => `/run/${e.name}`)];
  return names.filter((n) => n.includes(`crxn-rehearse-${pid}`));
}

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

test("rehearse: a daemon that dies is named, the exit code is 1, and nothing stays", async () => {
  const before = (await run(["/usr/sbin/ip", "netns", "list"])).stdout;
  // It knows a yggdrasil's config, and ends at once when it is to run.
  const directory = await Deno.makeTempDir({ dir: "/usr/local/lib", prefix: "crxn-test-" });
  try {
    await Deno.chmod(directory, 0o755);
    const daemon = `${directory}/yggdrasil`;
    await Deno.writeTextFile(
      daemon,
      '#!/bin/sh\ncase "$*" in *-normaliseconf*) echo \'{"PrivateKey":""}\' ;; esac\n',
      { mode: 0o755 },
    );
    await withConfig(GATEWAY(`{type: yggdrasil, daemon: ${daemon}, ${ROUTES}}`), async (file) => {
      const { code, stdout, stderr } = await run([...COMMAND, "--config", file]);
      assertEquals(code, 1, stderr + stdout);
      assertStringIncludes(stderr, "yggdrasil (node) ended with code 0. It was started 3 times.");
      assertStringIncludes(stdout, "Everything is taken down again.");
      assert(!stderr.includes(".ts:"), stderr);
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
  const mine = (text: string) => text.split("\n").filter((l) => l.startsWith("crxn-rehearse-"));
  assertEquals(mine((await run(["/usr/sbin/ip", "netns", "list"])).stdout), mine(before));
});

test("rehearse: a daemon that crashes once is started again, as its unit does, and that is said", async () => {
  const directory = await Deno.makeTempDir({ dir: "/usr/local/lib", prefix: "crxn-test-" });
  try {
    await Deno.chmod(directory, 0o755);
    const daemon = `${directory}/yggdrasil`;
    // Whichever of the two is first has its device, with its address, when it dies.
    const crash = `if mkdir ${directory}/once 2>/dev/null; then
        timeout -s KILL 0.7 /usr/sbin/yggdrasil "$@"
        printf '%s\\n' 'panic: on a Sunday' '' 'goroutine 7 [running]:' 1 2 3 4 5 6 7 8 >&2; exit 2
      fi`;
    const script =
      `#!/bin/sh\ncase "$*" in\n*conf*json* | *-normaliseconf* | *-version*) ;;\n*-useconffile*) ${crash} ;;\nesac
exec /usr/sbin/yggdrasil "$@"\n`;
    await Deno.writeTextFile(daemon, script, { mode: 0o755 });
    await withConfig(GATEWAY(`{type: yggdrasil, daemon: ${daemon}, ${ROUTES}}`), async (file) => {
      const { code, stdout, stderr } = await run([...COMMAND, "--config", file, "--json"]);
      assertEquals(code, 0, stderr + stdout);
      const { restarts } = JSON.parse(stdout);
      assertEquals(restarts.map((r: { ended: string }) => r.ended), ["ended with code 2"]);
      assertEquals(restarts[0].lines.slice(0, 2), ["panic: on a Sunday", "goroutine 7 [running]:"]);
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

test("rehearse: a program that is no yggdrasil ends with 69, before anything is made", async () => {
  await withConfig(GATEWAY(`{type: yggdrasil, daemon: /usr/bin/true, ${ROUTES}}`), async (file) => {
    const { code, stderr } = await run([...COMMAND, "--config", file]);
    assertEquals(code, 69, stderr);
    assertStringIncludes(stderr, "/usr/bin/true does not work as a yggdrasil daemon");
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
