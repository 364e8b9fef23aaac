import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { installer } from "../../.ci/release.ts";
import { versionLine } from "../../commands/version.ts";
import { needsBinary, pushDeb, unbuilt } from "../rig/release.ts";
import { diffSnapshots, installProduct, Lab, type Machine, snapshot } from "../rig/mod.ts";
import {
  assertAnswers,
  assertNothingToDo,
  assertSilent,
  chaptersOf,
  CONFIG,
  crxn,
  DEBIANS,
  HOST,
  INTERFACE_GATEWAY,
  removeProduct,
  sceneOf,
} from "./story.ts";

// The Debian package on machines: it comes, works, and goes, and the gateway does not go with it.

const DEB = "/root/crxn.deb";
const METRICS = "/var/lib/crxn.prom";

/** Files and folders of the package that are on the machine. */
const left = async (machine: Machine, files: string[]) =>
  (await machine.must(["sh", "-c", 'for f in "$@"; do [ ! -e "$f" ] || echo "$f"; done', "sh", ...files])).trim();

for (const debian of DEBIANS) {
  Deno.test({
    name: `the Debian package on a ${debian}${needsBinary}`,
    ignore: unbuilt !== undefined,
    fn: async (t) => {
      const chapter = chaptersOf(t);
      await using lab = await Lab.create();
      const { client, gw } = await sceneOf(lab, { debian, image: "ready" });
      await removeProduct(gw);
      await pushDeb(gw, DEB);
      const before = await snapshot(gw);
      let files: string[] = [];

      await chapter("dpkg -i: crxn is there, and nothing of the machine is changed", async () => {
        await gw.must(["dpkg", "-i", DEB]);
        assertEquals((await gw.must("command -v crxn")).trim(), "/usr/bin/crxn");
        assertEquals(await gw.must(["stat", "-c", "%a %U:%G", "/usr/bin/crxn"]), "755 root:root\n");
        assertMatch(
          await gw.must(["crxn", "--version"]),
          new RegExp(`^${versionLine().replace(/ \(.*/, "")} \\(.+\\)\n$`),
        );
        assertEquals(await gw.must(["dpkg", "--verify", "crxn"]), "");
        files = (await gw.must(["dpkg", "-L", "crxn"])).trim().split("\n").filter((path) => /crxn/.test(path));
        assert(files.includes("/usr/share/man/man1/crxn-up.1.gz") && files.includes("/usr/share/doc/crxn/copyright"));
        const changed = diffSnapshots(before, await snapshot(gw), { ignoreInstalledPackages: true });
        assertEquals(changed, "", "units, rules, routes, configs");
      });
      await chapter("install.sh leaves the package's crxn alone", async () => {
        const { code, stderr } = await gw.run(["sh"], { input: installer("http://192.0.2.1:9") });
        assertEquals(code, 1);
        assertMatch(stderr, /is installed as a Debian package here\.\n.*apt install/);
        assertEquals(await gw.must("ls -A /usr/local/bin"), "");
      });
      await chapter("up --confirm: while it waits the package stays, for it has to take things back", async () => {
        await assertSilent(client);
        await crxn(gw, `up --yes --confirm 600 --target ${HOST}`);
        await assertAnswers(client);
        const { code, stderr } = await gw.run(["dpkg", "--remove", "crxn"]);
        assertEquals(code, 1, stderr);
        assertMatch(stderr, /waits for `crxn confirm`[\s\S]*Run `crxn confirm` from a new session, or `crxn down`/);
        await assertAnswers(client);
        await crxn(gw, "confirm");
      });
      await chapter("the same package once more: the gateway does not notice", async () => {
        await gw.must(["dpkg", "-i", DEB]);
        await assertNothingToDo(gw);
      });
      await chapter(
        "beside one of install.sh, which waits for `crxn confirm` and mends: it says when that may go",
        async () => {
          const installs = async () => (await gw.run(["dpkg", "-i", DEB])).stderr;
          await installProduct(gw);
          await gw.write(CONFIG, `${INTERFACE_GATEWAY}upkeep:\n  mend: 1day\n  metrics: ${METRICS}\n`);
          await crxn(gw, "up --yes --confirm 600");
          assertMatch(
            await installs(),
            /Do not remove it before `crxn confirm`[^]*Then:\nrm \/usr\/local\/bin\/crxn, and at once \/usr\/bin\/crxn up:/,
          );
          await crxn(gw, "confirm");
          const said = await installs();
          assertMatch(
            said,
            /what a shell finds first\.\nrm \/usr\/local\/bin\/crxn, and at once \/usr\/bin\/crxn up:/,
          );
          // As it says. What the timers call is there again.
          await removeProduct(gw);
          await crxn(gw, "up --yes");
          for (const unit of ["crxn-mend", "crxn-metrics"]) {
            assertStringIncludes(await gw.read(`/etc/systemd/system/${unit}.service`), '\nExecStart="/usr/bin/crxn" ');
            await gw.must(["systemctl", "start", `${unit}.service`]);
          }
          assertStringIncludes(await gw.must("journalctl -b -o cat -u crxn-metrics"), "Finished crxn-metrics.service");
          assert(!(await installs()).includes("/usr/local"));
          await assertAnswers(client);
        },
      );
      await chapter("removed: the gateway stays, and it says how to take that back", async () => {
        const argv = debian === "bookworm" ? ["apt-get", "remove", "-qy", "crxn"] : ["dpkg", "-P", "crxn"];
        const { code, stdout, stderr } = await gw.run(argv, { env: { DEBIAN_FRONTEND: "noninteractive" } });
        assertEquals(code, 0, stderr);
        assertMatch(
          stdout + stderr,
          /the gateway stays as it is[\s\S]*`crxn down`[\s\S]*sh \/var\/lib\/crxn\/undo\.sh[\s\S]*crxn-mend\.timer calls crxn: nothing is mended any more[\s\S]*crxn-metrics\.timer/,
        );
        await assertAnswers(client);
        await gw.must("! command -v crxn");
      });
      await chapter("purged: no file of the package is left", async () => {
        if (debian === "bookworm") await gw.must(["dpkg", "-P", "crxn"]);
        assert(files.length > 15);
        assertEquals(await left(gw, files), "");
        assertEquals((await gw.run(["dpkg-query", "-W", "crxn"])).code, 1);
      });
      await chapter("undo.sh, then nothing of the gateway is left either", async () => {
        await gw.must(["sh", "/var/lib/crxn/undo.sh"]);
        await gw.write(CONFIG, INTERFACE_GATEWAY);
        await assertSilent(client);
        assertEquals(diffSnapshots(before, await snapshot(gw)), "");
      });
      await chapter("beside one of install.sh it says so; without a gateway it goes without a word", async () => {
        await gw.write("/usr/local/bin/crxn", "");
        assertMatch((await gw.run(["dpkg", "-i", DEB])).stderr, /finds first\.\nrm \/usr\/local\/bin\/crxn\n/);
        await removeProduct(gw);
        assert(!(await gw.run(["dpkg", "-i", DEB])).stderr.includes("/usr/local"));
        const { stdout, stderr } = await gw.run(["dpkg", "-P", "crxn"]);
        assert(!`${stdout}${stderr}`.includes("gateway"), stdout + stderr);
        assertStringIncludes(stdout, "Removing crxn");
        assertEquals(await left(gw, files), "");
      });
    },
  });
}
