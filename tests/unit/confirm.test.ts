import { Program } from "../../gateway/action.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { canCut, confirmUnits, pendingIn, sessionDevice, shutOut, unfit } from "../../gateway/confirm.ts";
import { fileItem, routeItem } from "../../gateway/item.ts";
import { inherited, sessionOf } from "../../machine/session.ts";
import { type Runner, SystemRunner } from "../../machine/run.ts";
import { WALK } from "./fake/configs.ts";
import { FakeMachine } from "./fake/machine.ts";
import { Play } from "./fake/play.ts";

Deno.test("inherited: of whoever started it, where sudo has taken the variable away", async () => {
  const parents: Record<number, number> = { 50: 40, 40: 30, 30: 1, 60: 30, 70: 70, 80: 81, 81: 80, 1: 0 };
  const environs: Record<string, string> = {
    "/proc/40/environ": "SSH_CONNECTION=2001:db8::7 50022 2001:db8::1 22\0",
    "/proc/60/environ": "SSH_CONNECTION=nonsense\0",
    "/proc/1/environ": "SSH_CONNECTION=2001:db8::8 1 2001:db8::1 22\0",
  };
  const runner: Runner = {
    run: (argv) => {
      const stdout = argv[0] === Program.ps
        ? Object.entries(parents).map(([pid, parent]) => `${pid.padStart(7)} ${parent}`).join("\n")
        : argv.map((word) => environs[word] ?? "").join("");
      return Promise.resolve({ argv, code: 0, stdout, stderr: "" });
    },
  };
  const want = {
    connection: "2001:db8::7 50022 2001:db8::1 22",
    client: "2001:db8::7",
    server: "2001:db8::1",
    port: 22,
  };
  assertEquals(sessionOf(await inherited(runner, 50)), want);
  for (const pid of [30, 60, 70, 80, 99, 1]) assertEquals(sessionOf(await inherited(runner, pid)), undefined);
});

