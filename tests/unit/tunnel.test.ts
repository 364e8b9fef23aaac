/** What the daemon is asked, and which way IPv4 then takes. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { readInput } from "../../commands/doctor_input.ts";
import { CHECKS } from "../../checks/list.ts";
import { runChecks } from "../../checks/run.ts";
import { PROBE } from "../../gateway/capability.ts";
import type { Overlay } from "../../gateway/config/types.ts";
import { CrxnError } from "../../gateway/errors.ts";
import { type LinkItem, linkItem } from "../../gateway/item.ts";
import { replay } from "../../gateway/journal.ts";
import type { DaemonSeen, Survey } from "../../gateway/survey.ts";
import { parseConfig } from "../../gateway/config/parse.ts";
import { readDaemon } from "../../machine/daemon.ts";
import { placeFiles } from "../../machine/place.ts";
import type { Result, Runner, RunOptions } from "../../machine/run.ts";
import { chooseTunnel } from "../../machine/tunnel.ts";
import { CKR_DAEMON, WALK } from "./fake/configs.ts";
import { FakeMachine } from "./fake/machine.ts";
import { Play } from "./fake/play.ts";
import { SCHEMAS } from "./keys.ts";

type Yggdrasil = Extract<Overlay, { type: "yggdrasil" }>;

const answers = (result: Partial<Result>) => {
  const asked: { argv: string[]; options: RunOptions | undefined }[] = [];
  const runner: Runner = {
    run: (argv, options) => {
      asked.push({ argv, options });
      return Promise.resolve({ argv, code: 0, stdout: "", stderr: "", ...result });
    },
  };
  return { runner, asked };
};

const seen = (schema?: keyof typeof SCHEMAS): DaemonSeen => ({
  path: "/opt/y",
  normalised: JSON.stringify({
    PrivateKey: "",
    ...(schema ? { TunnelRouting: Object.fromEntries(SCHEMAS[schema].map((s) => [s, null])) } : {}),
  }),
});

const journalWith = (...links: LinkItem[]) =>
  replay(links.map((item) => ({ v: 1 as const, did: { item, before: {} }, at: "" })));
const ends = { local: "200::1", remote: "200::2", underlay: "ygg", mtu: 1500 };
const VXLAN = linkItem("crxn-00000000", { type: "vxlan", mac: "02:00:00:00:00:00", vni: 64, port: 4789, ...ends });
const IP6GRE = linkItem("crxn-00000000", { type: "ip6gre", ...ends });

async function choose(
  tunnel: Yggdrasil["tunnel"],
  { daemon, made = [], kernel = true, root = true }: {
    daemon?: DaemonSeen;
    made?: LinkItem[];
    kernel?: boolean;
    root?: boolean;
  } = {},
) {
  const { runner, asked } = answers({ code: kernel ? 0 : 2 });
  const survey = { root, ...(daemon ? { daemon } : {}) } as Survey;
  const overlay = { tunnel, daemon: "/opt/y" } as Yggdrasil;
  const chosen = await chooseTunnel(runner, overlay, survey, journalWith(...made));
  return { ...chosen, tried: asked.length };
}

Deno.test("chooseTunnel: auto takes the daemon's own way, whatever was there before and whatever the kernel has", async () => {
  for (const schema of Object.keys(SCHEMAS) as (keyof typeof SCHEMAS)[]) {
    const { kind, why, tried } = await choose("auto", { daemon: seen(schema), made: [VXLAN] });
    assertEquals([kind, tried], ["ckr", 0], schema);
    assertStringIncludes(why, "the daemon has tunnel routing");
  }
});

Deno.test("chooseTunnel: auto without it: as it was made, else ip6gre where the kernel has it, else vxlan", async () => {
  assertEquals((await choose("auto", { daemon: seen() })).kind, "ip6gre");
  assertEquals((await choose("auto", { kernel: false })).kind, "vxlan");
  assertEquals((await choose("auto", { made: [VXLAN] })).kind, "vxlan");
  assertEquals((await choose("auto", { made: [IP6GRE], kernel: false })).kind, "ip6gre");
});

Deno.test("chooseTunnel: the kind that the config names, also of a daemon that could do without", async () => {
  for (const kind of ["ip6gre", "vxlan"] as const) {
    assertEquals((await choose(kind, { daemon: seen("2") })).kind, kind);
  }
  const error = await assertRejects(() => choose("ip6gre", { kernel: false }), CrxnError, "no ip6gre") as CrxnError;
  assertEquals(error.exit, 69);
});

Deno.test("chooseTunnel: ckr with a daemon that has none ends with 69 and names the daemon; one that is not there yet may have it", async () => {
  const error = await assertRejects(() => choose("ckr", { daemon: seen() }), CrxnError) as CrxnError;
  assertEquals(error.exit, 69);
  assertStringIncludes(error.message, "/opt/y has no tunnel routing");
  assertStringIncludes(error.remedy!, "Set overlay.tunnel to auto");
  assertEquals((await choose("ckr", {})).kind, "ckr");
  assertEquals((await choose("ckr", { daemon: seen("0.3") })).kind, "ckr");
  // What could not be asked has been called broken already.
  assertEquals((await choose("ckr", { daemon: { path: "/opt/y", error: "killed" } })).kind, "ckr");
});

Deno.test("readDaemon: the question goes to stdin, as nobody and without any power; not as root", async () => {
  const { runner, asked } = answers({ stdout: "{}" });
  assertEquals(await readDaemon(runner, "/opt/y", true), { path: "/opt/y", normalised: "{}" });
  assertEquals(asked[0]!.argv, [
    "/usr/bin/setpriv",
    "--reuid=65534",
    "--regid=65534",
    "--clear-groups",
    "--no-new-privs",
    "--inh-caps=-all",
    "--bounding-set=-all",
    "--",
    "/opt/y",
    "-useconf",
    "-normaliseconf",
    "-json",
  ]);
  assertEquals(asked[0]!.options?.stdin, PROBE);
  await readDaemon(runner, "/opt/y", false);
  assertEquals(asked[1]!.argv, [
    "/usr/bin/setpriv",
    "--no-new-privs",
    "--",
    "/opt/y",
    "-useconf",
    "-normaliseconf",
    "-json",
  ]);
});

Deno.test("readDaemon: one that is there and fails says why, one that is not there is missing", async () => {
  using machine = new FakeMachine();
  placeFiles(machine.folder);
  machine.write("/opt/y", "");
  const failed = async (result: Partial<Result>) => (await readDaemon(answers(result).runner, "/opt/y", false))?.error;
  assertEquals(await failed({ code: 2, stderr: "panic: x\n\ngoroutine 1" }), "panic: x");
  assertEquals(await failed({ code: 0, stdout: "usage: y\n" }), "usage: y");
  assertEquals(await failed({ code: 7 }), "it ended with code 7");
  assertEquals(await failed({ code: 124 }), "it did not end in time");
  assertEquals(await readDaemon(answers({ code: 127 }).runner, "/opt/none", false), undefined);
});

const onMachine = (name: string, fn: (machine: FakeMachine, play: Play) => Promise<void>) =>
  Deno.test({
    name,
    ignore: Deno.uid() !== 0,
    fn: async () => {
      using machine = new FakeMachine();
      await fn(machine, new Play(machine));
    },
  });

const ROUTING = WALK["tunnel routing"]!;

/** Findings of `doctor` that are faults. */
async function faults(play: Play, text: string) {
  const input = await readInput(play.context, { text, config: await parseConfig(text, "crxn.yaml") });
  return runChecks(CHECKS, input).filter((f) => f.verdict === "fail").map((f) => `${f.id}: ${f.found}`);
}

