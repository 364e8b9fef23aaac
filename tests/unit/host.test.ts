/** The machine around the gateway: what its programs print, as both Debians have it, and what follows from it. */

import { assert, assertEquals } from "@std/assert";
import { decision, lastOf, matches } from "../../checks/boot_sysctl.ts";
import { meaningOf } from "../../checks/log_words.ts";
import { parseDisks, parseMounts } from "../../machine/disks.ts";
import { ofThisMachine, parseNeighbours, parseProcesses, parseTracking, readTranslators } from "../../machine/host.ts";
import { parseJournal } from "../../machine/logs.ts";
import { parseNetworkctl, parseNetworkdConf, parseNmcli } from "../../machine/managers.ts";
import { placeFiles } from "../../machine/place.ts";
import { parseProc, readProc } from "../../machine/proc.ts";
import { SystemRunner } from "../../machine/run.ts";
import { parseCatConfig, parseSysctlFile, slashKey } from "../../machine/sysctl_files.ts";
import { parseUnits } from "../../machine/systemd.ts";
import { readTaygaConfig } from "../../gateway/tayga_config.ts";
import { countPool, LEASE, parsePool } from "../../machine/tayga.ts";
import { recorded } from "./recorded.ts";

for (const debian of ["bookworm", "trixie"] as const) {
  Deno.test(`parseCatConfig: every assignment with its file and line (${debian})`, () => {
    const lines = parseCatConfig(recorded(debian, "sysctl-cat-config"));
    const forward = decision(lines, "net/ipv4/ip_forward");
    assertEquals([forward?.file, forward?.value], ["/etc/sysctl.d/crxn.conf", "1"]);
    // Lines are counted in the file itself, where a header of two lines and more stands first.
    assert(forward!.line > 3 && forward!.line < 9, String(forward!.line));
    assert(lines.some((l) => l.file === "/usr/lib/sysctl.d/50-pid-max.conf" && l.key === "kernel/pid_max"));
    assert(lines.every((l) => l.file.includes("/sysctl.d/")), "a comment was taken for a file");
  });

  Deno.test(`parseProcesses: the daemon with its arguments, and nobody else (${debian})`, () => {
    const found = parseProcesses(recorded(debian, "ps"), "/usr/sbin/yggdrasil");
    assertEquals(found.map((p) => [p.state, ...p.args]), [
      ["Ssl", "/usr/sbin/yggdrasil", "-useconffile", "/etc/yggdrasil/yggdrasil.conf"],
    ]);
  });

  Deno.test(`parseDisks, parseMounts: file systems and whether they may be written to (${debian})`, () => {
    const mounts = parseMounts(recorded(debian, "mountinfo"));
    assertEquals([mounts["/"], mounts["/sys"]], [false, true]);
    const disks = parseDisks(recorded(debian, "df"), mounts);
    assertEquals(disks.map((d) => [d.folder, d.mount, d.readOnly]), [
      ["/etc", "/", false],
      ["/var/lib/crxn", "/", false],
      ["/var/log", "/", false],
      ["/run", "/run", false],
    ]);
    assert(disks.every((d) => d.size > d.free && d.free > 0 && d.freeInodes > 0 && d.inodes > d.freeInodes));
  });

  Deno.test(`parseJournal, meaningOf: the log of a healthy gateway has nothing to complain about (${debian})`, () => {
    const units = ["crxn-firewall.service", "crxn-overlay.service", "yggdrasil.service", "tayga@ygg.service"];
    const lines = parseJournal(recorded(debian, "journalctl"), units);
    assertEquals([...new Set(lines.map((l) => l.unit))].sort(), units.toSorted());
    assert(lines.every((l) => l.at > Date.UTC(2024, 0, 1) && l.priority <= 6));
    assert(lines.some((l) => l.manager) && lines.some((l) => !l.manager));
    // Before its main process starts, yggdrasil's unit tries for a device that is there already.
    const own = lines.filter((l) => !l.manager && !l.message.startsWith("ioctl(TUNSETIFF)"));
    assertEquals(own.filter((l) => meaningOf(l.unit, l.message, l.priority)).map((l) => l.message), []);
  });

  Deno.test(`parseNeighbours, parseTracking: (${debian})`, () => {
    for (const n of parseNeighbours(recorded(debian, "ip-neigh6.json"))) assertEquals(n.device, "eth0");
    assertEquals(parseTracking(recorded(debian, "nf_conntrack")), { dropped: 0, evicted: 0 });
  });
}

