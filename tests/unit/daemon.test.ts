import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { down } from "../../commands/down.ts";
import { install } from "../../commands/install.ts";
import { packages } from "../../checks/packages.ts";
import { daemonPath } from "../../gateway/daemon.ts";
import { CrxnError } from "../../gateway/errors.ts";
import { planJson } from "../../gateway/plan.ts";
import { readJournal } from "../../machine/journal.ts";
import { FAR, WALK } from "./fake/configs.ts";
import { config, installed, test, UNIT, URL, whole } from "./fake/daemon.ts";
import { differences, snapshot } from "./fake/snapshot.ts";
import { sha256 } from "../rig/paths.ts";
import { deb, elf } from "./fake/web.ts";

const DROP_IN = "/etc/systemd/system/yggdrasil.service.d/50-crxn.conf";

Deno.test("daemonPath: the path itself, or one that holds the first 12 digits of the sum", () => {
  assertEquals(daemonPath("/opt/y"), "/opt/y");
  assertEquals(
    daemonPath({ url: URL, sha256: "0123456789abcdef".repeat(4) }),
    "/usr/local/lib/crxn/yggdrasil-0123456789ab",
  );
});

test("up: a daemon by URL is fetched, run and recorded; a second up does nothing; down keeps it, --purge does not", async ({ machine, play, offer }) => {
  const first = whole(machine);
  const { yaml, path, sum } = await offer(elf("one"));
  assertEquals(await play.up(yaml, { dryRun: true }), 2);
  assertStringIncludes(play.said, `* fetch ${URL}, SHA-256 ${sum}, as ${path}`);
  assertEquals(planJson(await play.steps(yaml))[0]!.fetch, { path, url: URL, sha256: sum });
  assertEquals(whole(machine), first);

  assertEquals(await play.up(yaml), 0, play.said);
  assertEquals(installed(machine), [path]);
  const { mode, uid } = Deno.statSync(machine.folder + path);
  assertEquals([mode! & 0o7777, uid], [0o755, 0]);
  assertStringIncludes(machine.read(DROP_IN)!, `ExecStart=\nExecStart=${path} -useconffile`);
  assertEquals([...(await readJournal()).fetched.values()], [{ path, url: URL, sha256: sum, program: sum }]);

  const [journal, done] = [machine.read("/var/lib/crxn/journal.jsonl"), machine.commands.length];
  machine.web.pages.clear();
  assertEquals(await play.up(yaml), 0);
  assertEquals(machine.read("/var/lib/crxn/journal.jsonl"), journal);
  assertEquals(machine.commands.slice(done).filter(([p]) => !/ping|unshare/.test(p!)), []);

  assertEquals(await play.down(), 0, play.said);
  assertEquals(installed(machine), [path]);
  assertEquals([...(await readJournal()).fetched.keys()], [path]);
  assertEquals(await down(play.context, { purge: true, dryRun: true }), 2);
  assertStringIncludes(play.said, `* remove ${path}, which came from ${URL}`);
  assertEquals(await down(play.context, { purge: true }), 0);
  assertEquals(whole(machine), first);
});

test(
  "install: verifies the daemon before apt brings anything: a wrong sum leaves the machine untouched",
  async ({ machine, play, offer }) => {
    const { sum } = await offer(elf("one"));
    const wrong = "0".repeat(64);
    const first = whole(machine);
    for (const careless of [false, true]) {
      machine.web.careless = careless;
      for (
        const command of [() => install(play.context), () => play.up(config(`{url: '${URL}', sha256: '${wrong}'}`))]
      ) {
        machine.write("/run/crxn.yaml", config(`{url: '${URL}', sha256: '${wrong}'}`));
        const error = await assertRejects(command, CrxnError) as CrxnError;
        assertEquals(error.exit, 69);
        assertStringIncludes(error.message, sum);
        assertStringIncludes(error.message, wrong);
        assertMatch(error.remedy!, /correct overlay\.daemon\.sha256 .*Nothing was installed/);
        assertEquals(whole(machine), first);
        assert(!machine.commands.some(([program]) => program!.endsWith("apt-get")), "apt was called");
        assertEquals(machine.read("/var/lib/crxn/journal.jsonl"), undefined);
      }
    }
  },
  [],
);

