/** What the checks of the machine around the gateway say: warnings, words, and when they are silent. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { poolRoom } from "../../checks/pool.ts";
import type { Probed } from "../../checks/probe_result.ts";
import { translatorAddresses6 } from "../../gateway/translator.ts";
import { healthy } from "./surveys/builder.ts";
import { finding, words } from "./surveys/diagnose.ts";
import { logLine, NOW } from "./surveys/host.ts";

const TAYGA = "tayga@ygg.service";
Deno.test("forwarding-sysctl: another file that comes later is a warning with its place; the boot survives it", async () => {
  const input = await healthy("interface");
  input.host!.sysctlLines!.push({ file: "/etc/sysctl.d/zz.conf", line: 4, key: "net/ipv4/ip_forward", value: "0" });
  const outcome = words(input, "forwarding-sysctl", "warn", "/etc/sysctl.d/zz.conf:4", "to 0", "sysctl --system");
  assertEquals(outcome.fix, [["/usr/bin/sed", "-i", "4s/^/# /", "/etc/sysctl.d/zz.conf"]]);
  assertEquals(outcome.mend, undefined);
});

Deno.test("forwarding-sysctl: a file before ours, or one that says the same, is nothing", async () => {
  const input = await healthy("interface");
  const line = { file: "/etc/sysctl.d/10-a.conf", line: 1, key: "net/ipv4/ip_forward", value: "0" };
  input.host!.sysctlLines!.unshift(line);
  input.host!.sysctlLines!.push({ ...line, file: "/etc/sysctl.d/zz.conf", value: "1" });
  words(input, "forwarding-sysctl", "pass");
});

Deno.test("forwarding-sysctl: /etc/sysctl.conf is read last by sysctl(8), though not by the boot", async () => {
  const input = await healthy("interface");
  const line = { file: "/etc/sysctl.conf", line: 69, key: "net/ipv6/conf/all/forwarding", value: "0" };
  input.host!.sysctlConf!.push(line);
  words(input, "forwarding-sysctl", "warn", "/etc/sysctl.conf:69", "a boot will not");
});

Deno.test("forwarding-sysctl: a value that is wrong now is traced to a file, or to somebody since the boot", async () => {
  const input = await healthy("interface");
  input.survey.sysctls["net/ipv4/ip_forward"] = "0";
  words(input, "forwarding-sysctl", "fail", "by hand or by a program");
  input.host!.sysctlLines!.push({ file: "/etc/sysctl.d/zz.conf", line: 4, key: "net/ipv4/ip_forward", value: "0" });
  const { found } = words(input, "forwarding-sysctl", "fail", "/etc/sysctl.d/zz.conf:4 sets 0");
  assert(!found!.includes("by hand"), found);
  // Without the files nothing is said of them.
  delete input.host;
  assertEquals(finding(input, "forwarding-sysctl").found, "sysctl net/ipv4/ip_forward: 0, not 1");
});

Deno.test("translator-service: a unit that dies is shown with its last words and the drop-ins of others", async () => {
  const input = await healthy("interface");
  const dropIns = ["/etc/systemd/system/tayga@ygg.service.d/override.conf"];
  const dead = { active: "failed", sub: "failed", result: "start-limit-hit", dropIns };
  Object.assign(input.survey.units[TAYGA]!, dead);
  input.host!.log!.push(logLine(TAYGA, "Unable to open /dev/net/tun, aborting: No such file"));
  const { evidence } = words(input, "translator-service", "fail", "start limit", dropIns[0]!, "not crxn's");
  assert(evidence!.some((e) => e.output.includes("Unable to open /dev/net/tun")));
});

Deno.test("translator-service: a frozen unit is thawed, then restarted", async () => {
  const input = await healthy("interface");
  input.survey.units[TAYGA]!.frozen = true;
  const verbs = words(input, "translator-service", "fail", "frozen").fix!.map((argv) => argv[1]);
  assertEquals(verbs, ["thaw", "restart"]);
});

Deno.test("pool: what was not used for two hours is free for others; nearly full is a warning; the numbers tell who", async () => {
  const input = await healthy("two nodes");
  const { nat64 } = input.blueprint.config;
  const room = poolRoom(nat64!);
  const written = NOW - 3600_000;
  input.host!.pool = { written, given: room, held: 10, largest: [["2001:db8:1::/64", room]] };
  words(input, "pool", "pass", `${room} of the ${room}`, "(10 used within the last two hours", "2026-11-26 01:00 UTC");
  input.host!.pool.held = room - 1;
  const { evidence, want } = words(input, "pool", "warn");
  assertStringIncludes(evidence![0]!.output, `${room} addresses to 2001:db8:1::/64`);
  assertStringIncludes(want!, "nat64.pool");
});

Deno.test("poolRoom: neither the network's own address nor tayga's, nor those mapped for good", () => {
  assertEquals(poolRoom({ pool: "100.64.0.0/29", maps: [] }), 6);
  assertEquals(poolRoom({ pool: "100.64.0.0/29", maps: [{ ipv4: "100.64.0.5" }, { ipv4: "10.5.0.2" }] }), 5);
});

Deno.test("pool: tayga's own refusal of the probe is a full pool, whatever its list says", async () => {
  const input = await healthy("interface");
  const [from = ""] = translatorAddresses6(input.blueprint.config);
  const probe: Probed = {
    ran: true,
    kind: "prefix",
    target: "10.1.0.3",
    address: "2001:db8:300:4::a01:3",
    sent: 3,
    received: 0,
    command: ["/usr/bin/ping"],
    output: `PING x\nFrom ${from} icmp_seq=1 Destination unreachable: Unknown code 5`,
  };
  words({ ...input, probe }, "pool", "fail", "no address left");
  // No route (code 0), and somebody else's refusal, are other matters.
  for (
    const output of [`From ${from} icmp_seq=1 Destination unreachable: No route`, probe.output.replace(from, "::9")]
  ) {
    words({ ...input, probe: { ...probe, output } }, "pool", "pass");
  }
});

Deno.test("conntrack: nearly full is a warning; drops of the past are told, not counted", async () => {
  const input = await healthy("interface");
  input.host!.tracking = { entries: 950, limit: 1000, dropped: 0, evicted: 0 };
  words(input, "conntrack", "warn", "950 of 1000");
  input.host!.tracking = { entries: 10, limit: 1000, dropped: 3, evicted: 4 };
  words(input, "conntrack", "pass", "3 packets dropped and 4 entries evicted");
  delete input.host!.tracking;
  words(input, "conntrack", "skip");
});

Deno.test("disk: nearly full is a warning; a file system that counts no inodes has enough of them", async () => {
  const input = await healthy("interface");
  const [first] = input.host!.disks!;
  for (const d of input.host!.disks!) if (d.mount === "/") Object.assign(d, { inodes: 0, freeInodes: 0 });
  words(input, "disk", "pass");
  first!.free = 5 << 20;
  words(input, "disk", "warn", "/ is nearly full (5 MiB of 8.0 GiB left)", "crxn's journal");
  delete input.host!.disks;
  words(input, "disk", "unknown");
});

Deno.test("clock: a day is no matter, nor are files of another day", async () => {
  const input = await healthy("interface");
  input.host!.latest!.at = NOW + 20 * 3600_000;
  words(input, "clock", "pass");
  input.host!.latest!.at = NOW + 30 * 3600_000;
  words(input, "clock", "fail", "2026-11-26 02:00 UTC", "/var/lib/dpkg/status is of 2026-11-27");
  input.host!.now = Date.UTC(1970, 0, 2);
  delete input.host!.latest;
  words(input, "clock", "fail", "1970-01-02");
});

Deno.test("logs: complaints since the start are explained or quoted; what was before is over", async () => {
  const input = await healthy("interface");
  const log = input.host!.log!;
  log.push(logLine(TAYGA, "Unable to attach tun device x, aborting: Bad", { at: 1500 }));
  log.push(logLine(TAYGA, "tayga@ygg.service: Failed with result 'exit-code'.", { manager: true }));
  words(input, "logs", "pass");
  log.push(logLine(TAYGA, "error writing packet to tun device: Input/output error"));
  words(input, "logs", "warn", "tayga's device was down", "1970-01-01 00:00:03 UTC");
  for (let i = 0; i < 9; i++) log.push(logLine(TAYGA, `the flux ${i} has failed`, { at: 4000 + i }));
  const { evidence } = words(input, "logs", "warn", "9 errors", '"the flux 8 has failed"');
  const quoted = evidence!.flatMap((e) => e.output.split("\n")).filter((line) => line.startsWith("the flux"));
  assertEquals(quoted.length, 5);
});

Deno.test("logs: a unit that does not run is its own check's matter; a log that may not be read is unknown", async () => {
  const input = await healthy("interface");
  input.host!.log!.push(logLine(TAYGA, "Unknown directive"));
  words(input, "logs", "warn", "refuses its config");
  input.survey.units[TAYGA]!.active = "failed";
  words(input, "logs", "pass");
  delete input.host!.log;
  words(input, "logs", "unknown");
});

Deno.test("forwarding-sysctl: what devices to come get is set once more by ip_forward behind it", async () => {
  const input = await healthy("interface");
  const line = { file: "/etc/sysctl.d/10-a.conf", line: 1, key: "net/ipv4/conf/default/forwarding", value: "0" };
  input.host!.sysctlLines!.unshift(line);
  words(input, "forwarding-sysctl", "pass");
});

Deno.test("translator-service: a translator that somebody stopped is named beside a fault that could explain one that fails", async () => {
  const input = await healthy("interface");
  input.survey.tun = false;
  const unit = input.survey.units[TAYGA]!;
  Object.assign(unit, { active: "inactive", sub: "dead" });
  words(input, "translator-service", "fail", "is inactive (dead)");
  Object.assign(unit, { active: "failed", sub: "failed", result: "exit-code" });
  words(input, "translator-service", "skip", "while tun-device fails");
});

Deno.test("translator-service: an address in the pool does not kill a translator, another tayga does", async () => {
  const input = await healthy("interface");
  const address = { address: "100.64.0.9/32", family: "inet", scope: "global", dynamic: false } as const;
  input.survey.links[0]!.addresses.push(address);
  Object.assign(input.survey.units[TAYGA]!, { active: "failed", sub: "failed", result: "exit-code" });
  words(input, "conflicts", "fail", "100.64.0.9");
  words(input, "translator-service", "fail", "failed");
  Object.assign(input.survey.units[TAYGA]!, { pid: 0 });
  input.host!.processes = [{ pid: 4711, state: "Ss", args: ["tayga", "--config=/etc/tayga/ygg.conf"] }];
  words(input, "translator-service", "skip", "while conflicts fails");
});

Deno.test("pool: a list that cannot be read is not an empty one", async () => {
  const input = await healthy("interface");
  delete input.host!.pool;
  delete input.survey.poolUsed;
  words(input, "pool", "pass", "no address");
  input.survey.root = false;
  words(input, "pool", "unknown", "cannot be read");
});

Deno.test("input-policy: nftables that could not be read is said", async () => {
  const input = await healthy("interface");
  delete input.survey.nftables;
  words(input, "input-policy", "unknown", "nftables could not be read");
});
