import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Lab, type Machine } from "../rig/mod.ts";
import { Keyboard } from "../rig/terminal.ts";
import { pairOf, upOnBoth } from "./pair.ts";
import {
  answersWithin,
  assertAnswers,
  assertNothingToDo,
  assertSilent,
  chaptersOf,
  checked,
  CONFIG,
  crxn,
  HOST,
  ROUTED,
  someDebians,
} from "./story.ts";
import { wireguardOf } from "./wireguard.ts";

// `crxn init` in the hands of a person at a terminal, and in those of a program without one.

/** The end of what is shown while an answer is waited for. */
const PROMPT = /(Answer( \[[^\n]*\])?: |\[y\/N\] )$/;

/** Answers one question. @returns what was shown for it, up to the next question */
async function answer(keys: Keyboard, text: string): Promise<string> {
  await keys.type(text);
  return await keys.shows(new RegExp(`\n[^]*(${PROMPT.source}|READY# $)`));
}

async function begin(keys: Keyboard, command: string): Promise<void> {
  await answer(keys, command);
}

const untouched = async (gw: Machine) =>
  assertEquals((await gw.run(["ls", "/etc/crxn"])).code, 2, "nothing is written");

/** Ctrl-C, and the end of the input, at each question: nothing is written, and the terminal is as it was. */
async function leaveAtEach(gw: Machine, keys: Keyboard, answers: string[]): Promise<void> {
  const before = await keys.settings();
  for (let questions = 0; questions <= answers.length; questions++) {
    for (const [key, exit, says] of [["C-c", 130, "Interrupted."], ["C-d", 1, "The input ended"]] as const) {
      await begin(keys, "crxn init");
      for (const text of answers.slice(0, questions)) await answer(keys, text);
      if (questions === answers.length) await keys.shows(/Write it\? \[y\/N\] $/);
      await keys.press(key);
      const { text, code } = await keys.end();
      assertEquals(code, exit, text);
      // deno-lint-ignore no-control-regex
      assertMatch(text.replace(/\x1b\[\d+m/g, ""), new RegExp(`\\ncrxn: ${says}[^\\n]*Nothing was written\\.\\n`));
      await untouched(gw);
    }
  }
  assertEquals(await keys.settings(), before, "the terminal is as it was");
}

/** Each line fits, and none has an escape sequence in it. */
function assertPlain(shown: string): void {
  for (const line of shown.split("\n")) assert(line.length <= 80, `more than 80 columns: ${line}`);
  // deno-lint-ignore no-control-regex
  assert(!/\x1b/.test(shown), JSON.stringify(shown));
}

for (const debian of someDebians("crxn init")) {
  Deno.test(`crxn init: a person makes a gateway over WireGuard of a ${debian}, key by key`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const { client, gw, configure } = await wireguardOf(lab, debian);
    await configure("Address = 10.5.0.1/32");
    await gw.must(`rm -r /etc/crxn; systemctl restart wg-quick@wg0`);
    await using keys = await Keyboard.at(gw);
    const answers = ["", "", "", "", ROUTED, ""];

    await chapter("Ctrl-C and Ctrl-D at each question", () => leaveAtEach(gw, keys, answers));
    await chapter("wrong answers are refused at once, and the file is written", async () => {
      let shown = "";
      const say = async (text: string) => shown += await answer(keys, text);
      const wrong = async (text: string, says: RegExp) => {
        const told = await answer(keys, text);
        shown += told;
        assertMatch(told.replace(/\s+/g, " "), says);
        assertMatch(told, PROMPT);
      };
      await begin(keys, "umask 077; crxn init");
      await keys.press("C-z");
      await keys.shows(/READY# $/);
      assertMatch(await answer(keys, "fg"), /Answer \[gateway\]: $/);
      await wrong("router", /"router" is none of the choices/);
      await say("gateway");
      await wrong("?", /crxn leaves the link as it is/);
      await wrong("wg9", /"wg9" does not exist on this machine/);
      await wrong("eth0", /"eth0" is the uplink too/);
      await say("wg0");
      await wrong("10.5.0.256", /is not an IPv4 address/);
      await say("back");
      await say("");
      assertMatch(await answer(keys, ""), /10\.0\.0\.0\/8 \(routes by wg0\)/);
      await wrong("10.0.0.1/8", /has host bits set/);
      await say("");
      await wrong("fe80::/64", /link-local/);
      await say(ROUTED);
      await wrong("2001:db8::/96", /is not inside routed/);
      assertMatch(await answer(keys, ""), /\[y\/N\] $/);
      await say("back");
      const last = await answer(keys, "");
      assertStringIncludes(last, "\n    prefix: 2a04:5b80:300:4::/96\n");
      assertMatch(last, /Write it\? \[y\/N\] $/);
      assertPlain(shown + last);
      await untouched(gw);
      await keys.type("y");
      const { text, code } = await keys.end();
      assertEquals(code, 0, text);
      assertMatch(text, /Wrote \/etc\/crxn\/crxn\.yaml\.\n/);
      assertMatch(text, /crxn up --dry-run/);
      assertEquals(await gw.must(["stat", "-c", "%a %U:%G", "/etc/crxn", CONFIG]), "755 root:root\n644 root:root\n");
      assertEquals(await gw.must(["ls", "-A", "/etc/crxn"]), "crxn.yaml\n");
    });
    await chapter("up accepts it; before up nothing answers", async () => {
      await assertSilent(client);
      await crxn(gw, "up --dry-run", 2);
      await assertSilent(client);
    });
    await chapter("up: the ping answers, and nothing is left to do", async () => {
      await crxn(gw, `up --yes --target ${HOST}`);
      await assertAnswers(client);
      await assertNothingToDo(gw);
    });
    await chapter(
      "a second init on the gateway proposes what is there, asks before it writes, and keeps the old one",
      async () => {
        const old = await gw.read(CONFIG);
        await begin(keys, "crxn init");
        for (const text of ["", "", "", "", ""]) await answer(keys, text);
        assertMatch(await answer(keys, ""), /keep the old one\? \[y\/N\] $/);
        await keys.type("");
        assertEquals((await keys.end()).code, 1, "Enter is no");
        assertEquals(await gw.must(["ls", "-A", "/etc/crxn"]).then((t) => t.includes("crxn.yaml~")), false);
        assertEquals(await gw.read(CONFIG), old);
      },
    );
    await chapter("without a terminal: 64 unless --yes, 77 without root, and --print writes nothing", async () => {
      const said = (argv: string, exit: number) => gw.sh(argv).then((output) => checked(gw, argv, output, exit));
      const old = await gw.read(CONFIG);
      assertMatch((await said("crxn init", 64)).stderr, /There is a config at .*--yes/s);
      assertMatch((await said("crxn init --route 10.0.0.0/40", 64)).stderr, /--route: "10\.0\.0\.0\/40"/);
      const nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups crxn init";
      await said(nobody, 77);
      assertEquals((await said(`${nobody} --print`, 0)).stdout, (await said("crxn init --print", 0)).stdout);
      assertEquals(await gw.read(CONFIG), old);
      const { stdout } = await said("crxn init --yes --json --pool 192.168.64.0/18", 0);
      const { path, written, mode, backup, config } = JSON.parse(stdout);
      assertEquals([path, written, mode, backup], [CONFIG, true, "0644", `${CONFIG}~`]);
      assertEquals([await gw.read(CONFIG), await gw.read(`${CONFIG}~`)], [config, old]);
      assertStringIncludes(config, "pool: 192.168.64.0/18");
      await crxn(gw, "up --yes");
      await assertAnswers(client);
      await gw.must("install -d -o 65534 /run/theirs");
      assertMatch((await said("crxn init --yes --config /run/theirs/x.yaml", 78)).stderr, /belongs to user 65534/);
    });
  });

  Deno.test(`crxn init: two ${debian}s over yggdrasil, one by a person with TERM=dumb, one by options`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const { client, gw, node, keys: publicKeys, order } = await pairOf(lab, {
      debian,
      image: "ready",
      tunnel: "vxlan",
    });
    await Promise.all([gw, node].map((machine) => machine.must("rm -r /etc/crxn")));
    await using keys = await Keyboard.at(gw, "dumb");
    const answers = ["", "yggdrasil", "10.5.0.1", "10.0.0.0/8", publicKeys.node, "", "tls://[::]:4443", "", ROUTED, ""];

    await chapter("Ctrl-C and Ctrl-D at each question", () => leaveAtEach(gw, keys, answers));
    await chapter("wrong keys and peers are refused at once, and the file is written", async () => {
      let shown = "";
      await begin(keys, "crxn init --tunnel vxlan");
      const wrong: Record<number, [text: string, says: RegExp]> = {
        4: [publicKeys.gw, /is this machine's own key/],
        5: ["tls://10.1.0.1:443", /a peer whose own address lies inside an overlay route swallows itself/],
        6: ["tls://[::]", /HOST:PORT|port/],
        7: ["10.0.0.0/8", /an overlay route too/],
      };
      for (const [i, text] of answers.entries()) {
        if (i === 1) continue;
        if (wrong[i]) {
          const told = await answer(keys, wrong[i][0]);
          assertMatch(told.replace(/\s+/g, " "), wrong[i][1]);
          shown += told;
        }
        shown += await answer(keys, text);
      }
      assertPlain(shown);
      await keys.type("y");
      const { text, code } = await keys.end();
      assertEquals(code, 0, text);
      assertMatch(text, /crxn init --key/);
    });
    await chapter("without a terminal what is missing is named; with it the node's config is written", async () => {
      const options = `--node --overlay yggdrasil --tunnel vxlan --peer tls://[${gw.uplink.ipv6}]:4443`;
      const { stderr } = await crxn(node, `init --yes ${options}`, 64);
      assertMatch(stderr, /--address ADDRESS\/LENGTH/);
      await untouched(node);
      await crxn(node, `init --yes ${options} --address 10.1.0.1/32 --route 10.5.0.0/16=${publicKeys.gw}`);
      assertEquals(await node.must(["stat", "-c", "%a", CONFIG]), "644\n");
      assertStringIncludes(await node.read(CONFIG), "local:\n    - 10.1.0.0/16\n");
    });
    await chapter("before up nothing answers; after it the ping does", async () => {
      await assertSilent(client);
      await upOnBoth({ order });
      await answersWithin(30, client);
    });
  });
}
