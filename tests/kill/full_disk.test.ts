import { assert, assertEquals, assertMatch } from "@std/assert";
import { diffSnapshots, Lab, type Machine, type Snapshot, snapshot } from "../rig/mod.ts";
import {
  answersWithin,
  assertNothingToDo,
  assertSilent,
  crxn,
  DEBIANS,
  INTERFACE_GATEWAY,
  sceneOf,
} from "../machines/story.ts";
import { chosen } from "./mortal_machine.ts";

// A full disk: `up` says so, and leaves the machine as it was; `down` works all the same.

/** Where crxn writes. */
const FOLDERS = ["/etc/sysctl.d", "/etc/crxn", "/etc/tayga", "/etc/systemd/system", "/var/lib/crxn"];

/** KiB. */
const SIZE = 16 * 1024;
const RESERVE = 128;

/** Puts folders, with what is in them, onto a file system of their own, one for all. */
async function ontoOwnDisk(gw: Machine, folders: string[]): Promise<void> {
  await gw.must(`mkdir -p /mnt/small && mount -t tmpfs -o size=${SIZE}k,mode=755 small /mnt/small`);
  for (const folder of folders) {
    const copy = `/mnt/small${folder}`;
    await gw.must(`mkdir -p ${folder} ${copy} && cp -a ${folder}/. ${copy}/ && mount --bind ${copy} ${folder}`);
  }
}

async function takeAway(gw: Machine, folders: string[]): Promise<void> {
  await gw.must(
    `umount ${folders.join(" ")} && umount /mnt/small && rmdir /mnt/small`,
  );
}

/** Fills that disk until so many KiB are free. */
async function leaveFree(gw: Machine, kib: number): Promise<void> {
  await gw.must("rm -f /mnt/small/filler");
  const free = Number((await gw.must("df --output=avail -k /mnt/small | tail -n 1")).trim());
  await gw.must(["fallocate", "-l", `${free - kib}K`, "/mnt/small/filler"]);
}

for (const debian of DEBIANS) {
  Deno.test(`crxn on a full disk, ${debian}`, async (t) => {
    await using lab = await Lab.create();
    const { client, gw } = await sceneOf(lab, { debian, image: "ready" });
    // A snapshot stays on one file system. crxn's own memory goes with the last of it.
    const look = async (): Promise<[Snapshot, string]> => [
      await snapshot(gw),
      await gw.must(
        `find ${
          FOLDERS.slice(0, -1).join(" ")
        } -printf '%p %m %u:%g %l\\n' -type f -exec sha256sum {} + 2>/dev/null | sort || true`,
      ),
    ];
    await gw.must(["mkdir", "-p", "-m", "755", ...FOLDERS]);
    let before = await look();
    const same = async (why: string) => {
      const now = await look();
      // systemd hears of a mount a little later.
      const ignore = [/^units: \S+\.mount /];
      assertEquals([diffSnapshots(before[0], now[0], { ignore }), now[1]], ["", before[1]], why);
    };
    await assertSilent(client);

    for (const folder of FOLDERS) {
      await t.step(`${folder} is full`, async () => {
        await ontoOwnDisk(gw, [folder]);
        await leaveFree(gw, 0);
        const { stderr } = await crxn(gw, "up --yes", 1);
        assertMatch(stderr, new RegExp(`${folder}/\\S+ cannot be written: no space left on device`));
        assertMatch(stderr, /Free some space/);
        await takeAway(gw, [folder]);
        await same(`after an up with ${folder} full`);
      });
    }
    const bare = before;
    await ontoOwnDisk(gw, FOLDERS);
    before = await look();
    await leaveFree(gw, 1024);
    await crxn(gw, "up --yes");
    // In pages: what lies between "nothing can be written" and "all of it fits".
    const used = 1024 - Number((await gw.must("df --output=avail -k /mnt/small | tail -n 1")).trim());
    await crxn(gw, "down --yes");
    await same("after an up with space enough");
    // Before the first change it makes sure that there is room for the way back.
    const sizes = Array.from({ length: (RESERVE + used) / 4 }, (_, i) => String(i * 4));
    for (const size of chosen(sizes, 6, `full disk, ${debian}`)) {
      await t.step(`${size} KiB are free, of ${RESERVE} + ${used} that it takes`, async () => {
        await leaveFree(gw, Number(size));
        const { stderr } = await crxn(gw, "up --yes", 1);
        assertMatch(stderr, /no space left on device/i);
        await same("after an up that found no space");
        await assertSilent(client);
      });
    }
    await t.step("no space is left for a changed config: the gateway stays what it was", async () => {
      await leaveFree(gw, 1024);
      await crxn(gw, "up --yes");
      let midway = 0;
      for (const more of [-4, 0, 4, 8, 12, 16, 20, 24, 28]) {
        await leaveFree(gw, RESERVE + more);
        await gw.write("/run/changed.yaml", INTERFACE_GATEWAY.replace("10.5.0.1", "10.5.0.2") + "nat64: {mss: 1300}\n");
        const { code, stdout, stderr } = await gw.run(["crxn", "up", "--yes", "--config", "/run/changed.yaml"]);
        assert([0, 1].includes(code), stdout + stderr);
        if (code === 0) break;
        // Some find out before the first change, some in its midst.
        if (stderr.includes("taking back: ")) midway++;
        await answersWithin(5, client);
        await leaveFree(gw, 1024);
        await crxn(gw, "up --dry-run");
      }
      assert(midway > 0, "none has failed in the midst of the change");
    });
    await t.step("down on a full disk takes all of it back", async () => {
      await leaveFree(gw, 1024);
      await crxn(gw, "up --yes");
      await answersWithin(5, client);
      await assertNothingToDo(gw);
      await leaveFree(gw, 0);
      await crxn(gw, "down --yes");
      await assertSilent(client);
      await gw.must("rm -f /mnt/small/filler");
      await takeAway(gw, FOLDERS);
      before = bare;
      await same("after a down on a full disk");
    });
  });
}