test("install: brings packages and daemon, once", async ({ machine, play, offer }) => {
  const { yaml, path } = await offer(elf("one"));
  machine.write("/run/crxn.yaml", yaml);
  assertEquals(await install(play.context), 0);
  assertStringIncludes(play.said, `Fetched: ${path}, from ${URL}.`);
  assert(machine.packages.has("yggdrasil"));
  assertEquals(machine.systemd.unit(UNIT).active, "inactive");
  const done = machine.commands.length;
  assertEquals(await install(play.context), 0);
  assertStringIncludes(
    play.said,
    `Already there: iproute2, iptables, iputils-ping, nftables, procps, tayga, yggdrasil, ${path}.`,
  );
  assertEquals(machine.commands.slice(done), []);
}, []);

test("install: what cannot be fetched, or is no program for this machine, is named, and nothing is installed", async ({ machine, play, offer }) => {
  const [daemon, other] = [elf(), elf("other", 8)];
  const cases: [Uint8Array | undefined, RegExp][] = [
    [undefined, /cannot be fetched: 404 +Not Found/],
    [new TextEncoder().encode("#!/bin/sh\nexit 0\n"), /is no ELF executable/],
    [new TextEncoder().encode("\x7fELF"), /is no ELF executable/],
    [other, /is made for mips, and this machine is/],
    [deb({ "/usr/bin/yggdrasil": other }), /\/usr\/bin\/yggdrasil of .* is made for mips/],
    [
      deb({ "/usr/bin/yggdrasilctl": daemon }),
      /holds no daemon yggdrasil\* \(its programs: \/usr\/bin\/yggdrasilctl\)/,
    ],
    [
      deb({ "/usr/bin/yggdrasil": daemon, "/usr/sbin/yggdrasilckr": daemon }),
      /several daemons: \/usr\/bin\/ygg\S+, \/usr/,
    ],
    [deb({ "/usr/lib/yggdrasil/yggdrasil": daemon }), /holds no daemon yggdrasil\* \(its programs: none\)/],
    [new TextEncoder().encode("!<arch>\nrubbish"), /dpkg-deb cannot take apart/],
  ];
  const first = whole(machine);
  for (const [bytes, says] of cases) {
    const { yaml } = await offer(bytes ?? daemon);
    if (!bytes) machine.web.pages.clear();
    machine.write("/run/crxn.yaml", yaml);
    const error = await assertRejects(() => install(play.context), CrxnError) as CrxnError;
    assertEquals(error.exit, 69);
    assertMatch(error.message, says);
    assertEquals(whole(machine), first);
    assert(error.remedy);
  }
});

test("install: the daemon is taken out of a .deb, and known by its own sum", async ({ machine, play, offer }) => {
  const daemon = elf("inside");
  const { yaml, path, sum } = await offer(
    deb({ "/usr/bin/yggdrasil": daemon, "/usr/bin/yggdrasilctl": elf(), "/usr/bin/yggdrasil-genkeys": elf() }),
  );
  assertEquals(await play.up(yaml), 0, play.said);
  assertEquals(await sha256(Deno.readFileSync(machine.folder + path)), await sha256(daemon));
  assertEquals((await readJournal()).fetched.get(path), { path, url: URL, sha256: sum, program: await sha256(daemon) });
  assertEquals(await play.steps(yaml), []);
});

test("up: a file that was changed since is fetched once more, after saying so, and started; doctor says so too", async ({ machine, play, offer }) => {
  const { yaml, path, sum } = await offer(elf("one"));
  await play.up(yaml);
  const pid = machine.systemd.unit(UNIT).pid;
  const damage: [() => void, RegExp][] = [
    [() => machine.write(path, "tampered"), new RegExp(`not crxn's: its SHA-256 is [0-9a-f]{64}, not ${sum}`)],
    [() => Deno.chmodSync(machine.folder + path, 0o775), /mode 775, not 755/],
    [() => Deno.removeSync(machine.folder + path), /^fetch \S+, SHA-256 [0-9a-f]{64}, as \S+$/],
    [
      () => {
        Deno.removeSync(machine.folder + path);
        Deno.symlinkSync("/bin/true", machine.folder + path);
      },
      /it is not a plain file/,
    ],
  ];
  for (const [harm, says] of damage) {
    harm();
    const [step, ...more] = await play.steps(yaml);
    assertMatch(step!.title, says);
    assert(more.some((s) => s.title === `restart ${UNIT}`));
    const { blueprint, survey, journal } = await play.prepare(yaml);
    const found = packages.run({ blueprint, survey, journal, troubles: [] }, () => ({ verdict: "pass" }));
    assertEquals(found.verdict, "fail");
    assertStringIncludes(found.found!, path);
    assertEquals(found.fix![0], ["crxn", "install", "--yes"]);
    assertEquals(found.mend!.items.map((i) => i.id), [`program ${path}`, `service ${UNIT}`]);
    assertEquals(await play.up(yaml), 0, play.said);
    assertEquals(await sha256(Deno.readFileSync(machine.folder + path)), sum);
    assertEquals(await play.steps(yaml), []);
  }
  assert(machine.systemd.unit(UNIT).pid !== pid, "the service was not restarted");
});

