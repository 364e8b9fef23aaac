import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { elfFault, programFault } from "../../gateway/elf.ts";
import { CrxnError } from "../../gateway/errors.ts";
import { runFault, type Visited, writableFault } from "../../gateway/trail.ts";
import { trailOf } from "../../machine/way.ts";
import { config, test, UNIT, whole } from "./fake/daemon.ts";
import { FakeMachine } from "./fake/machine.ts";
import { Play } from "./fake/play.ts";
import { elf } from "./fake/web.ts";

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