Deno.test("parseTracking: columns by name, hexadecimal, summed over the processors; nothing from nothing", () => {
  const head = "entries  clashres found drop early_drop icmp_error";
  assertEquals(parseTracking(`${head}\n0001 0000 0000 0000000a 00000001 0\n0001 0000 0000 00000001 00000010 0\n`), {
    dropped: 11,
    evicted: 17,
  });
  assertEquals(parseTracking(""), { dropped: 0, evicted: 0 });
});

Deno.test("parseSysctlFile: comments, spaces, both separators, exclusions; what is no assignment is passed over", () => {
  const text =
    "# a\n; b\n net.ipv4.conf.*.rp_filter = 2 \n-net.ipv4.conf.lo.rp_filter\n-net.a = 1\nnet/ipv6/x.y/z=\ngarbage";
  assertEquals(parseSysctlFile(text, "f"), [
    { file: "f", line: 3, key: "net/ipv4/conf/*/rp_filter", value: "2" },
    { file: "f", line: 4, key: "net/ipv4/conf/lo/rp_filter" },
    { file: "f", line: 5, key: "net/a", value: "1" },
    { file: "f", line: 6, key: "net/ipv6/x.y/z", value: "" },
  ]);
  assertEquals(slashKey("net.ipv4.conf.eth0/100.rp_filter"), "net/ipv4/conf/eth0.100/rp_filter");
});

Deno.test("decision: as systemd-sysctl does it on both Debians", () => {
  const lines = (...texts: string[]) => texts.flatMap((text, i) => parseSysctlFile(text, `f${i}`));
  const key = "net/ipv4/conf/wg0/rp_filter";
  const pattern = "net.ipv4.conf.*.rp_filter = 2";
  const cases: [string[], string | undefined][] = [
    [[pattern], "2"],
    // Its own name wins over a later pattern; "-" without a value keeps it out.
    [["net.ipv4.conf.wg0.rp_filter = 1", pattern], "1"],
    [["-net.ipv4.conf.wg0.rp_filter", pattern], undefined],
    [[pattern, "net.ipv4.conf.?g[0-9].rp_filter = 0"], "0"],
    [["net.ipv4.conf.eth0.rp_filter = 1"], undefined],
    [[], undefined],
  ];
  for (const [texts, value] of cases) assertEquals(decision(lines(...texts), key)?.value, value, texts.join("; "));
  const twice = lines("net.ipv4.ip_forward=1", "net.ipv4.conf.all.forwarding=0");
  assertEquals(decision(twice, "net/ipv4/ip_forward"), { file: "f1", line: 1, value: "0" });
  // sysctl(8) goes line by line.
  assertEquals(lastOf(lines("net.ipv4.conf.wg0.rp_filter = 1", pattern), key)?.value, "2");
  assertEquals([matches("net/*/x", "net/a/b/x"), matches("net/[", "net/[")], [false, false]);
});

Deno.test("parsePool: what is given out, what of it is held, and by whom", () => {
  const now = 2_000_000_000_000;
  const recent = Math.floor(now / 1000) - 60;
  const old = Math.floor((now - LEASE) / 1000) - 60;
  const map = `###\n### Last written: x\n\n100.64.0.2\t2001:db8:1::5\t${recent}\n100.64.0.3\t2001:db8:1::6\t${old}\n` +
    `100.64.0.4\t2001:db8:2::1\t${recent}\n100.64.0.5\n`;
  assertEquals(parsePool(map, 5, now), {
    written: 5,
    given: 3,
    held: 2,
    largest: [["2001:db8:1::/64", 2], ["2001:db8:2::/64", 1]],
  });
  assertEquals([countPool(map), countPool(""), countPool("### Last written: 5")], [4, 0, 0]);
});

