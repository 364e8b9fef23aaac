import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  diffSnapshots,
  ensureRequirements,
  installProduct,
  Lab,
  type Machine,
  run,
  snapshot,
  until,
} from "../rig/mod.ts";
import { assertClutter, clutter } from "../kill/clutter.ts";
import { pairOf, upOnBoth } from "./pair.ts";
import {
  answersWithin,
  assertNothingToDo,
  assertSilent,
  chaptersOf,
  CONFIG,
  crxn,
  INTERFACE_GATEWAY,
  removeProduct,
  sceneOf,
  someDebians,
} from "./story.ts";

// The way back without crxn: /var/lib/crxn/undo.sh.

const UNDO = "/var/lib/crxn/undo.sh";

async function undo(machine: Machine): Promise<string> {
  const { code, stdout, stderr } = await machine.run(["sh", UNDO]);
  assertEquals([code, stderr], [0, ""], stdout);
  return stdout;
}

async function assertShellcheck(script: string): Promise<void> {
  await ensureRequirements([{ file: "/usr/bin/shellcheck", package: "shellcheck" }]);
  const { code, stdout } = await run(["shellcheck", "-"], { input: script });
  assertEquals([code, stdout], [0, ""]);
}

for (const debian of someDebians("undo.sh")) {
  Deno.test(`undo.sh: undoes a gateway without crxn, ${debian}`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const { client, gw } = await sceneOf(lab, { debian, image: "ready" });
    await clutter(gw);
    const before = await snapshot(gw);
    const same = async () => assertEquals(diffSnapshots(before, await snapshot(gw)), "");

    await chapter("after up, and without the binary", async () => {
      await crxn(gw, "up --yes");
      await answersWithin(5, client);
      assertEquals(await gw.must(["stat", "-c", "%a %U", UNDO]), "700 root\n");
      await assertShellcheck(await gw.read(UNDO));
      await removeProduct(gw);
      const said = await undo(gw);
      assertStringIncludes(said, "the machine is as it was");
      await assertSilent(client);
      await installProduct(gw);
      await same();
      await assertClutter(gw, { up: false });
      assertEquals(await gw.must("ls -A /var/lib/crxn 2>/dev/null || true"), "");
    });
    await chapter(
      "after a changed config, with half of it gone already; it can be run again",
      async () => {
        await installProduct(gw);
        await crxn(gw, "up --yes");
        await gw.write(CONFIG, INTERFACE_GATEWAY.replace("10.5.0.1", "10.5.0.2") + "nat64: {mss: 1300}\n");
        await crxn(gw, "up --yes");
        await gw.must(`cp ${UNDO} /run/undo.sh`);
        await gw.must("ip route flush proto 64; ip link del nat64-ygg; rm /etc/tayga/ygg.conf");
        await gw.must("rm /etc/systemd/system/crxn-firewall.service; systemctl daemon-reload");
        await undo(gw);
        await same();
        const again = await gw.run(["sh", "/run/undo.sh"]);
        assertEquals([again.code, again.stderr], [0, ""]);
        await same();
      },
    );
    await chapter("crxn sees that nothing is left, and comes up anew", async () => {
      await gw.write(CONFIG, INTERFACE_GATEWAY);
      assertMatch((await crxn(gw, "down --yes")).stdout, /nothing to take back/i);
      await crxn(gw, "up --yes");
      await answersWithin(5, client);
      await assertNothingToDo(gw);
    });
    await chapter("what does not work is named, and the rest is done", async () => {
      await gw.must("mv /usr/sbin/sysctl /usr/sbin/sysctl.real");
      const { code, stderr } = await gw.run(["sh", UNDO]);
      await gw.must("mv /usr/sbin/sysctl.real /usr/sbin/sysctl");
      assertEquals(code, 1);
      assertMatch(stderr, /FAILED: sysctl/);
      await assertSilent(client);
      await undo(gw);
      await same();
    });
    await chapter("not beside a crxn that is at work", async () => {
      await crxn(gw, "up --yes");
      const { code, stderr } = await gw.run(["flock", "/run/crxn.lock", "sh", UNDO]);
      assertEquals([code, /at work/.test(stderr)], [75, true]);
      await undo(gw);
      await same();
    });
  });
}

Deno.test("undo.sh: a yggdrasil that ran before crxn runs again, with its own file", async (t) => {
  const chapter = chaptersOf(t);
  await using lab = await Lab.create();
  const { client, gw, order } = await pairOf(lab, { debian: "trixie", tunnel: "vxlan", image: "ready" });
  // Its own file, of the node that the other one expects.
  await gw.must(`key=$(cat /var/lib/crxn/yggdrasil.key)
    yggdrasil -genconf | sed "s/^  PrivateKey: .*/  PrivateKey: $key/" >/etc/yggdrasil/yggdrasil.conf
    systemctl enable -q --now yggdrasil`);
  const running = () =>
    until("the daemon's device", 15, async () => {
      const { stdout } = await gw.run("ip -6 address show dev tun0 scope global -tentative".split(" "));
      return stdout.includes("inet6") || undefined;
    });
  await running();
  const before = await snapshot(gw);
  await chapter("up, and undone", async () => {
    await upOnBoth({ order });
    await answersWithin(20, client);
    await undo(gw);
    await assertSilent(client);
    await running();
    // The kernel makes up a link-local address for each new device.
    const ignore = [/"tun0".*fe80::|fe80::.*"tun0"/];
    assertEquals(diffSnapshots(before, await snapshot(gw), { ignore }), "");
    assertEquals(await gw.must(["systemctl", "is-active", "yggdrasil"]), "active\n");
  });
});
