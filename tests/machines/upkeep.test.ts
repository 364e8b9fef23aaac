import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { diffSnapshots, ensureRequirements, installProduct, Lab, type Machine, snapshot, until } from "../rig/mod.ts";
import { promtool } from "./promtool.ts";
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
import { needsBinary, unbuilt } from "../rig/release.ts";

// A gateway that mends itself after other programs, and writes metrics.

const FILE = "/var/lib/prometheus/node-exporter/crxn.prom";
const OTHER = FILE.replace("crxn.prom", "other.prom");
const upkeep = (mend: string, metrics = FILE) =>
  `${INTERFACE_GATEWAY}upkeep:\n  mend: ${mend}\n  metrics: ${metrics}\n`;
/** What other programs do when they reload a firewall or a network. */
const DISTURBANCE = "iptables -F; iptables -t nat -F; ip6tables -F; nft flush ruleset; ip -6 route flush proto 64";

const filled = (gw: Machine, file = FILE) =>
  until("metrics", 20, async () => (await gw.run(["test", "-s", file])).code === 0 || undefined);
const verdict = async (gw: Machine): Promise<string> =>
  JSON.parse((await crxn(gw, "doctor --json --only upkeep")).stdout).findings[0].verdict;
const written = async (gw: Machine) => Number(await gw.must(["stat", "-c", "%Y", FILE]));
const result = async (gw: Machine, unit: string) => (await gw.must(["systemctl", "show", "-P", "Result", unit])).trim();
const said = (gw: Machine) => gw.must("journalctl -b -u crxn-mend -o cat");
/** The timer's service, at once. */
const mend = (gw: Machine) => gw.run(["systemctl", "start", "crxn-mend.service"]);

// A timer calls a program of root's in a place of its own; the stand-in for it, which runs the sources, is none.

/** What the timers start fails, as it does when crxn is exchanged at that moment. */
const fail = (gw: Machine) =>
  gw.must(`
    crxn=$(sed -n 's/^ExecStart="\\([^"]*\\)".*/\\1/p' /etc/systemd/system/crxn-metrics.service)
    mv $crxn /root/crxn.mine; cp /bin/false $crxn
    units=$(cd /etc/systemd/system && ls crxn-mend.service crxn-metrics.service 2>/dev/null) || true
    for unit in $units; do systemctl start $unit && exit 1; done
    mv /root/crxn.mine $crxn
    for unit in $units; do systemctl is-failed $unit; done`);

