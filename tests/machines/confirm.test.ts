import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { diffSnapshots, ensureRequirements, Lab, type Machine, type Namespace, snapshot, until } from "../rig/mod.ts";
import type { Output } from "../rig/mod.ts";
import {
  answersWithin,
  assertAnswers,
  assertNothingToDo,
  assertSilent,
  chaptersOf,
  checked,
  CONFIG,
  crxn,
  INTERFACE_GATEWAY,
  sceneOf,
  someDebians,
} from "./story.ts";

// `up --confirm` over real SSH: a change that cuts the session it came from is taken back by itself.

/** A mistake: what the operator comes from is sent into the overlay. */
const CUTTING = INTERFACE_GATEWAY + "    - to: 198.51.100.0/24\n";

/** Runs a command line on the machine over SSH, each time by a connection of its own. */
type Ssh = (command: string, options?: { terminal?: string; by?: string }) => Promise<Output>;

/** An SSH server on the machine, and a key for the client. */
async function sshInto(gw: Machine, client: Namespace): Promise<Ssh> {
  await ensureRequirements([{ file: "/usr/bin/ssh", package: "openssh-client" }]);
  const folder = await Deno.makeTempDir({ prefix: "crxn-ssh-" });
  globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
  await client.must(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", `${folder}/key`]);
  await gw.must(
    "apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends openssh-server",
    {
      timeoutSeconds: 180,
    },
  );
  await gw.must("mkdir -p /root/.ssh; chmod 700 /root/.ssh; systemctl start ssh");
  await gw.write("/root/.ssh/authorized_keys", await Deno.readTextFile(`${folder}/key.pub`), 0o600);
  const options = ["BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"];
  const alive = ["ConnectTimeout=3", "ServerAliveInterval=1", "ServerAliveCountMax=2"];
  return (command, { terminal, by = gw.uplink.ipv6 } = {}) =>
    client.run(
      [
        ..."ssh -F /dev/null -i".split(" "),
        `${folder}/key`,
        ...[...options, ...alive].flatMap((o) => ["-o", o]),
        ...(terminal === undefined ? [] : ["-tt"]),
        `root@${by}`,
        command,
      ],
      { timeoutSeconds: 60, ...(terminal === undefined ? {} : { input: terminal }) },
    );
}

for (const debian of someDebians("crxn confirm over SSH")) {
  Deno.test(`crxn up --confirm: over SSH, ${debian}`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const { client, gw } = await sceneOf(lab, { debian, image: "ready" });
    const ssh = await sshInto(gw, client);
    const before = await snapshot(gw);
    const same = async (why: string) => assertEquals(diffSnapshots(before, await snapshot(gw)), "", why);
    const waits = async () => (await gw.run(["test", "-e", "/var/lib/crxn/confirm.json"])).code === 0;
    const timers = () => gw.must("ls /etc/systemd/system | grep -c crxn-confirm || true");
    const ended = () =>
      until("its unit to end", 15, async () => {
        const active = await gw.must("systemctl show -P ActiveState crxn-confirm");
        return (active === "inactive\n" && await timers() === "0\n") || undefined;
      });
    const by4 = { by: gw.uplink.ipv4 };

    await chapter("it is armed by itself, after saying so, where a person would be cut off", async () => {
      const { code, stdout } = await ssh("crxn up", { terminal: "n\n" });
      assertEquals(code, 1, stdout);
      assertMatch(stdout, /This session comes by eth0, and what will be done could cut it\./);
      assertMatch(stdout, /Unless `crxn confirm` comes from a new session within 120 s/);
      await same("nothing was done");
      // Not where a script says --yes, nor on the machine's own console.
      const quiet = await ssh("crxn up --yes", { terminal: "" });
      assertEquals([quiet.code, quiet.stdout.includes("crxn confirm"), await waits()], [0, false, false], quiet.stdout);
      await crxn(gw, "down --yes");
      const console = await gw.sh("echo n | script -qec 'crxn up' /dev/null");
      assertStringIncludes(console.stdout, "Do it?");
      assert(!console.stdout.includes("crxn confirm"), console.stdout);
      await same("nothing is left");
    });
    await chapter(
      "a change that cuts the session: it takes itself back, and the machine can be reached again",
      async () => {
        await gw.write(CONFIG, CUTTING);
        const cut = await ssh("crxn up --confirm 8", { ...by4, terminal: "y\n" });
        assert(cut.code !== 0, `the session was to be cut: ${cut.stdout}`);
        assert((await ssh("true", by4)).code !== 0, "the machine can still be reached");
        assert(await waits());
        await until("a new session", 30, async () => (await ssh("true", by4)).code === 0 || undefined);
        await until("it to be taken back", 10, async () => !(await waits()) || undefined);
        await ended();
        await same("after it took itself back");
        assertMatch(await gw.must("journalctl -u crxn-confirm -o cat"), /Nobody has confirmed within 8 s/);
      },
    );
    await chapter("confirmed from a new session it stays; from the same one it is refused", async () => {
      await gw.write(CONFIG, INTERFACE_GATEWAY);
      const first = checked(gw, "up", await ssh("crxn up --yes --confirm 60; crxn confirm"), 1);
      assertMatch(first.stdout, /NOT CONFIRMED YET: run `crxn confirm` from a new session until \d\d:\d\d:\d\d/);
      assertStringIncludes(first.stderr, "This is the session that `crxn up` came from");
      const hidden = await ssh("crxn up --yes --confirm 60 >/dev/null; env -u SSH_CONNECTION crxn confirm");
      assertEquals(hidden.code, 0, "`up` came from an earlier session, and nothing has changed since");
      const again = await ssh("crxn confirm");
      assertEquals([again.code, /Nothing waits/.test(again.stderr)], [1, true]);
      assertEquals([await waits(), await timers()], [false, "0\n"]);
      await assertAnswers(client);
      await assertNothingToDo(gw);
    });
    await chapter("sudo takes the session's variable away, and it is still the same session", async () => {
      await gw.write(CONFIG, INTERFACE_GATEWAY + "nat64: {mss: 1234}\n");
      const said = await ssh("crxn up --yes --confirm 60 --json; env -i PATH=$PATH crxn confirm; exit $?");
      assertEquals(said.code, 1, said.stderr);
      assertEquals(JSON.parse(said.stdout).confirm.seconds, 60);
      assertMatch((await ssh("crxn status")).stdout, /NOT CONFIRMED YET/);
      assertEquals(JSON.parse((await ssh("crxn status --json")).stdout).confirm.seconds, 60);
      assertEquals(JSON.parse((await ssh("crxn confirm --json")).stdout).confirmed, true);
      assertStringIncludes(await gw.must("ip6tables-save -t mangle"), "--set-mss 1234");
    });
    await chapter("a changed gateway goes back to what it was, also after a second change", async () => {
      await gw.write(CONFIG, INTERFACE_GATEWAY + "nat64: {mss: 1300}\n");
      await crxn(gw, "up --yes --confirm 60");
      await gw.write(CONFIG, INTERFACE_GATEWAY.replace("10.5.0.1", "10.5.0.2") + "nat64: {pool: 100.65.0.0/16}\n");
      await crxn(gw, "up --yes --confirm 5");
      await answersWithin(5, client);
      await until("it to be taken back", 30, async () => !(await waits()) || undefined);
      await ended();
      await gw.write(CONFIG, INTERFACE_GATEWAY + "nat64: {mss: 1234}\n");
      await assertNothingToDo(gw);
      await answersWithin(5, client);
    });
    await chapter("the power goes while it waits: taken back after the boot", async () => {
      await crxn(gw, "down --yes");
      await same("after down");
      await crxn(gw, "up --yes --confirm 12");
      await gw.reboot({ crash: true });
      assert(await waits(), "it does not wait any more");
      await until("it to be taken back", 40, async () => !(await waits()) || undefined);
      await ended();
      await assertSilent(client);
      assertEquals(await gw.must("ls -A /var/lib/crxn 2>/dev/null || true"), "");
    });
    await chapter("a failed up leaves nothing armed, and down disarms", async () => {
      const rebooted = await snapshot(gw);
      await gw.must("mv /usr/sbin/tayga /usr/sbin/tayga.real");
      await gw.write("/usr/sbin/tayga", "#!/bin/sh\necho 'no translation on a Sunday' >&2; exit 1\n", 0o755);
      await crxn(gw, "up --yes --confirm 60", 1);
      assertEquals([await waits(), await timers()], [false, "0\n"]);
      await gw.must("mv /usr/sbin/tayga.real /usr/sbin/tayga");
      await crxn(gw, "up --yes --confirm 60");
      assert(await waits());
      await crxn(gw, "down --yes");
      assertEquals(diffSnapshots(rebooted, await snapshot(gw)), "");
    });
    await chapter("no time is no time, and nothing is nothing to confirm", async () => {
      await crxn(gw, "up --yes --confirm 0", 64);
      await crxn(gw, "confirm", 1);
    });
    await chapter("crxn where it may be gone by then is refused", async () => {
      if (Deno.env.get("CRXN_BIN")) await gw.must("cp /usr/local/bin/crxn /tmp/crxn");
      // The sources are where their main module is, wherever the script is that starts it.
      else {await gw.must(
          "cp /opt/crxn/crxn-*.js /tmp/; sed 's,/opt/crxn/crxn-,/tmp/crxn-,' /usr/local/bin/crxn >/tmp/crxn; chmod 755 /tmp/crxn",
        );}
      const { stderr } = checked(gw, "up", await gw.run(["/tmp/crxn", "up", "--yes", "--confirm"]), 69);
      assertMatch(stderr, /\/tmp\/crxn\S* may be gone by then/);
    });
  });
}
