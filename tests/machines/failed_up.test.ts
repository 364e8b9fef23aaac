import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { diffSnapshots, Lab, snapshot } from "../rig/mod.ts";
import { answersWithin, assertSilent, chaptersOf, crxn, HOST, sceneOf, someDebians } from "./story.ts";

/** In tayga's place: fails at what matches `pattern`, is tayga otherwise. */
const broken = (pattern: string) =>
  `#!/bin/sh\ncase "$*" in ${pattern}) echo "no translation on a Sunday" >&2; exit 1;; esac\nexec /usr/sbin/tayga.real "$@"\n`;

for (const debian of someDebians("an up that fails")) {
  Deno.test(`crxn up: fails on a ${debian}, says why, and leaves nothing behind`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const { client, gw } = await sceneOf(lab, { debian, image: "ready" });
    await gw.must(["cp", "/usr/sbin/tayga", "/usr/sbin/tayga.real"]);
    const before = await snapshot(gw);

    await chapter("tayga cannot make its device", async () => {
      await gw.write("/usr/sbin/tayga", broken("*--mktun*"), 0o755);
      const { stdout, stderr } = await crxn(gw, "up --yes", 1);
      assertStringIncludes(stderr, "no translation on a Sunday");
      assertMatch(stderr, /`tayga --mktun --config \S+` ended with code 1/);
      assertEquals(stdout, "");
      assertEquals(diffSnapshots(before, await snapshot(gw)), "");
    });
    await chapter("a program that up needs fails: iptables-restore", async () => {
      await gw.must("mv /usr/sbin/tayga.real /usr/sbin/tayga; cp /usr/sbin/tayga /usr/sbin/tayga.real");
      await gw.must(["mv", "/usr/sbin/ip6tables-restore", "/usr/sbin/ip6tables-restore.real"]);
      await gw.write("/usr/sbin/ip6tables-restore", "#!/bin/sh\necho 'no rules on a Sunday' >&2\nexit 1\n", 0o755);
      const { stderr } = await crxn(gw, "up --yes", 1);
      assertStringIncludes(stderr, "no rules on a Sunday");
      await gw.must(["mv", "/usr/sbin/ip6tables-restore.real", "/usr/sbin/ip6tables-restore"]);
      assertEquals(diffSnapshots(before, await snapshot(gw)), "");
    });
    await chapter("tayga starts and dies: up names the unit and does not call it done", async () => {
      await gw.write("/usr/sbin/tayga", broken("*odetach*|*-n*"), 0o755);
      const { stdout, stderr } = await crxn(gw, "up --yes", 1);
      assertStringIncludes(stdout + stderr, "tayga@ygg.service");
      await assertSilent(client);
    });
    await chapter("mended, the next up carries on", async () => {
      await gw.must(["mv", "/usr/sbin/tayga.real", "/usr/sbin/tayga"]);
      await crxn(gw, `up --yes --target ${HOST}`);
      await answersWithin(5, client);
      await crxn(gw, "down --yes");
      assertEquals(diffSnapshots(before, await snapshot(gw)), "");
    });
  });

  Deno.test(`crxn up: apt fails in its midst on a ${debian}; mended, the next up carries on`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const { client, gw } = await sceneOf(lab, { debian });
    const before = await snapshot(gw);

    await chapter("dpkg cannot configure what it has unpacked", async () => {
      await gw.must("mv /usr/bin/dpkg /usr/bin/dpkg.real");
      await gw.write(
        "/usr/bin/dpkg",
        `#!/bin/sh\ncase "$*" in *--configure*) echo "no packages on a Sunday" >&2; exit 1;; esac\nexec /usr/bin/dpkg.real "$@"\n`,
        0o755,
      );
      const { stderr } = await crxn(gw, "up --yes", 69);
      assertMatch(stderr, /apt/);
      assertMatch(stderr, /no packages on a Sunday|Sub-process \/usr\/bin\/dpkg returned an error code/);
      await assertSilent(client);
      // Nothing of the gateway has been made.
      assertEquals(await gw.must("ls /etc/systemd/system /etc/sysctl.d | grep crxn || true"), "");
      assertEquals(await gw.must("grep -c '\"did\"' /var/lib/crxn/journal.jsonl || true"), "0\n");
    });
    await chapter("mended, the next up carries on, and down --purge removes all of it", async () => {
      await gw.must("mv /usr/bin/dpkg.real /usr/bin/dpkg");
      await crxn(gw, `up --yes --target ${HOST}`);
      await answersWithin(5, client);
      await crxn(gw, "down --yes --purge");
      assertEquals((await snapshot(gw)).packages, before.packages);
      await gw.must("test ! -e /var/lib/crxn");
    });
  });
}
