import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { diffSnapshots, Lab, snapshot } from "../rig/mod.ts";
import { BY_HAND, lostWhile } from "./by_hand.ts";
import {
  answersWithin,
  assertAnswers,
  assertNothingToDo,
  assertSilent,
  chaptersOf,
  CONFIG,
  crxn,
  killAndWait,
  sceneOf,
  someDebians,
} from "./story.ts";

// A gateway that was typed from an operator's notes: taken over while it runs, and given back.

const UNIT = "tayga@ygg";
/** tayga writes its list of clients whenever it likes. */
const LIST = { ignore: [/dynamic\.map/] };
const STATE = "ActiveState,SubState,MainPID,FragmentPath,UnitFileState";

async function secondsOf(body: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await body();
  return (performance.now() - begun) / 1000;
}

for (const debian of someDebians("taking over a gateway made by hand")) {
  Deno.test(`crxn init --import, ${debian}: a gateway made by hand is taken over while it runs, and given back`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const { client, gw } = await sceneOf(lab, { debian, image: "ready" });
    await gw.must(["rm", "-f", CONFIG]);
    await assertSilent(client);
    await crxn(gw, "init --import --print", 69);
    await gw.must(BY_HAND);
    await answersWithin(10, client);
    const before = await snapshot(gw);
    const pid = async () => (await gw.must(["systemctl", "show", "-P", "MainPID", UNIT])).trim();
    const first = await pid();
    const lost = (body: () => Promise<unknown>) => lostWhile(client, body);

    await chapter("the config that describes it, printed or written, and what was there is kept", async () => {
      assertMatch((await crxn(gw, "init --import", 64)).stderr, /no terminal/);
      const { stdout, stderr } = await crxn(gw, "init --import --print");
      for (
        const line of [
          "address: 10.5.0.1/32",
          "interface: ovl0",
          "instance: ygg",
          "pool: 100.64.0.0/16",
          "{to: 10.0.0.0/8}",
        ]
      ) {
        assertStringIncludes(stdout, line);
      }
      assertStringIncludes(stderr, "nothing is interrupted");
      assertEquals(diffSnapshots(before, await snapshot(gw), LIST), "");
      await crxn(gw, "init --import --yes");
      assertEquals(await gw.read(CONFIG), stdout);
      assertMatch((await crxn(gw, "init --import --yes")).stdout, /The config that was there is .*crxn\.yaml~/);
      await gw.must(["rm", `${CONFIG}~`]);
    });
    await gw.must(["rm", CONFIG]);
    const described = await snapshot(gw);
    await chapter("up takes it over, and none of fifty pings a second is lost", async () => {
      await crxn(gw, "init --import --yes");
      assertEquals(await lost(() => crxn(gw, "up --yes")), 0);
      assertEquals(await pid(), first);
      assertStringIncludes(
        await gw.must(["systemctl", "show", "-p", STATE, UNIT]),
        "/etc/systemd/system/tayga@ygg.service",
      );
      await assertNothingToDo(gw);
      await crxn(gw, "doctor --skip probe");
    });
    await chapter("down gives it back, and none is lost either", async () => {
      assertEquals(await lost(() => crxn(gw, "down --yes")), 0);
      assertEquals(await pid(), first);
      await gw.must(["rm", CONFIG]);
      assertEquals(diffSnapshots(described, await snapshot(gw), LIST), "");
    });
    await chapter("an up that is killed on its way can be taken back, and none is lost", async () => {
      const begun: number[] = [];
      await crxn(gw, "init --import --yes");
      const whole = await secondsOf(() => crxn(gw, "up --yes"));
      await crxn(gw, "down --yes");
      await gw.must(["rm", CONFIG]);
      for (const share of [0.15, 0.3, 0.45, 0.6]) {
        const seconds = (share * whole).toFixed(2);
        await crxn(gw, "init --import --yes");
        const lostThen = await lost(async () => {
          const { code } = await gw.run(["timeout", "-s", "KILL", seconds, "crxn", "up", "--yes"]);
          assertEquals(code, 137, "it was done before it was killed");
          begun.push(Number(await gw.must("cat /var/lib/crxn/journal.jsonl 2>/dev/null | wc -l")));
          await crxn(gw, "down --yes");
        });
        assertEquals([lostThen, await pid()], [0, first], `killed after ${seconds} s`);
        await gw.must(["rm", CONFIG]);
        assertEquals(diffSnapshots(described, await snapshot(gw), LIST), "", `killed after ${seconds} s`);
      }
      assertEquals(new Set(begun).size > 1 && begun.some((lines) => lines > 10), true, `all at one place: ${begun}`);
    });
    await chapter("one that did not start at boot does not afterwards, by down and by undo.sh", async () => {
      await gw.must(["systemctl", "--quiet", "disable", UNIT]);
      const idle = await snapshot(gw);
      for (const back of ["crxn down --yes", "sh /var/lib/crxn/undo.sh"]) {
        await crxn(gw, "init --import --yes");
        await crxn(gw, "up --yes");
        await gw.must(back);
        await gw.must(["rm", CONFIG]);
        assertEquals(diffSnapshots(idle, await snapshot(gw), LIST), "", back);
      }
      assertEquals(await pid(), first);
      await gw.must(["systemctl", "--quiet", "enable", UNIT]);
    });
    await chapter("so does undo.sh, without crxn", async () => {
      await crxn(gw, "init --import --yes");
      await crxn(gw, "up --yes");
      assertEquals(await lost(() => gw.must("sh /var/lib/crxn/undo.sh")), 0);
      assertEquals(await pid(), first);
      await gw.must(["rm", CONFIG]);
      assertEquals(diffSnapshots(described, await snapshot(gw), LIST), "");
    });
    await chapter(
      "what was typed is not needed any more: its rules go, its process dies, the machine boots",
      async () => {
        await crxn(gw, "init --import --yes");
        await crxn(gw, "up --yes");
        await gw.must("iptables -t nat -D POSTROUTING -s 100.64.0.0/16 -o ovl0 -j MASQUERADE");
        await assertAnswers(client);
        await killAndWait(gw, UNIT, 5, client);
        assertEquals((await gw.must(["systemctl", "show", "-P", "DynamicUser", UNIT])).trim(), "yes");
        await gw.reboot();
        await answersWithin(20, client);
        await assertNothingToDo(gw);
        // Nothing of it is there twice: the drop-in that types it is still in its place.
        assertEquals(await gw.must("iptables-save -t nat | grep -c MASQUERADE || true"), "0\n");
      },
    );
    await chapter("down after that: its owner's unit starts it, with its owner's rules", async () => {
      await crxn(gw, "down --yes");
      await answersWithin(10, client);
      assertStringIncludes(
        await gw.must(["systemctl", "show", "-p", STATE, UNIT]),
        "/etc/systemd/system/tayga@.service",
      );
      assertEquals(await gw.must("iptables-save -t nat | grep -c MASQUERADE"), "1\n");
      await gw.must(["rm", CONFIG]);
      const after = await snapshot(gw);
      // As after a boot with nothing of crxn's.
      await gw.reboot();
      await answersWithin(20, client);
      // A new device has a new link-local address, and tayga goes on writing its list.
      const changed = diffSnapshots(await snapshot(gw), after).split("\n").filter((line) => /^ +[-+]/.test(line));
      assertEquals(changed.filter((line) => !/fe80::|dynamic\.map/.test(line)), []);
      await gw.must(["systemctl", "stop", UNIT]);
      await assertSilent(client);
      assertEquals((await gw.run(["test", "-e", "/var/lib/crxn"])).code, 1);
    });
  });
}
