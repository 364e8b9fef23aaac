import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Debian, image, UPSTREAM } from "../rig/images.ts";
import { Mirror } from "../rig/mirror.ts";
import { cacheDirectory, sha256 } from "../rig/paths.ts";
import { diffSnapshots, installProduct, Lab, type Machine, snapshot } from "../rig/mod.ts";
import { Web } from "../rig/web.ts";
import { pairOf, selfOf, upOnBoth } from "./pair.ts";
import {
  answersWithin,
  assertNothingToDo,
  assertSilent,
  chaptersOf,
  CONFIG,
  crxn,
  removeProduct,
  someDebians,
} from "./story.ts";

// The foreign daemon is the yggdrasil of the other Debian: 0.4 and 0.5 do not talk to each other, so who answers whom
// tells which one runs. Each of the two also sets another MTU.
const OTHER = { bookworm: "trixie", trixie: "bookworm" } as const;
const MTU = { bookworm: "53049", trixie: "65535" } as const;
const FOLDER = "/usr/local/lib/crxn";
/** yggdrasil 0.4.7 tries a peer that refuses again after a minute. */
const PATIENCE = 75;

interface Download {
  url: string;
  sha256: string;
}

const pathOf = ({ sha256 }: Download) => `${FOLDER}/yggdrasil-${sha256.slice(0, 12)}`;

/** The same config with this daemon, or with Debian's. */
async function setDaemon(machine: Machine, daemon?: Download | string): Promise<void> {
  const plain = (await machine.read(CONFIG)).replace(/^ {2}daemon: .*\n/m, "");
  const value = typeof daemon === "object" ? `{url: "${daemon.url}", sha256: "${daemon.sha256}"}` : daemon;
  await machine.write(CONFIG, value ? plain.replace(/^ {2}tunnel: /m, `  daemon: ${value}\n$&`) : plain);
}

/** Debian's own package of yggdrasil, from the mirror of the machines. */
async function packageOf(debian: Debian, mirror: string): Promise<Download> {
  const status = await Deno.readTextFile(`${await image(debian, "ready")}/var/lib/dpkg/status`);
  const entry = status.split("\n\n").find((text) => text.startsWith("Package: yggdrasil\n"))!;
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(entry)![1]!;
  const path = `/debian/pool/main/y/yggdrasil/yggdrasil_${field("Version")}_${field("Architecture")}.deb`;
  const reply = await new Mirror(`${cacheDirectory()}/mirror`, UPSTREAM).respond(new Request(`http://mirror${path}`));
  assertEquals(reply.status, 200, path);
  return { url: mirror + path, sha256: await sha256(new Uint8Array(await reply.arrayBuffer())) };
}

/** The daemon's process is this program, run by user yggdrasil in the sandbox of Debian's unit. */
async function assertRuns(machine: Machine, path: string): Promise<void> {
  const show = async (property: string) =>
    (await machine.must(["systemctl", "show", "-P", property, "yggdrasil"])).trim();
  const pid = await show("MainPID");
  assertEquals(await machine.must(["readlink", `/proc/${pid}/exe`]), `${path}\n`);
  assertEquals(await machine.must(["ps", "-o", "user=", "-p", pid]), "yggdrasil\n");
  assertEquals([await show("ProtectHome"), await show("ProtectSystem"), await show("NoNewPrivileges")], [
    "yes",
    "strict",
    "yes",
  ]);
  assertMatch(await machine.must(["grep", "CapBnd", `/proc/${pid}/status`]), /^CapBnd:\s+0000000000001400$/m);
}

/** crxn refuses with 69 and these words. */
async function refused(machine: Machine, command: string, says: RegExp): Promise<void> {
  const { stdout, stderr } = await crxn(machine, `${command} --yes`, 69);
  assertMatch(stderr, says);
  assertMatch(stderr, /Nothing was (installed|changed)\./);
  assertEquals(stdout, "");
  await machine.must(`test ! -e ${FOLDER}; test ! -e /var/cache/crxn; test ! -e /var/lib/crxn/journal.jsonl`);
}