Deno.test("parsePool: a network of clients is one, however its addresses are shortened", () => {
  const networks = {
    "2001:db8:0:1::/64": ["2001:db8:0:1::5", "2001:db8:0:1:a:b:c:d", "2001:db8::1:0:0:0:5", "2001:db8::1:a:b:c:d"],
    "2001:db8::/64": ["2001:db8::1", "2001:db8::a:b:c:d", "2001:db8:0:0:a::"],
    "::/64": ["::1:2:3:4", "::1"],
  };
  const map = Object.values(networks).flat().map((a, i) => `100.64.0.${i}\t${a}\t5\n`).join("");
  assertEquals(parsePool(map, 5, 5).largest, Object.entries(networks).map(([n, list]) => [n, list.length]));
});

Deno.test("readTaygaConfig: device, prefix and pool, and no comment for them", () => {
  const text = "# prefix 64:ff9b::/96\ntun-device x\nprefix\t2001:db8::/96\n  dynamic-pool 192.168.9.0/24 \n";
  const { device, prefix, pool } = readTaygaConfig(text);
  assertEquals({ device, prefix, pool }, { device: "x", prefix: "2001:db8::/96", pool: "192.168.9.0/24" });
  assertEquals(readTaygaConfig(""), { maps: [], other: [] });
});

Deno.test("parseNetworkctl, parseNetworkdConf, parseNmcli: devices that are managed, settings that count", () => {
  const list = {
    Interfaces: [
      { Name: "lo", AdministrativeState: "unmanaged" },
      { Name: "eth0", AdministrativeState: "configured", NetworkFile: "/etc/systemd/network/10-eth0.network" },
      { Name: "x", AdministrativeState: "unmanaged", NetworkFile: "/etc/systemd/network/20-x.network" },
    ],
  };
  assertEquals(parseNetworkctl(JSON.stringify(list)), { eth0: "/etc/systemd/network/10-eth0.network" });
  for (const text of ["{}", "null", "[]"]) assertEquals(parseNetworkctl(text), {});
  const conf = "[Network]\n#ManageForeignRoutes=yes\nManageForeignRoutes=yes\nManageForeignRoutes = no\n";
  assertEquals(parseNetworkdConf(conf), { keepsRoutes: true, keepsRules: false });
  assertEquals(parseNetworkdConf("#ManageForeignRoutes=no"), { keepsRoutes: false, keepsRules: false });
  const devices =
    "eth0:connected:Wired\\: one\nnat64-ygg:connected (externally):nat64-ygg\nlo:unmanaged:\nwg0:disconnected:\n";
  assertEquals(parseNmcli(devices), { eth0: "Wired: one" });
});