Deno.test("inherited: from real processes", async () => {
  // Two shells deep, in a process that has no such variable itself.
  const script = "sleep 5 & echo $!; wait";
  const child = new Deno.Command("/usr/bin/bash", {
    args: ["-c", `env -u SSH_CONNECTION bash -c '${script}'; true`],
    env: { SSH_CONNECTION: "192.0.2.7 50022 192.0.2.1 22" },
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  try {
    const pid = Number(new TextDecoder().decode((await reader.read()).value));
    assertEquals(sessionOf(await inherited(new SystemRunner(), pid))?.client, "192.0.2.7");
    await new SystemRunner().run([Program.kill, String(pid)]);
  } finally {
    await reader.cancel();
    await child.status;
  }
});

Deno.test("confirmUnits: whatever the path of crxn is, systemd reads one word", () => {
  // Variables are exchanged in arguments only: `$$` in a program's path would be two signs (systemd-analyze verify).
  const [service = ""] = Object.values(confirmUnits(["/opt/100% $HOME/crxn", 'a "$b"\\'], 90));
  assertStringIncludes(service, '\nExecStart="/opt/100%% $HOME/crxn" "a \\"$$b\\"\\\\" confirm --expired');
  assertStringIncludes(Object.values(confirmUnits(["/usr/local/bin/crxn"], 90))[1]!, "\nOnActiveSec=90\n");
});

Deno.test("unfit: a program that may be gone when time is up", () => {
  assertEquals(unfit(["/usr/local/bin/crxn"]), undefined);
  assertEquals(unfit(["/usr/bin/deno", "run", "/srv/crxn/main.ts"]), undefined);
  assertEquals(unfit(["/tmp/crxn"]), "/tmp/crxn may be gone by then");
  assertEquals(unfit(["/usr/bin/deno", "run", "/dev/shm/main.ts"]), "/dev/shm/main.ts may be gone by then");
  assertEquals(unfit(["/opt/a\nb"]), "its path has control characters");
  for (const path of ["/opt/it's", '/opt/"x"', "/opt/a\\b"]) {
    assertEquals(unfit([path]), "its path has quotes or backslashes, which systemd takes in no program's");
    assertEquals(unfit(["/usr/bin/deno", path]), undefined);
  }
});

Deno.test("pendingIn: what is not of this version, or damaged, is nothing that waits", () => {
  const pending = { v: 1 as const, seconds: 120, until: "2026-11-27T00:00:00.000Z", items: [] };
  assertEquals(pendingIn(JSON.stringify(pending)), pending);
  for (
    const bad of [
      "",
      "{",
      "null",
      "[]",
      JSON.stringify({ ...pending, v: 2 }),
      JSON.stringify({ ...pending, until: "x" }),
    ]
  ) {
    assertEquals(pendingIn(bad), undefined, bad);
  }
});

Deno.test("canCut: files alone do nothing", () => {
  const file = fileItem("/etc/x", "");
  const route = routeItem("10.0.0.0/8", { device: "wg0" });
  const action = { do: "run" as const, argv: ["/bin/true"] };
  assertEquals(canCut([{ title: "", item: file, actions: [action] }]), false);
  assertEquals(canCut([{ title: "", item: route, actions: [] }]), false);
  assertEquals(canCut([{ title: "", item: route, actions: [action] }]), true);
  assertEquals(canCut([{ title: "", undoes: route.id, actions: [action] }]), true);
});

Deno.test({
  name: "sessionDevice: the device that a session comes by, where the gateway works on that",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    using machine = new FakeMachine();
    const { blueprint, survey } = await new Play(machine).prepare(WALK["interface gateway"]!);
    const uplink = blueprint.facts.uplink.name;
    const address = survey.links.find((l) => l.name === uplink)!.addresses.find((a) => a.scope === "global")!.address;
    const of = (server: string) => sessionDevice(server, blueprint, survey);
    assertEquals(of(address.split("/")[0]!), uplink);
    assertEquals(of(`fe80::1%${uplink}`), uplink);
    assertEquals(of("fe80::1%eth9"), undefined, "a network of its own, which the gateway has nothing to do with");
    assertEquals([of("127.0.0.1"), of("::1"), of("nonsense")], [undefined, undefined, undefined]);
    // One that is on no device, as behind an address translation of the provider's.
    assertEquals(of("203.0.113.250"), uplink);
    assert(uplink !== "lo");
  },
});

Deno.test({
  name: "shutOut: a session over the overlay to a port that nobody will be let in at, and what to write",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    using machine = new FakeMachine();
    const gateway = WALK["interface gateway"]!;
    const asked = async (config: string, server = "10.5.9.9", port = 22) => {
      const { blueprint, survey } = await new Play(machine).prepare(config);
      survey.links.find((l) => l.name === "wg0")!.addresses.push(
        { address: "10.5.9.9/24", family: "inet", scope: "global", dynamic: false },
        { address: "2001:db8::9/64", family: "inet6", scope: "global", dynamic: false },
      );
      return shutOut(server, port, blueprint, survey)?.access;
    };
    const access = (value: string) => gateway.replace("overlay:", "overlay:\n  access: " + value);
    const inline = (value: string) =>
      gateway.includes("overlay: {") ? gateway.replace("overlay: {", `overlay: {access: ${value}, `) : access(value);
    assertEquals(await asked(gateway), "access: [tcp/22]");
    assertEquals(await asked(inline("[udp/53]"), "10.5.9.9", 2222), "access: [udp/53, tcp/2222]");
    assertEquals(await asked(inline("[tcp/22]")), undefined);
    assertEquals(await asked(inline("all")), undefined);
    // Not by the overlay, and in IPv6, which is left alone over a link.
    assertEquals(await asked(gateway, "192.0.2.1"), undefined);
    assertEquals(await asked(gateway, "2001:db8::9"), undefined);
  },
});
