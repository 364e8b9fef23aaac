import { assertEquals, assertStringIncludes } from "@std/assert";
import { daemon } from "../rig/daemons.ts";
import { diffSnapshots, Lab, snapshot } from "../rig/mod.ts";
import { lostWhile, typedOver } from "../machines/by_hand.ts";
import { pairOf, upOnBoth } from "../machines/pair.ts";
import {
  answersWithin,
  assertNothingToDo,
  assertSilent,
  chaptersOf,
  CONFIG,
  crxn,
  killAndWait,
  MAPPED,
  someDebians,
  steadyWithin,
} from "../machines/story.ts";

// The operator's notes to the letter: yggdrasil 0.3 with tunnel routing, `systemctl edit` for it and for tayga.

const YGGDRASIL = `
cp /root/notes.conf /etc/yggdrasil/yggdrasil.conf
chgrp yggdrasil /etc/yggdrasil/yggdrasil.conf && chmod 640 /etc/yggdrasil/yggdrasil.conf
mkdir -p /etc/systemd/system/yggdrasil.service.d
cat >/etc/systemd/system/yggdrasil.service.d/override.conf <<'END'
[Service]
ExecStart=
ExecStart=/usr/local/sbin/yggdrasil-of-mine -useconffile /etc/yggdrasil/yggdrasil.conf
ExecStartPost=/bin/sh -c 'until ip link show dev ygg up >/dev/null 2>&1; do sleep 0.1; done'
ExecStartPost=+/usr/sbin/ip addr add 10.5.0.1/32 dev ygg
ExecStartPost=+/usr/sbin/ip route add 10.0.0.0/8 dev ygg
END
systemctl daemon-reload
systemctl enable -q --now yggdrasil
`;

for (const debian of someDebians("the operator's notes, taken over")) {
  Deno.test(`crxn init --import: yggdrasil 0.3 with tunnel routing, typed from the notes, ${debian}`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const program = await daemon("yggdrasil-0.3.16");
    const pair = await pairOf(lab, { debian, image: "ready", tunnel: "auto", dials: "gw", daemon: program });
    const { client, gw } = pair;
    await assertSilent(client);
    await upOnBoth(pair);
    await answersWithin(30, client);
    // The config that an operator has written by hand; from here on nothing on this machine is crxn's.
    await gw.must(["cp", "/etc/yggdrasil/yggdrasil.conf", "/root/notes.conf"]);
    await crxn(gw, "down --yes");
    await gw.must(["rm", CONFIG]);
    await assertSilent(client);
    await gw.must(YGGDRASIL);
    await gw.must(typedOver("ygg"));
    await answersWithin(75, client);
    await steadyWithin(30, client, MAPPED);
    const before = await snapshot(gw);

    await chapter("the config that describes it: yggdrasil stays its operator's", async () => {
      const { stdout, stderr } = await crxn(gw, "init --import --yes");
      assertStringIncludes(await gw.read(CONFIG), "interface: ygg\n");
      assertStringIncludes(stderr, "ygg seems to be yggdrasil's");
      assertStringIncludes(stderr, "nothing is interrupted");
      assertStringIncludes(stdout, "crxn up");
    });
    await chapter("up takes it over, and none of fifty pings a second is lost", async () => {
      assertEquals(await lostWhile(client, () => crxn(gw, "up --yes")), 0);
      await assertNothingToDo(gw);
      await crxn(gw, "doctor --skip probe");
    });
    await chapter("yggdrasil killed: its device is a new one, and crxn follows it", async () => {
      await killAndWait(gw, "yggdrasil", 75, client);
      await steadyWithin(30, client, MAPPED);
      await crxn(gw, "up --dry-run");
    });
    await chapter("down gives it back, and none is lost either", async () => {
      assertEquals(await lostWhile(client, () => crxn(gw, "down --yes")), 0);
      await gw.must(["rm", CONFIG]);
      const changed = diffSnapshots(before, await snapshot(gw)).split("\n").filter((line) => /^ +[-+]/.test(line));
      // The device of the killed daemon had another link-local address.
      assertEquals(changed.filter((line) => !/fe80::|dynamic\.map/.test(line)), []);
    });
  });
}