test("up: a file that the journal does not know is not run as it is", async ({ machine, play, offer }) => {
  const { yaml, path, sum } = await offer(elf("one"));
  machine.write(path, "planted");
  assertMatch((await play.steps(yaml))[0]!.title, /not crxn's: crxn's journal does not know it/);
  assertEquals(await play.up(yaml), 0);
  assertEquals(await sha256(Deno.readFileSync(machine.folder + path)), sum);
});

test("up: another sum is another file; the old one goes in the end", async ({ machine, play, offer }) => {
  const [one, two] = [await offer(elf("one"), `${URL}/1`), await offer(elf("two"), `${URL}/2`)];
  const first = whole(machine);
  await play.up(one.yaml);
  assertEquals(await play.up(two.yaml, { dryRun: true }), 2);
  assertStringIncludes(play.said, `* remove ${one.path}, which came from ${URL}/1`);
  // What the former daemon has set on the device would stay, so the device goes with it, and what is on it.
  const titles = (await play.steps(two.yaml)).map((s) => s.title);
  const order = [
    `stop ${UNIT}: its device is made anew`,
    "add link ygg",
    `add link crxn-${FAR.slice(0, 8)}`,
    "add route 10.0.0.0/8",
    `start ${UNIT}`,
  ];
  assertEquals(titles.filter((title) => order.includes(title)), order);
  assertEquals(await play.up(two.yaml), 0, play.said);
  assertEquals(installed(machine), [two.path]);
  assertEquals([...(await readJournal()).fetched.keys()], [two.path]);
  assertEquals(await play.up(two.yaml, { dryRun: true }), 0);
  assertEquals(await play.up(WALK["yggdrasil gateway"]!), 0);
  assertEquals(installed(machine), []);
  await play.down();
  await down(play.context, { purge: true });
  assertEquals(whole(machine), first);
});

test("up: one that fails goes back to the old daemon, which is still there", async ({ machine, play, offer }) => {
  const [one, two] = [await offer(elf("one"), `${URL}/1`), await offer(elf("two"), `${URL}/2`)];
  await play.up(one.yaml);
  const former = snapshot(machine);
  let failed = false;
  machine.before = (argv) => {
    if (failed || argv.join(" ") !== `/usr/bin/systemctl start ${UNIT}`) return undefined;
    failed = true;
    return { code: 1, stdout: "", stderr: "no" };
  };
  await assertRejects(() => play.up(two.yaml), CrxnError);
  machine.before = () => undefined;
  assertEquals(differences(former, snapshot(machine)), []);
  assertEquals(installed(machine), [one.path, two.path].sort());
  assertEquals(await play.up(one.yaml), 0);
  assertEquals(installed(machine), [one.path]);
});

test("placeProgram: killed before the file has its name, the next up carries on, and --purge leaves nothing", async ({ machine, play, offer }) => {
  const first = whole(machine);
  const { yaml, path, sum } = await offer(elf("one"));
  const line = { v: 1, fetched: { path, url: URL, sha256: sum, program: sum }, at: "2026-11-23T12:00:00.000Z" };
  for (const carryOn of [true, false]) {
    machine.write("/var/lib/crxn/journal.jsonl", JSON.stringify(line) + "\n");
    machine.write(`${path}.crxn-new`, "half of it");
    machine.write("/var/cache/crxn/download", "half of it");
    if (carryOn) assertEquals(await play.up(yaml), 0, play.said);
    await down(play.context, {});
    await down(play.context, { purge: true });
    assertEquals(whole(machine), first);
  }
});