onMachine("up: tunnel: ckr with Debian's daemon ends with 69 before anything is touched", async (machine, play) => {
  const text = ROUTING.replace(`daemon: ${CKR_DAEMON}`, "daemon: /usr/sbin/yggdrasil");
  const error = await assertRejects(() => play.up(text), CrxnError) as CrxnError;
  assertEquals([error.exit, machine.commands.filter(([p]) => !/setpriv/.test(p!)).length], [69, 0]);
});

onMachine(
  "up: a daemon with tunnel routing: its own schema, no tunnel, and doctor has nothing to say of it",
  async (machine, play) => {
    assertEquals(await play.up(ROUTING), 0, play.said);
    assertStringIncludes(machine.read("/etc/yggdrasil/yggdrasil.conf")!, '"RemoteSubnets"');
    assert(!machine.network.links.some((l) => l.name.startsWith("crxn-")));
    const found = await faults(play, ROUTING);
    assertEquals(found.filter((f) => !f.startsWith("overlay-peers")), []);
  },
);

for (
  const [name, generation] of [["of today", "0.5"], ["of 0.3", "0.3"]] as const
) {
  onMachine(
    `doctor: a daemon ${name} with tunnel routing that is gone is one fault, not many`,
    async (machine, play) => {
      if (generation === "0.3") {
        machine.daemonSettings = {
          EncryptionPrivateKey: "",
          TunnelRouting: Object.fromEntries(SCHEMAS["0.3"].map((s) => [s, null])),
        };
      }
      assertEquals(await play.up(ROUTING), 0, play.said);
      const before = (await faults(play, ROUTING)).filter((f) => !f.startsWith("overlay-peers"));
      assertEquals(before, []);
      const peers = (list: string[]) => list.filter((f) => !f.startsWith("overlay-peers"));

      // It does not run any more on this machine.
      machine.before = ([program]) =>
        program === "/usr/bin/setpriv" ? { code: 2, stdout: "", stderr: "panic: no\n" } : undefined;
      const run = machine.run.bind(machine);
      machine.run = (argv, options) =>
        argv[0] === "/usr/bin/setpriv"
          ? Promise.resolve({ argv, code: 2, stdout: "", stderr: "panic: no\n" })
          : run(argv, options);
      const broken = peers(await faults(play, ROUTING));
      assertEquals(broken.length, 1, broken.join("\n"));
      assertStringIncludes(broken[0]!, `overlay-service: ${CKR_DAEMON} does not work as a yggdrasil daemon: panic: no`);

      // It was removed while it runs: all still flows.
      Deno.removeSync(machine.folder + CKR_DAEMON);
      assertEquals(peers(await faults(play, ROUTING)).filter((f) => !f.startsWith("overlay-service")), []);

      // And after its end.
      machine.systemd.stop("yggdrasil.service");
      const gone = peers(await faults(play, ROUTING));
      assertEquals(gone.map((f) => f.split(":")[0]), ["overlay-service"], gone.join("\n"));
    },
  );
}
