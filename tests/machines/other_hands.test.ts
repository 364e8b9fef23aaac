import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { diffSnapshots, Lab, snapshot, until } from "../rig/mod.ts";
import { pairOf, upOnBoth } from "./pair.ts";
import {
  answersWithin,
  assertAnswers,
  assertNothingToDo,
  assertSilent,
  chaptersOf,
  CONFIG,
  crxn,
  INTERFACE_GATEWAY,
  sceneOf,
  someDebians,
} from "./story.ts";

// What others do to a gateway: they edit its files, override its units, upgrade its packages, and boot it in bad times.

/** From now on the uplink comes late in a boot, and yggdrasil takes its time. */
const BAD_TIMES = `cd /etc/systemd/system
sed -e '/^Before=network/d; /^Wants=network/d; s/^Type=.*/&\\nExecStartPre=\\/bin\\/sleep 8/' rig-network.service >rig-late.service
rm network-online.target.wants/rig-network.service multi-user.target.wants/rig-network.service
ln -s ../rig-late.service multi-user.target.wants/
printf '[Service]\\nExecStartPre=/bin/sleep 6\\n' >yggdrasil.service.d/slow.conf`;

const GOOD_TIMES = `cd /etc/systemd/system
rm rig-late.service multi-user.target.wants/rig-late.service yggdrasil.service.d/slow.conf
ln -s ../rig-network.service network-online.target.wants/
ln -s ../rig-network.service multi-user.target.wants/
systemctl daemon-reload`;

for (const debian of someDebians("other hands")) {
  Deno.test(`other hands on a gateway: edited files and overrides, ${debian}`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const { client, gw } = await sceneOf(lab, { debian, image: "ready" });
    await crxn(gw, "up --yes");
    await assertAnswers(client);
    const kept = () => gw.must("find /etc -name '*.edited-*' | sort");

    await chapter("an edited file is shown as a diff, and kept beside what is written anew", async () => {
      await gw.must("sed -i '$a # by hand' /etc/tayga/ygg.conf; chmod 640 /etc/tayga/ygg.conf");
      const { stdout } = await crxn(gw, "up --dry-run", 2);
      assertMatch(
        stdout,
        /ygg\.conf, which somebody has edited: that is kept as \/etc\/tayga\/ygg\.conf\.edited-\d+T\d+/,
      );
      assertMatch(stdout, /-# by hand/);
      assertEquals(await kept(), "");
      await crxn(gw, "up --yes");
      const [path = ""] = (await kept()).trim().split("\n");
      assertStringIncludes(await gw.read(path), "# by hand");
      assertEquals(await gw.must(["stat", "-c", "%a", path]), "640\n");
      await answersWithin(5, client);
      await assertNothingToDo(gw);
    });
    await chapter("a changed config is no edit of anybody's", async () => {
      await gw.must("find /etc -name '*.edited-*' -delete");
      await gw.write(CONFIG, INTERFACE_GATEWAY + "nat64: {mss: 1300}\n");
      await crxn(gw, "up --yes");
      await gw.write(CONFIG, INTERFACE_GATEWAY);
      await crxn(gw, "up --yes");
      assertEquals(await kept(), "");
    });
    await chapter("overrides of `systemctl edit` stay, and are in force", async () => {
      const folder = "/etc/systemd/system/tayga@ygg.service.d";
      await gw.must(
        `mkdir -p ${folder} && printf '[Service]\\nNice=7\\n' >${folder}/override.conf && systemctl daemon-reload`,
      );
      await assertNothingToDo(gw);
      await gw.write(CONFIG, INTERFACE_GATEWAY + "nat64: {pool: 100.65.0.0/16}\n");
      await crxn(gw, "up --yes");
      assertEquals(await gw.must(["systemctl", "show", "-P", "Nice", "tayga@ygg"]), "7\n");
      await answersWithin(5, client);
      await crxn(gw, "down --yes");
      assertEquals(await gw.must(["cat", `${folder}/override.conf`]), "[Service]\nNice=7\n");
      await assertSilent(client);
    });
  });

  Deno.test(`other hands on a gateway: upgraded packages, and a boot in bad times, ${debian}`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const { client, gw, node, order } = await pairOf(lab, { debian, tunnel: "vxlan", image: "ready" });
    await gw.reboot();
    const untouched = await snapshot(gw);
    await chapter(
      "a masked daemon, and configs that are links elsewhere: as they were, by down and by undo.sh",
      async () => {
        const key = await gw.must("yggdrasil -genconf -json | grep -o '[0-9a-f]\\{128\\}'");
        await gw.must(`systemctl mask -q yggdrasil; ln -s /dev/null /etc/systemd/system/tayga@ygg.service
mkdir /root/dotfiles && echo '{ PrivateKey: "${key.trim()}", Peers: [] }' >/root/dotfiles/ygg.conf
ln -s ../../root/dotfiles/ygg.conf /etc/yggdrasil/yggdrasil.conf`);
        const masked = await snapshot(gw);
        await upOnBoth({ order });
        assertEquals(await gw.must(["systemctl", "is-active", "yggdrasil", "tayga@ygg"]), "active\nactive\n");
        await crxn(gw, "down --yes");
        assertEquals(diffSnapshots(masked, await snapshot(gw)), "");
        await crxn(gw, "up --yes");
        await gw.must("sh /var/lib/crxn/undo.sh");
        assertEquals(diffSnapshots(masked, await snapshot(gw)), "");
        await gw.must(`systemctl unmask -q yggdrasil tayga@ygg; rm -r /root/dotfiles /etc/yggdrasil/yggdrasil.conf`);
      },
    );
    const before = await snapshot(gw);
    assertEquals(diffSnapshots(untouched, before), "");
    await upOnBoth({ order });
    // The other node has dialled in vain for a while: it waits longer each time (yggdrasil 0.4: up to a minute).
    await answersWithin(75, client);

    await chapter("tayga, yggdrasil and systemd's own are installed once more, as an upgrade does it", async () => {
      const install = "DEBIAN_FRONTEND=noninteractive apt-get install -y -q --reinstall tayga yggdrasil iptables";
      await gw.must(`apt-get update -q && ${install}`, { timeoutSeconds: 180 });
      await answersWithin(75, client);
      await assertNothingToDo(gw);
      assertEquals((await gw.run(["systemctl", "is-system-running"])).stdout, "running\n");
    });
    await chapter("a boot with the uplink late, yggdrasil slow, and no peer", async () => {
      await gw.must(BAD_TIMES);
      await node.must(["systemctl", "stop", "yggdrasil"]);
      await gw.reboot();
      await assertSilent(client);
      await node.must(["systemctl", "start", "yggdrasil"]);
      await answersWithin(75, client);
      await until("all to have booted", 30, async () => {
        const { stdout } = await gw.run(["systemctl", "is-system-running"]);
        return stdout === "running\n" || undefined;
      });
      await gw.must(GOOD_TIMES);
      await gw.reboot();
      await answersWithin(75, client);
      await assertNothingToDo(gw);
    });
    await chapter("down, after all that", async () => {
      await crxn(gw, "down --yes");
      await assertSilent(client);
      assertEquals(diffSnapshots(before, await snapshot(gw)), "");
    });
  });
}
