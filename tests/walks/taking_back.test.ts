import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { CrxnError } from "../../gateway/errors.ts";
import { Path } from "../../gateway/names.ts";
import { silentFor } from "../../gateway/silence.ts";
import { newIdentity } from "../../machine/identity.ts";
import type { Result } from "../../machine/run.ts";
import { refused } from "../unit/fake/answer.ts";
import type { Play } from "../unit/fake/play.ts";
import { differences, snapshot } from "../unit/fake/snapshot.ts";
import { GATEWAY, start, test, YGGDRASIL } from "./start.ts";

// Taking back: what gives no answer is not gone, and what others have put there is not lost.

/** Other answers than the machine's, while `body` runs. */
async function answering(
  { context, machine }: Play,
  other: (argv: string[]) => Omit<Result, "argv"> | undefined,
  body: () => Promise<void>,
): Promise<void> {
  const run: typeof machine.run = (argv, options) => {
    const answer = other(argv);
    return answer ? Promise.resolve({ argv, ...answer }) : machine.run(argv, options);
  };
  Object.assign(context, { runner: { run } });
  try {
    await body();
  } finally {
    Object.assign(context, { runner: machine });
  }
}

const QUESTIONS: Record<string, (argv: string[]) => boolean> = {
  "ip": ([program, ...words]) => program!.endsWith("/ip") && words.includes("-j"),
  "systemctl show": ([program, verb]) => program!.endsWith("/systemctl") && verb === "show",
  "sysctl": ([program, ...words]) => program!.endsWith("/sysctl") && !words.some((w) => w.includes("=")),
  "iptables-save": ([program]) => program!.endsWith("tables-save"),
  "nft": ([program, ...words]) => program!.endsWith("/nft") && words.includes("list"),
};

for (const [name, is] of Object.entries(QUESTIONS)) {
  test(`down: while ${name} gives no answer nothing is taken for gone, and the journal stays`, async () => {
    const { machine, play } = start();
    using _ = machine;
    const first = snapshot(machine);
    await play.up(YGGDRASIL);
    const made = snapshot(machine);
    await answering(play, (argv) => is(argv) ? refused("", 124) : undefined, async () => {
      await assertRejects(play.down, CrxnError, "could not be read");
    });
    assertEquals(differences(made, snapshot(machine)), []);
    assert(machine.read(Path.journal) && machine.read(Path.undo));
    await play.down();
    assertEquals(differences(first, snapshot(machine)), []);
  });
}

test("down: what is silent once is asked once more", async () => {
  const { machine, play } = start();
  using _ = machine;
  const first = snapshot(machine);
  await play.up(GATEWAY);
  let asked = 0;
  const once = (argv: string[]) => QUESTIONS["systemctl show"]!(argv) && asked++ === 0 ? refused("", 124) : undefined;
  await answering(play, once, async () => assertEquals(await play.down(), 0));
  assertEquals(differences(first, snapshot(machine)), []);
});

test("down: a table that iptables cannot read keeps what others have in it", async () => {
  const { machine, play } = start();
  using _ = machine;
  await play.up(GATEWAY);
  machine.netfilter.command("ip", ["-A", "INPUT", "-s", "192.0.2.7", "-j", "DROP"]);
  machine.netfilter.unreadable.add("ip filter");
  assertEquals(await play.down(), 0);
  assertEquals([...machine.netfilter.tables.get("ip filter")!.keys()].filter((name) => name.startsWith("CRXN")), []);
  assertEquals(machine.netfilter.tables.get("ip filter")?.get("INPUT")?.rules.length, 1);
});

test("down: what a person has made of a file is kept beside its place", async () => {
  const { machine, play } = start();
  using _ = machine;
  await play.up(GATEWAY);
  const mine = "# all mine, an hour's work\n";
  machine.write("/etc/tayga/ygg.conf", mine);
  await play.down();
  const left = [...Deno.readDirSync(`${machine.folder}/etc/tayga`)].map(({ name }) => name);
  assertEquals(left.length, 1);
  assert(/^ygg\.conf\.edited-\d{8}T\d{6}$/.test(left[0]!), left[0]);
  assertEquals(machine.read(`/etc/tayga/${left[0]}`), mine);
});

test("down: the key of another node, put into yggdrasil's config since, is kept; a second up does not hide it", async () => {
  const { machine, play } = start();
  using _ = machine;
  const file = Path.yggdrasilConfig;
  const [former, later] = [(await newIdentity()).keys!["PrivateKey"]!, (await newIdentity()).keys!["PrivateKey"]!];
  machine.write(file, `{\n  PrivateKey: ${former}\n}\n`);
  await play.up(YGGDRASIL);
  machine.write(file, machine.read(file)!.replace(former, later));
  await play.up(YGGDRASIL);
  await play.down();
  assertStringIncludes(machine.read(file)!, former);
  const copies = [...Deno.readDirSync(`${machine.folder}/etc/yggdrasil`)].filter(({ name }) =>
    name.includes(".edited-")
  );
  assertEquals(copies.length, 1);
  assertStringIncludes(machine.read(`/etc/yggdrasil/${copies[0]!.name}`)!, later);
});

