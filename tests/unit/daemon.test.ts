import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { down } from "../../commands/down.ts";
import { install } from "../../commands/install.ts";
import { packages } from "../../checks/packages.ts";
import { daemonPath } from "../../gateway/daemon.ts";
import { elfFault, programFault } from "../../gateway/elf.ts";
import { CrxnError } from "../../gateway/errors.ts";
import { planJson } from "../../gateway/plan.ts";
import { runFault, type Visited, writableFault } from "../../gateway/trail.ts";
import { readJournal } from "../../machine/journal.ts";
import { trailOf } from "../../machine/program.ts";
import { FAR, WALK } from "./fake/configs.ts";
import { FakeMachine } from "./fake/machine.ts";
import { Play } from "./fake/play.ts";
import { differences, snapshot } from "./fake/snapshot.ts";
import { deb, elf, sumOf } from "./fake/web.ts";

const URL = "https://example.net/yggdrasil";
const FOLDER = "/usr/local/lib/crxn";
const UNIT = "yggdrasil.service";
const DROP_IN = "/etc/systemd/system/yggdrasil.service.d/50-crxn.conf";

const config = (daemon: string) =>
  WALK["yggdrasil gateway"]!.replace("tunnel: vxlan", `tunnel: vxlan\n  daemon: ${daemon}`);

interface Scene {
  machine: FakeMachine;
  play: Play;
  /** Puts it on the web. @returns the config that names it, and where it will be */
  offer(bytes: Uint8Array, url?: string): Promise<{ yaml: string; path: string; sum: string }>;
}

const test = (name: string, fn: (scene: Scene) => Promise<void>, packages?: string[]) =>
  Deno.test({
    name,
    ignore: Deno.uid() !== 0,
    fn: async () => {
      using machine = new FakeMachine(packages ? { packages } : {});
      machine.write("/usr/local/lib/.keep", "");
      const offer = async (bytes: Uint8Array, url = URL) => {
        machine.web.pages.set(url, bytes);
        const sum = await sumOf(bytes);
        return {
          yaml: config(`{url: '${url}', sha256: ${sum}}`),
          path: `${FOLDER}/yggdrasil-${sum.slice(0, 12)}`,
          sum,
        };
      };
      await fn({ machine, play: new Play(machine), offer });
    },
  });

const installed = (machine: FakeMachine) => {
  try {
    return [...Deno.readDirSync(machine.folder + FOLDER)].map((e) => `${FOLDER}/${e.name}`).sort();
  } catch {
    return [];
  }
};

/** Everything, /usr/local as well. */
const whole = (machine: FakeMachine) => snapshot(machine) + installed(machine).join("\n");

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
  assertEquals(await sumOf(Deno.readFileSync(machine.folder + path)), await sumOf(daemon));
  assertEquals((await readJournal()).fetched.get(path), { path, url: URL, sha256: sum, program: await sumOf(daemon) });
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
    assertEquals(await sumOf(Deno.readFileSync(machine.folder + path)), sum);
    assertEquals(await play.steps(yaml), []);
  }
  assert(machine.systemd.unit(UNIT).pid !== pid, "the service was not restarted");
});