for (const debian of someDebians("a daemon by URL")) {
  Deno.test(`crxn up: a ${debian} runs the yggdrasil of ${OTHER[debian]}, by URL`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const net = await lab.internet();
    const { client, gw, node, order } = await pairOf(lab, { debian, tunnel: "vxlan" });
    const both = [gw, node];
    await Promise.all(both.map((machine) => machine.reboot()));
    const before = await Promise.all(both.map((machine) => snapshot(machine)));

    const web = await Web.start(net);
    const binary = await Deno.readFile(`${await image(OTHER[debian], "ready")}/usr/sbin/yggdrasil`);
    const daemon = { url: await web.offer("yggdrasil", binary), sha256: await sha256(binary) };
    const deb = await packageOf(OTHER[debian], await net.mirror());
    const publish = async (name: string, bytes: Uint8Array) => ({
      url: await web.offer(name, bytes),
      sha256: await sha256(bytes),
    });

    await chapter("a wrong sum, on a machine without any package: 69, both sums, nothing installed", async () => {
      const wrong = daemon.sha256.replace(/^./, (digit) => digit === "0" ? "1" : "0");
      for (const url of [daemon.url, `${web.address}/moved/yggdrasil`]) {
        await setDaemon(gw, { url, sha256: wrong });
        for (const command of ["install", "up"]) {
          await refused(gw, command, new RegExp(`${daemon.sha256}, not ${wrong}[\\s\\S]*overlay\\.daemon\\.sha256`));
        }
      }
    });
    await chapter("no such file, no program, a program for another machine: 69", async () => {
      await setDaemon(gw, { ...daemon, url: `${web.address}/none` });
      await refused(gw, "install", /cannot be fetched: 404/);
      await setDaemon(gw, { ...daemon, url: "http://192.0.2.1:9/yggdrasil" });
      await refused(gw, "install", /cannot be fetched: .*(refused|connect)/);
      await setDaemon(gw, await publish("page", new TextEncoder().encode("<html>")));
      await refused(gw, "install", /is no ELF executable/);
      await setDaemon(gw, await publish("mips", Uint8Array.from(binary, (byte, i) => i === 18 ? 8 : byte)));
      await refused(gw, "up", /is made for mips/);
    });
    await chapter("a path that yggdrasil.service cannot run, or that others may write: 69", async () => {
      for (
        const [path, mode] of [["/root/ygg", 0o755], ["/opt/open/ygg", 0o777], ["/opt/closed/ygg", 0o700]] as const
      ) {
        await gw.write(path, binary, mode);
      }
      const cases: [string, RegExp][] = [
        ["/root/ygg", /yggdrasil\.service hides \/root from its daemon \(ProtectHome\)[\s\S]*Copy it/],
        ["/opt/open/ygg", /everybody may write \/opt\/open\/ygg/],
        ["/opt/closed/ygg", /user yggdrasil may not run \/opt\/closed\/ygg/],
        ["/opt/none", /there is no \/opt\/none/],
      ];
      for (const [path, says] of cases) {
        await setDaemon(gw, path);
        await refused(gw, "up", says);
      }
      await gw.must(["rm", "-r", "/root/ygg", "/opt/open", "/opt/closed"]);
    });
    await chapter("after all of these the machine is as it was", async () => {
      const after = await snapshot(gw);
      assertEquals(diffSnapshots(before[0]!, after), "");
      assertEquals(after.packages, before[0]!.packages);
    });
    await chapter("--dry-run shows the download and changes nothing", async () => {
      await setDaemon(gw, daemon);
      await setDaemon(node, deb);
      const { stdout } = await crxn(gw, "up --dry-run", 2);
      assertStringIncludes(stdout, `* fetch ${daemon.url}, SHA-256 ${daemon.sha256}, as ${pathOf(daemon)}\n`);
      const plan = JSON.parse((await crxn(node, "up --dry-run --json", 2)).stdout);
      assertEquals(plan.steps[0].fetch, { path: pathOf(deb), ...deb });
      assertEquals(diffSnapshots(before[0]!, await snapshot(gw)), "");
    });
    await chapter("install brings the binary, and what is in the .deb; nothing is started; twice is once", async () => {
      await Promise.all(both.map((machine) => crxn(machine, "install --yes")));
      for (const [i, [machine, from]] of ([[gw, daemon], [node, deb]] as const).entries()) {
        const [path, after] = [pathOf(from), await snapshot(machine)];
        const packaged = { ignoreInstalledPackages: true };
        assertEquals(
          diffSnapshots(before[i]!, after, packaged),
          `files:\n  + ${FOLDER} directory 755 0:0\n  + ${path} file 755 0:0 ${daemon.sha256}`,
        );
        assertStringIncludes((await crxn(machine, "install --yes")).stdout, `Already there: `);
        assertEquals(diffSnapshots(after, await snapshot(machine)), "");
        await machine.must("test ! -e /var/cache/crxn");
      }
    });
    await chapter("before up nothing answers", () => assertSilent(client));
    await chapter("up: the fetched daemons run in Debian's sandbox, and talk to each other", async () => {
      await upOnBoth({ order });
      await answersWithin(20, client);
      await assertRuns(gw, pathOf(daemon));
      await assertRuns(node, pathOf(deb));
      assertEquals((await gw.must("cat /sys/class/net/ygg/mtu")).trim(), MTU[OTHER[debian]]);
      assertMatch((await selfOf(gw)).address, /^20[0-9a-f]:/);
      await crxn(gw, "doctor --only packages,overlay-service,drift");
    });
    await chapter("up again changes nothing, on neither", () => Promise.all(both.map(assertNothingToDo)));
    await chapter("reboot without the binary of crxn: it works by itself", async () => {
      await removeProduct(gw);
      await gw.reboot();
      await answersWithin(PATIENCE, client);
      await assertRuns(gw, pathOf(daemon));
      await installProduct(gw);
    });
    await chapter("a file that was tampered with: doctor says so, up fetches it once more", async () => {
      const tamper = (machine: Machine, path: string) =>
        machine.must(`cp ${path} ${path}.x; echo >> ${path}.x; mv ${path}.x ${path}`);
      await tamper(gw, pathOf(daemon));
      const doctor = await crxn(gw, "doctor --only packages", 1);
      assertMatch(doctor.stdout, new RegExp(`${pathOf(daemon)}:\\s+its\\s+SHA-256\\s+is\\s+[0-9a-f]{64},`));
      const { stderr } = await crxn(gw, "up --yes");
      assertMatch(stderr, /fetch \S+, SHA-256 \S+ as \S+ once more, for the file there is not crxn's: its SHA-256/);
      assertMatch(stderr, /restart yggdrasil\.service/);
      await assertRuns(gw, pathOf(daemon));
      await tamper(node, pathOf(deb));
      await crxn(node, "doctor --fix --yes --only packages,drift");
      await assertRuns(node, pathOf(deb));
      await answersWithin(PATIENCE, client);
      await assertNothingToDo(gw);
    });
    await chapter("a file that can neither be verified nor fetched is not started", async () => {
      await gw.must(`echo >> ${pathOf(daemon)}.x; mv ${pathOf(daemon)}.x ${pathOf(daemon)}`);
      await web.offer("yggdrasil", new TextEncoder().encode("somebody else's"));
      const { stderr } = await crxn(gw, "up --yes", 69);
      assertMatch(stderr, new RegExp(`not ${daemon.sha256} as the config says`));
      await web.offer("yggdrasil", binary);
      await crxn(gw, "up --yes");
    });
    await chapter("another sum is another file, and the old one goes", async () => {
      await setDaemon(gw, deb);
      await crxn(gw, "up --yes");
      assertEquals(await gw.must(["ls", FOLDER]), `${pathOf(deb).slice(FOLDER.length + 1)}\n`);
      await assertRuns(gw, pathOf(deb));
      await answersWithin(PATIENCE, client);
    });
    await chapter("with Debian's daemon on one side the two do not understand each other", async () => {
      await setDaemon(gw);
      await crxn(gw, "up --yes");
      await assertRuns(gw, "/usr/sbin/yggdrasil");
      await gw.must(`test ! -e ${FOLDER}`);
      await assertSilent(client);
      await setDaemon(gw, { ...daemon, url: `file:///root/ygg` });
      await gw.write("/root/ygg", binary, 0o600);
      await crxn(gw, "up --yes");
      await assertRuns(gw, pathOf(daemon));
      // 0.4.7 dials a peer that it did not understand again after a minute only.
      await node.must(["systemctl", "restart", "yggdrasil"]);
      await answersWithin(PATIENCE, client);
      await gw.must(["rm", "/root/ygg"]);
    });
    await chapter("down keeps it, down --purge leaves nothing", async () => {
      await Promise.all(both.map((machine) => crxn(machine, "down --yes")));
      await assertSilent(client);
      await gw.must(["test", "-x", pathOf(daemon)]);
      const { stdout } = await crxn(gw, "down --dry-run --purge", 2);
      assertStringIncludes(stdout, `* remove ${pathOf(daemon)}, which came from file:///root/ygg`);
      const { removed } = JSON.parse((await crxn(node, "down --yes --purge --json")).stdout);
      assertEquals(removed, [pathOf(deb)]);
      await crxn(gw, "down --yes --purge");
      for (const [i, machine] of both.entries()) {
        const after = await snapshot(machine);
        assertEquals(after.packages, before[i]!.packages);
        const paths = after.sections.files!.filter((line) => line.includes("/crxn") && !line.includes("/bin/crxn"));
        assertEquals(paths, []);
        await machine.must(`test ! -e ${FOLDER}; test ! -e /var/cache/crxn; test ! -e /var/lib/crxn`);
      }
    });
  });
}