for (const debian of someDebians("upkeep")) {
  const name = `crxn up with upkeep: the gateway mends itself and writes metrics, ${debian}${needsBinary}`;
  Deno.test({
    name,
    ignore: unbuilt !== undefined,
    fn: async (t) => {
      const chapter = chaptersOf(t);
      await ensureRequirements([{ file: "/usr/bin/promtool", package: "prometheus" }]);
      await using lab = await Lab.create();
      const { client, gw } = await sceneOf(lab, { debian, image: "ready" });
      await gw.write(CONFIG, upkeep("1min"));
      const before = await snapshot(gw);

      await chapter(
        "without a folder for the metrics: 69, and nothing is touched; a file of somebody else's as well",
        async () => {
          assertStringIncludes(
            (await crxn(gw, "up --yes", 69)).stderr,
            "/var/lib/prometheus/node-exporter is no folder",
          );
          assertEquals(diffSnapshots(before, await snapshot(gw)), "");
          await gw.must(`mkdir -p ${FILE.replace(/\/[^/]*$/, "")}; echo mine >${FILE}`);
          assertStringIncludes((await crxn(gw, "up --yes", 69)).stderr, "is no file of metrics of crxn's");
          assertEquals(await gw.read(FILE), "mine\n");
          await gw.must(["rm", FILE]);
        },
      );
      await chapter("a crxn that somebody else than root can change is none for a timer", async () => {
        await gw.must(
          "install -d -o 65534 /home/nobody; install -o 65534 -m 755 /usr/local/bin/crxn /home/nobody/crxn",
        );
        const { code, stderr } = await gw.run(["/home/nobody/crxn", "up", "--yes"]);
        assertEquals(code, 69, stderr);
        assertStringIncludes(stderr, "/home/nobody belongs to user 65534");
        await gw.must(["rm", "-r", "/home/nobody"]);
      });
      const ready = await snapshot(gw);
      await chapter("up: the metrics come, whole and for everybody to read", async () => {
        await crxn(gw, "up --yes");
        await filled(gw);
        assertEquals(await gw.must(["stat", "-c", "%a %U", FILE]), "644 root\n");
        const text = await gw.read(FILE);
        assertEquals(await promtool(text), "");
        assertEquals(text.match(/^crxn_fault.*/gm), null);
        assertStringIncludes(text, 'crxn_state{state="up"} 1');
        // In its sandbox it sees what crxn sees without one.
        const names = (all: string) => [...all.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
        assertEquals(names(text), names((await crxn(gw, "status --prometheus")).stdout));
        await assertAnswers(client);
        await assertNothingToDo(gw);
        assertEquals(await verdict(gw), "pass");
        // Another copy of crxn that looks finds nothing wrong.
        await gw.must("cp /usr/local/bin/crxn /root/crxn; /root/crxn doctor --skip probe,path-mtu,prefix-routed");
        const nobody = ["setpriv", "--reuid=65534", "--clear-groups", "crxn"];
        await gw.must([...nobody, "doctor", "--only", "upkeep"]);
        assertEquals((await gw.run([...nobody, "status", "--prometheus", "--output", "/tmp/x.prom"])).code, 77);
      });
      await chapter("up from another path: the timers call that crxn, and go on calling it", async () => {
        await gw.must("install -m 755 /usr/local/bin/crxn /usr/bin/crxn; /usr/bin/crxn up --yes");
        await gw.must("/usr/bin/crxn up --dry-run");
        assertEquals((await mend(gw)).code, 0);
        for (const unit of ["crxn-mend.service", "crxn-metrics.service"]) {
          assertStringIncludes(await gw.read(`/etc/systemd/system/${unit}`), 'ExecStart="/usr/bin/crxn" ');
        }
        assertEquals(await verdict(gw), "pass");
        await gw.must("/usr/bin/crxn up --dry-run");
        assertEquals((await said(gw)).match(/^(not )?mended:.*/gm), null);
        await crxn(gw, "up --yes");
        await gw.must("rm /usr/bin/crxn");
        await assertNothingToDo(gw);
      });
      await chapter("another file of metrics takes the place of the former one", async () => {
        await gw.write(CONFIG, upkeep("1min", OTHER));
        await crxn(gw, "up --yes");
        await filled(gw, OTHER);
        assertEquals((await gw.run(["test", "-e", FILE])).code, 1);
        await assertNothingToDo(gw);
        await crxn(gw, "down --yes");
        await gw.must(["rm", "/root/crxn"]);
        assertEquals(diffSnapshots(ready, await snapshot(gw)), "");
        await gw.write(CONFIG, upkeep("1min"));
        await crxn(gw, "up --yes");
        await filled(gw);
      });
      await chapter(
        "others flush firewall and routes: within the minute all is back by itself, and the log and status say so",
        async () => {
          await gw.must(DISTURBANCE);
          await assertSilent(client);
          await answersWithin(75, client);
          await until(
            "it to be done",
            30,
            async () => (await gw.must("systemctl is-active crxn-mend.service || true")) === "inactive\n" || undefined,
          );
          // It answers before the last look, and the log has the outcome after that.
          assertMatch(await said(gw), /^mended: (forward-policy|nat-rule|prefix-route)/m);
          assertEquals(await result(gw, "crxn-mend.service"), "success");
          assertMatch((await crxn(gw, "status")).stdout, /Mended by itself, \d{4}-/);
          assertMatch((await crxn(gw, "logs --unit mend")).stdout, /crxn-mend +\w+ +mended: /);
          assertStringIncludes((await crxn(gw, "status --prometheus")).stdout, 'mended="true"');
          await assertNothingToDo(gw);
        },
      );
      await chapter(
        "while another crxn is at work it is none's fault; a config that up has not made mends nothing",
        async () => {
          await gw.must(DISTURBANCE);
          await gw.must("flock /run/crxn.lock systemctl start crxn-mend.service");
          assertEquals(await result(gw, "crxn-mend.service"), "success");
          await assertSilent(client);
          await gw.write(CONFIG, upkeep("1min").replace("upkeep:", "nat64: {pool: 100.65.0.0/16}\nupkeep:"));
          assertEquals((await mend(gw)).code, 0);
          assertStringIncludes(await said(gw), "crxn.yaml has changed since `crxn up`");
          await assertSilent(client);
          await gw.write(CONFIG, upkeep("1min"));
          assertEquals((await mend(gw)).code, 0);
          await assertAnswers(client);
        },
      );
      await chapter("while up --confirm waits nothing is mended", async () => {
        await gw.write(CONFIG, upkeep("2min"));
        await crxn(gw, "up --yes --confirm 600");
        await gw.must(DISTURBANCE);
        await mend(gw);
        await assertSilent(client);
        await crxn(gw, "confirm");
        assertEquals((await mend(gw)).code, 0);
        await assertAnswers(client);
      });
      await chapter("what cannot be mended is a failed unit, a finding, and in status", async () => {
        await gw.must(`${DISTURBANCE}; mv /usr/sbin/iptables-restore /run/away`);
        assert((await mend(gw)).code !== 0);
        await gw.must("mv /run/away /usr/sbin/iptables-restore");
        assertMatch((await crxn(gw, "status", 1)).stdout, /NOT MENDED by its timer/);
        const { findings } = JSON.parse((await crxn(gw, "doctor --json", 1)).stdout);
        assertEquals(findings.find((f: { id: string }) => f.id === "upkeep").verdict, "warn");
        assertEquals((await mend(gw)).code, 0);
        await assertAnswers(client);
      });
      await chapter("without crxn's program the units are skipped, not failed", async () => {
        await gw.must("rm /usr/local/bin/crxn; systemctl start crxn-mend.service crxn-metrics.service");
        for (const unit of ["crxn-mend.service", "crxn-metrics.service"]) {
          assertEquals(await result(gw, unit), "success");
        }
        await assertAnswers(client);
        await installProduct(gw);
      });
      await chapter(
        "the control: with mend: false nothing comes back by itself; the metrics are renewed meanwhile",
        async () => {
          await gw.write(CONFIG, upkeep("false"));
          await crxn(gw, "up --yes");
          assertEquals((await gw.run(["systemctl", "cat", "crxn-mend.timer"])).code, 1);
          const then = await written(gw);
          await gw.must(DISTURBANCE);
          await until("the metrics to be renewed", 70, async () => (await written(gw)) > then + 55 || undefined);
          await assertSilent(client);
          assertStringIncludes(await gw.read(FILE), 'crxn_state{state="degraded"} 1');
          await crxn(gw, "up --yes");
          await assertAnswers(client);
        },
      );
      await chapter("a timer that somebody stopped is a warning, and doctor --fix starts it", async () => {
        await gw.must("systemctl stop crxn-metrics.timer");
        assertEquals(await verdict(gw), "warn");
        const { fixed } = JSON.parse((await crxn(gw, "doctor --fix --yes --json --only upkeep")).stdout);
        assertEquals(fixed.map((f: { id: string; result: string }) => [f.id, f.result]), [["upkeep", "mended"]]);
        await gw.must("systemctl is-active crxn-metrics.timer");
      });
      await chapter("undo.sh takes it all back as well, and what has failed is forgotten", async () => {
        await fail(gw);
        await gw.must("sh /var/lib/crxn/undo.sh");
        assertEquals(diffSnapshots(ready, await snapshot(gw)), "");
        await gw.write(CONFIG, upkeep("1h"));
        await crxn(gw, "up --yes");
        await filled(gw);
      });
      await chapter("down: timers, units and the metrics are gone, also where a unit has failed", async () => {
        await fail(gw);
        await crxn(gw, "down --yes");
        assertEquals((await gw.run(["test", "-e", FILE])).code, 1);
        assertEquals(diffSnapshots(ready, await snapshot(gw)), "");
      });
    },
  });
}
