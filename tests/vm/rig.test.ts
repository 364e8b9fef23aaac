import { assert, assertEquals, assertMatch } from "@std/assert";
import { Lab, ping, until } from "../rig/mod.ts";
import { sha256 } from "../rig/paths.ts";
import { remains } from "../rig/removal.ts";

Deno.test("Lab: nothing is left of a virtual machine when its process is killed", async () => {
  const script = new URL("hold_vm.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), { args: ["run", "-A", "--no-lock", script], stdout: "piped" })
    .spawn();
  const reader = child.stdout.getReader();
  const id = new TextDecoder().decode((await reader.read()).value).trim();
  const there = await remains(id);
  assert(there.some((line) => /^process .*qemu-system/.test(line)), `there is a QEMU: ${there.join("\n")}`);
  child.kill("SIGKILL");
  await child.status;
  await reader.cancel();
  await until("the reaper", 30, async () => (await remains(id)).length === 0 || undefined);
});

Deno.test("VirtualMachine: its own kernel, the rig's network, and the way in that needs none", async (t) => {
  await using lab = await Lab.create();
  const net = await lab.internet();
  const client = await net.client();
  const machine = await lab.virtualMachine("gw", { debian: "bookworm", uplink: net });
  await machine.start();
  await t.step("Debian's cloud kernel", async () => {
    assertMatch(await machine.must(["uname", "-r"]), /-cloud-amd64\n$/);
    assertEquals(await machine.must(["hostname"]), "gw\n");
  });
  await t.step("programs: exit code, both outputs, environment, limit", async () => {
    const output = await machine.sh("echo out; echo err >&2; exit 7", {});
    assertEquals(output, { code: 7, stdout: "out\n", stderr: "err\n" });
    assertEquals(
      await machine.must("echo $X $PATH", { env: { X: "ü" } }).then((text) => text.split(":")[0]),
      "ü /usr/local/sbin",
    );
    assertEquals((await machine.run(["sleep", "60"], { timeoutSeconds: 1 })).code, 124);
    assertEquals((await machine.run(["/does/not/exist"])).code, 127);
  });
  await t.step("files of any bytes, in both directions", async () => {
    const bytes = new Uint8Array(1_000_000).map((_, i) => (i * 7919) >> 3);
    await machine.write("/tmp/new/file", bytes, 0o600);
    assertEquals(
      await machine.must(["sha256sum", "/tmp/new/file"]),
      `${await sha256(bytes)}  /tmp/new/file\n`,
    );
    assertEquals(await machine.must(["stat", "-c", "%a", "/tmp/new/file"]), "600\n");
  });
  await t.step("it is reached from the Internet, and reaches it", async () => {
    assertEquals((await ping(client, machine.uplink.ipv6, { deadline: 30 })).received, 3);
    assertEquals((await ping(client, machine.uplink.ipv4, { deadline: 30 })).received, 3);
    assertEquals((await ping(machine, "2001:db8:c::2", { deadline: 30 })).received, 3);
  });
  await t.step("without a network it still takes commands; off, it does not answer", async () => {
    await machine.must(["ip", "link", "set", "eth0", "down"]);
    assertEquals((await ping(client, machine.uplink.ipv6, { count: 1 })).received, 0);
    assertEquals(await machine.must(["hostname"]), "gw\n");
    await machine.stop();
    assertEquals(await net.run(["ip", "link", "show", "dev", "m-gw"]).then(({ code }) => code), 1);
  });
});