test("down: a service of before whose package has gone since keeps nobody", async () => {
  const { machine, play } = start({ version: "13" });
  using _ = machine;
  await machine.run(["/usr/bin/systemctl", "enable", "tayga.service"]);
  await machine.run(["/usr/bin/systemctl", "start", "tayga.service"]);
  await play.up(GATEWAY);
  const gone = (argv: string[]) =>
    argv.at(-1) === "tayga.service" && ["enable", "start"].some((verb) => argv.includes(verb))
      ? refused("Unit tayga.service does not exist", 1)
      : undefined;
  const show = async (argv: string[]) => (await machine.run(argv)).stdout.split("\n\n");
  const asked = ["/usr/bin/systemctl", "show"];
  machine.before = (argv) => gone(argv);
  Object.assign(play.context, {
    runner: {
      run: async (argv: string[], options: object) => {
        if (!(argv[0] === asked[0] && argv[1] === asked[1])) return await machine.run(argv, options);
        const units = argv.slice(argv.indexOf("--") + 1);
        const blocks = await show(argv);
        const at = units.indexOf("tayga.service");
        if (at >= 0) blocks[at] = blocks[at]!.replace(/LoadState=\w+/, "LoadState=not-found");
        return { argv, code: 0, stdout: blocks.join("\n\n"), stderr: "" };
      },
    },
  });
  assertEquals(await play.down(), 0);
  assertEquals(machine.read(Path.journal), undefined);
});

test("up: after one that was killed, an up that fails leaves what it found, and makes nothing more", async () => {
  const { machine, play } = start();
  using _ = machine;
  const first = snapshot(machine);
  assert(await play.killedUp(GATEWAY, 3));
  const found = snapshot(machine);
  let failed = false;
  machine.before = (argv) => {
    if (failed || !argv[0]!.endsWith("/sysctl")) return undefined;
    failed = true;
    return refused("made to fail", 3);
  };
  await assertRejects(() => play.up(GATEWAY), CrxnError);
  assert(failed);
  machine.before = () => undefined;
  const made = differences(found, snapshot(machine)).filter((line) => line.startsWith("+ "));
  assertEquals(made.filter((line) => /^\+ (link|address|route)/.test(line)), []);
  await play.down();
  assertEquals(differences(first, snapshot(machine)), []);
});

test("down: from which iptables, or nft, was removed: all else is taken back, and chains by nft", async () => {
  for (const [name, programs] of [["iptables", /ip6?tables/], ["nftables", /nft$/]] as const) {
    const { machine, play } = start();
    using _ = machine;
    const first = snapshot(machine);
    await play.up(GATEWAY);
    machine.packages.remove(name);
    const missing = (argv: string[]) => programs.test(argv[0]!) ? refused(`${argv[0]}: not found`, 127) : undefined;
    await answering(play, missing, async () => {
      if (name === "iptables") assertEquals(await play.down(), 0);
      else await assertRejects(play.down, CrxnError, "nft: not found");
    });
    if (name === "nftables") {
      machine.packages.install(name, false);
      await play.down();
    }
    machine.packages.install(name, false);
    const left = differences(first, snapshot(machine));
    assertEquals(left, [], name);
    assertEquals(machine.read(Path.journal), undefined);
  }
});

test("down: what falls silent at the very end is settled by the next one", async () => {
  const { machine, play } = start();
  using _ = machine;
  const first = snapshot(machine);
  await play.up(GATEWAY);
  let looks = 0;
  // The first is what it takes back by, the second what comes after.
  const late = (argv: string[]) => QUESTIONS["nft"]!(argv) && ++looks > 1 ? refused("", 124) : undefined;
  await answering(play, late, async () => {
    await assertRejects(play.down, CrxnError, "could not be read");
  });
  assert(machine.read(Path.journal));
  assertEquals(await play.down(), 0);
  assertEquals(differences(first, snapshot(machine)), []);
  assertEquals(machine.read(Path.journal), undefined);
});

test("down: two edits of a file at one time are kept both", async () => {
  const { machine, play } = start();
  using _ = machine;
  const path = "/etc/tayga/ygg.conf";
  const edit = async (text: string) => {
    machine.write(path, text);
    await Deno.utime(machine.folder + path, 1, 1);
  };
  await play.up(GATEWAY);
  await edit("# first\n");
  await play.up(GATEWAY);
  await edit("# second\n");
  await play.down();
  assertEquals(machine.read(`${path}.edited-19700101T000001`), "# first\n");
  assertEquals(machine.read(`${path}.edited-19700101T000001-2`), "# second\n");
});

test("down: without iptables what nft does not show may be iptables-legacy's", async () => {
  const { machine, play } = start();
  using _ = machine;
  await play.up(GATEWAY);
  const { survey, blueprint: { items } } = await play.prepare(GATEWAY);
  const chains = items.filter(({ kind }) => kind === "chain");
  const packages = { ...survey.packages };
  delete packages["iptables"];
  const bare = { ...survey, packages, rules: {}, unknown: [] };
  assertEquals(silentFor(chains, { ...bare, legacy: { inet: {}, inet6: {} } }), []);
  const { legacy: _unread, ...unread } = bare;
  assert(silentFor(chains, unread).length > 0);
});
