import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { down } from "../../commands/down.ts";
import { CrxnError } from "../../gateway/errors.ts";
import { readJournal } from "../../machine/journal.ts";
import { refused } from "../unit/fake/answer.ts";
import { GATEWAY, start, test, YGGDRASIL } from "./start.ts";

const isPurge = (argv: string[]) => argv[0]!.endsWith("apt-get") && argv.includes("purge");

/** A bare machine on which crxn has brought all, and what it brought. */
async function brought(config: string) {
  const { machine, play } = start({ packages: [] });
  await play.up(config);
  const { brought } = await readJournal();
  machine.commands = [];
  const purge = async (json: boolean, dryRun?: true) => {
    let out = "";
    play.said = "";
    const ui = { ...play.context.ui, json, out: (text: string) => void (out += text + "\n") };
    const code = await down({ ...play.context, ui }, { purge: true, dryRun });
    return { code, out, said: play.said };
  };
  return { machine, play, brought, purge };
}

test("down --purge: what crxn brought goes, after one simulation", async () => {
  const { machine, brought: names, purge } = await brought(YGGDRASIL);
  using _ = machine;
  const { out } = await purge(true);
  assertEquals(JSON.parse(out).purged, names);
  assert(!out.includes('"stay"'), out);
  assertEquals(names.filter(machine.packages.has), []);
  assertEquals(machine.commands.filter(isPurge).map((c) => c.includes("--simulate")), [true, false]);
});

test("down --purge: a package that somebody else's needs stays, with what it needs itself, and is named", async () => {
  const { machine, brought: names, purge } = await brought(YGGDRASIL);
  using _ = machine;
  machine.packages.install("postgresql", false);
  machine.packages.needs.set("postgresql", ["iptables"]);
  machine.packages.needs.set("iptables", ["nftables"]);
  machine.packages.needs.set("tayga", ["iproute2"]);
  const stay = ["iptables", "nftables"];
  const goes = names.filter((n) => !stay.includes(n));

  const dry = await purge(false, true);
  assertStringIncludes(dry.out, `* purge ${goes.join(", ")}\n`);
  assertStringIncludes(
    dry.out,
    `Not purged, because other packages need it, or apt is told to hold one: ${stay.join(", ")}\n`,
  );
  assertEquals(JSON.parse((await purge(true, true)).out).stay.toSorted(), stay);
  assertEquals(names.filter((n) => !machine.packages.has(n)), []);

  const document = JSON.parse((await purge(true)).out);
  assertEquals([document.purged, document.stay.toSorted()], [goes, stay]);
  assert(machine.packages.has("postgresql"), "somebody else's is gone");
  assertEquals(names.filter(machine.packages.has).toSorted(), stay);
});

test("down --purge: of two alternatives that somebody else's can do with, one stays", async () => {
  const { machine, brought: names, purge } = await brought(GATEWAY);
  using _ = machine;
  machine.packages.install("fail2ban", false);
  machine.packages.needs.set("fail2ban", ["iptables|nftables"]);
  await purge(false);
  assert(machine.packages.has("fail2ban"));
  assertEquals(names.filter(machine.packages.has).length, 1);
});

test("down --purge: all is needed by others: nothing is purged, and the gateway goes", async () => {
  const { machine, brought: names, purge } = await brought(GATEWAY);
  using _ = machine;
  machine.packages.install("postgresql", false);
  machine.packages.needs.set("postgresql", names);
  const { out, said } = await purge(false);
  assertStringIncludes(said, `hold one: ${names.join(", ")}`);
  assertStringIncludes(out, "Everything is taken back");
  assertEquals(names.filter((n) => !machine.packages.has(n)), []);
  assertEquals(machine.commands.filter(isPurge).every((c) => c.includes("--simulate")), true);
});

test("down --purge: without apt's word on what goes along nothing is touched", async () => {
  const { machine, purge } = await brought(GATEWAY);
  using _ = machine;
  machine.before = (argv) => isPurge(argv) ? refused("E: Unmet dependencies.", 100) : undefined;
  const error = await assertRejects(() => purge(false), CrxnError, "apt does not say") as CrxnError;
  assertEquals(error.exit, 69);
  assertEquals(machine.commands.filter((c) => !isPurge(c)), []);
});

test("down --purge: what apt is told to hold stays, an apt that gives no answer is no such word", async () => {
  const held = "E: Unable to correct problems, you have held broken packages.\n";
  for (const [answer, stays] of [[refused(held, 100), true], [refused("", 124), false]] as const) {
    const { machine, brought: names, purge } = await brought(GATEWAY);
    using _ = machine;
    const [first] = names;
    // Whatever takes this one along.
    machine.before = (argv) => isPurge(argv) && argv.includes(first!) ? answer : undefined;
    if (stays) {
      await purge(false);
      assertEquals(names.filter(machine.packages.has), [first]);
    } else await assertRejects(() => purge(false), CrxnError, "apt does not say");
  }
});