test("up: a file that the journal does not know is not run as it is", async ({ machine, play, offer }) => {
  const { yaml, path, sum } = await offer(elf("one"));
  machine.write(path, "planted");
  assertMatch((await play.steps(yaml))[0]!.title, /not crxn's: crxn's journal does not know it/);
  assertEquals(await play.up(yaml), 0);
  assertEquals(await sumOf(Deno.readFileSync(machine.folder + path)), sum);
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

Deno.test("trailOf: follows links one by one, and says where the way ends", async () => {
  using machine = new FakeMachine();
  new Play(machine);
  machine.write("/opt/y/real", "x");
  Deno.symlinkSync("/opt/y/../y/real", `${machine.folder}/opt/link`);
  const trail = async (path: string) => (await trailOf(path)).map((v) => `${v.path} ${v.type}`);
  assertEquals(await trail("/opt/link"), [
    "/ folder",
    "/opt folder",
    "/opt folder",
    "/opt/y folder",
    "/opt/y folder",
    "/opt/y/real file",
  ]);
  assertEquals(await trail("/opt/none/y"), ["/ folder", "/opt folder", "/opt/none missing"]);
  Deno.symlinkSync("loop", `${machine.folder}/opt/loop`);
  assertEquals((await trail("/opt/loop")).at(-1), "/opt/loop other");
});

const step = (path: string, more: Partial<Visited> = {}): Visited => ({
  path,
  type: "folder",
  mode: 0o755,
  uid: 0,
  gid: 0,
  ...more,
});
const program = (path: string, more: Partial<Visited> = {}) => step(path, { type: "file", ...more });

Deno.test("runFault: what yggdrasil.service cannot run, or somebody else could change", () => {
  const bin = [step("/"), step("/usr"), step("/usr/local")];
  assertEquals(runFault([...bin, program("/usr/local/y")]), undefined);
  // Group root is root; group yggdrasil may be the only one that gets in.
  assertEquals(runFault([...bin, program("/usr/local/y", { mode: 0o775 })]), undefined);
  assertEquals(runFault([...bin, program("/usr/local/y", { mode: 0o750, gid: 71 })], 71), undefined);
  const cases: [Visited[], RegExp, RegExp?][] = [
    [[...bin, step("/usr/local/y", { type: "missing", mode: 0 })], /there is no \/usr\/local\/y/],
    [[step("/"), step("/root"), program("/root/y")], /hides \/root from its daemon \(ProtectHome\)/, /Copy it/],
    [[step("/"), step("/home"), step("/home/a"), program("/home/a/y")], /hides \/home/],
    // A link in a folder that is fine leads to one that is not.
    [[...bin, step("/"), step("/run"), step("/run/user"), program("/run/user/y")], /hides \/run\/user/],
    [[...bin, step("/usr/local/y")], /is no file/],
    [[...bin, program("/usr/local/y", { mode: 0o644 })], /is not executable/, /chmod 0755/],
    [[...bin, program("/usr/local/y", { mode: 0o757 })], /everybody may write \/usr\/local\/y/],
    [[...bin, program("/usr/local/y", { mode: 0o775, gid: 50 })], /group 50 may write/],
    [[...bin, program("/usr/local/y", { uid: 1000 })], /user 1000, its owner, may write/, /chown root:root/],
    [
      [step("/"), step("/tmp", { mode: 0o1777 }), program("/tmp/y")],
      /everybody may write \/tmp, and so put something else/,
    ],
    [[step("/"), step("/opt", { uid: 7 }), program("/opt/y")], /user 7, its owner, may write \/opt/],
    [[...bin, program("/usr/local/y", { mode: 0o750 })], /user yggdrasil may not run/, /chmod o\+x/],
    [[step("/"), step("/opt", { mode: 0o700 }), program("/opt/y")], /user yggdrasil may not enter \/opt/],
    [[...bin, program("/usr/local/y", { mode: 0o705, gid: 71 })], /may not run/],
  ];
  for (const [trail, says, remedy] of cases) {
    const fault = runFault(trail, 71);
    assertMatch(fault?.why ?? "", says);
    if (remedy) assertMatch(fault!.remedy, remedy);
  }
  assertEquals(writableFault([...bin, step("/usr/local/lib", { type: "missing" })]), undefined);
});

test("up: a path that cannot be run, or that others may change, is refused before anything is touched", async ({ machine, play, offer }) => {
  const put = (path: string, bytes: Uint8Array, mode = 0o755) => {
    machine.write(path, "");
    Deno.writeFileSync(machine.folder + path, bytes);
    Deno.chmodSync(machine.folder + path, mode);
  };
  put("/root/y", elf());
  put("/opt/text", new TextEncoder().encode("no program\n"));
  put("/opt/other", elf("", 8));
  put("/opt/open", elf(), 0o777);
  put("/opt/good", elf());
  put("/opt/script", new TextEncoder().encode("#!/bin/sh\nexec /opt/good\n"));
  const first = whole(machine);
  for (
    const [path, says] of [["/root/y", /ProtectHome/], ["/opt/text", /is no ELF/], ["/opt/other", /made for mips/], [
      "/opt/open",
      /everybody may write/,
    ], ["/opt/none", /there is no/]] as const
  ) {
    const error = await assertRejects(() => play.up(config(path)), CrxnError) as CrxnError;
    assertEquals(error.exit, 69);
    assertMatch(error.message, says);
    assertMatch(error.remedy!, /Nothing was changed\.$/);
    assertEquals(whole(machine), first);
  }
  // The folder of fetched daemons is judged as well.
  const { yaml } = await offer(elf());
  Deno.chmodSync(`${machine.folder}/usr/local`, 0o777);
  await assertRejects(() => play.up(yaml), CrxnError, "everybody may write /usr/local");
  Deno.chmodSync(`${machine.folder}/usr/local`, 0o755);

  for (const path of ["/opt/good", "/opt/script"]) assertEquals(await play.up(config(path)), 0, play.said);
  // A new version in the place of the old one: the daemon that runs is not it.
  const later = new Date(Date.now() + 5000);
  Deno.utimeSync(`${machine.folder}/opt/script`, later, later);
  assertEquals(
    (await play.steps(config("/opt/script"))).map((s) => s.title).filter((title) => /ygg\b|yggdrasil/.test(title)),
    [
      `stop ${UNIT}: its device is made anew`,
      "add link ygg",
      `start ${UNIT}`,
    ],
  );
});

Deno.test("elfFault: an executable of this architecture, and nothing else", () => {
  const { arch } = Deno.build;
  assertEquals(elfFault(elf(), arch), undefined);
  const change = (at: number, value: number) => Uint8Array.from(elf(), (b, i) => i === at ? value : b);
  assertEquals(elfFault(change(16, 3), arch), undefined, "position independent");
  assertEquals(elfFault(change(16, 1), arch), "is an ELF file, but no executable");
  assertMatch(elfFault(change(4, 1), arch)!, /, 32 bits, and this machine is/);
  assertMatch(elfFault(elf("", 40), arch)!, /is made for arm,/);
  assertMatch(elfFault(elf("", 999), arch)!, /is made for machine 999,/);
  for (const text of ["", "\x7fEL", "!<arch>\n", "PK\x03\x04", "<html>"]) {
    assertEquals(elfFault(new TextEncoder().encode(text), arch), "is no ELF executable");
  }
  assertEquals(programFault(new TextEncoder().encode("#!/bin/sh"), arch), undefined);
});