Deno.test("readTranslators: modules that translate in the kernel only", async () => {
  const root = await Deno.makeTempDir();
  for (const name of ["nf_nat", "jool", "jool_common", "nat46"]) {
    await Deno.mkdir(`${root}/sys/module/${name}`, { recursive: true });
  }
  placeFiles(root);
  try {
    assertEquals(await readTranslators(), ["jool", "nat46"]);
  } finally {
    placeFiles("");
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("parseProc: each file's own lines, whatever they say; a file without any is not there", () => {
  const files = ["/proc/a", "/proc/a/b", "/proc/c"];
  const output = "/proc/a:1:2\n/proc/a:\n/proc/a/b:/proc/c:3\nnonsense\n";
  assertEquals(parseProc(output, files), { "/proc/a": "1:2\n\n", "/proc/a/b": "/proc/c:3\n" });
  assertEquals(parseProc("", files), {});
});

Deno.test("readProc: as the kernel has it, and nothing of what is not there", async () => {
  const files = ["/proc/self/mountinfo", "/proc/sys/kernel/ostype", "/proc/no/such/file"];
  const texts = await readProc(new SystemRunner(), files);
  assertEquals(Object.keys(texts), files.slice(0, 2));
  assertEquals(texts[files[1]!], "Linux\n");
  assert("/" in parseMounts(texts[files[0]!]!));
});

Deno.test("parseUnits: frozen, and with drop-ins", () => {
  const text =
    "Id=a.service\nFreezerState=frozen\nDropInPaths=/a /b\n\nId=b.service\nFreezerState=running\nDropInPaths=\n";
  const units = parseUnits(text, ["a.service", "b.service"]);
  assertEquals([units["a.service"]!.frozen, units["a.service"]!.dropIns], [true, ["/a", "/b"]]);
  assertEquals([units["b.service"]!.frozen, units["b.service"]!.dropIns], [undefined, undefined]);
});

Deno.test("meaningOf: complaints of both daemons in plain words, what is no complaint, and what nobody has explained yet", () => {
  const y = "yggdrasil.service";
  const t = "tayga@ygg.service";
  const cases: [string, string, string | null | undefined][] = [
    [t, "Unable to attach tun device nat64-ygg, aborting: Device or resource busy", "another process"],
    [t, 'Unknown directive "x" on line 3 of /etc/tayga/ygg.conf, aborting...', "refuses its config"],
    [t, "Unable to open /var/lib/tayga/ygg/dynamic.map~~ for writing: No space left on device", "disk is full"],
    [t, "Ignoring map for 100.64.0.9 from /var/lib/tayga/ygg/dynamic.map that lies outside dynamic pool prefix", null],
    [t, "starting TAYGA 0.9.2", null],
    [
      y,
      '2026/11/26 01:41:58 Failed to start listener "tls://[::]:443": listen tcp [::]:443: bind: permission denied',
      "1024",
    ],
    [y, '2026/11/26 01:41:58 Failed to start listener "tcp://[::]:9001": bind: address already in use', "port"],
    [y, "panic: runtime error: index out of range", "crashed"],
    [y, "2026/11/26 01:41:58 An error occurred starting TUN/TAP: file exists", "no device"],
    [y, "2026/11/26 01:41:58 Disconnected outbound: 200::1@x, source y; error: EOF", null],
    [y, "2026/11/26 01:41:58 Link handler tls://192.0.2.7:1 error (x): remote node is incompatible version", null],
    [y, "2026/11/26 01:41:58 the flux capacitor has failed", undefined],
    ["crxn-link.service", "RTNETLINK answers: Operation not permitted, cannot go on", undefined],
  ];
  for (const [unit, message, words] of cases) {
    const meaning = meaningOf(unit, message, 6);
    if (words === null) assertEquals(meaning, undefined, message);
    else if (words === undefined) assertEquals(meaning, {}, message);
    else assert(meaning?.means?.includes(words), `${message}: ${meaning?.means}`);
  }
});

Deno.test("ofThisMachine: a container's tayga is none of this machine's", async () => {
  const root = await Deno.makeTempDir();
  const networks = { self: "net:[1]", 10: "net:[1]", 11: "net:[2]" };
  for (const [pid, network] of Object.entries(networks)) {
    await Deno.mkdir(`${root}/proc/${pid}/ns`, { recursive: true });
    await Deno.symlink(network, `${root}/proc/${pid}/ns/net`);
  }
  placeFiles(root);
  try {
    const processes = [10, 11, 12].map((pid) => ({ pid, state: "Ss", args: ["/usr/sbin/tayga"] }));
    // 12 cannot be read.
    assertEquals((await ofThisMachine(processes)).map((p) => p.pid), [10, 12]);
  } finally {
    placeFiles("");
    await Deno.remove(root, { recursive: true });
  }
});
