import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { diffSnapshots, Lab, type Machine, snapshot, until } from "../rig/mod.ts";
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

// One crxn at a time, and what signals and a lost session do to one that is at work.

/** ip(8) that waits before it makes the translator's route, so that something can happen in the middle of `up`. */
const SLOW_IP = `#!/bin/sh
case "$*" in *"route replace 100.64.0.0/16"*) touch /run/slow; sleep 4 ;; esac
exec /usr/sbin/ip.real "$@"
`;

/**
 * Starts crxn in a terminal of its own (script(1)), and waits until it is in the middle of its work.
 * @returns its pid, which is the same for the binary and for a script that becomes Deno
 */
async function begin(gw: Machine, args: string): Promise<string> {
  const inside = `sh -c "echo \\$\\$ >/run/pid; exec crxn ${args}"; echo "ended with $?" >>/run/ended`;
  await gw.must("rm -f /run/slow /run/said /run/pid");
  await gw.must(`setsid -f script -qfc '${inside}' /run/said </dev/null >/dev/null 2>&1`);
  await until(
    "crxn to be in the middle of it",
    15,
    async () => (await gw.run(["test", "-e", "/run/slow"])).code === 0 || undefined,
  );
  const pid = (await gw.read("/run/pid")).trim();
  assert(await lives(gw, pid), `crxn ${args} has ended: ${await gw.read("/run/said")}`);
  return pid;
}

const lives = async (gw: Machine, pid: string) => (await gw.run(["kill", "-0", pid])).code === 0;

const ended = (gw: Machine, pid: string) => until("crxn to end", 30, async () => !(await lives(gw, pid)) || undefined);

for (const debian of someDebians("one crxn at a time")) {
  Deno.test(`crxn: alone at its work, whatever comes in between, ${debian}`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const { client, gw } = await sceneOf(lab, { debian, image: "ready" });
    const before = await snapshot(gw);
    const slow = async () => {
      await gw.must("mv /usr/sbin/ip /usr/sbin/ip.real");
      await gw.write("/usr/sbin/ip", SLOW_IP, 0o755);
    };
    const normal = () => gw.must("mv /usr/sbin/ip.real /usr/sbin/ip");
    const same = async () => assertEquals(diffSnapshots(before, await snapshot(gw)), "");

    await chapter("a second one is told who is at work: 75; --wait waits, at most so long", async () => {
      await slow();
      const pid = await begin(gw, "up --yes");
      const { stderr } = await crxn(gw, "down --yes", 75);
      assertMatch(stderr, new RegExp(`Another crxn is at work: crxn up, process ${pid}, since 20\\d\\d-.* UTC\\.`));
      const json = JSON.parse((await crxn(gw, "down --yes --json", 75)).stdout);
      assertEquals([json.schema, json.exit], ["crxn.error/1", 75]);
      assertStringIncludes(json.holder, `process ${pid}`);
      assertStringIncludes((await crxn(gw, "down --yes --wait 1", 75)).stderr, "at work still, after 1 s");
      assertStringIncludes((await crxn(gw, "up --yes --wait 0", 64)).stderr, "seconds");
      // What is edited meanwhile counts.
      const waiting = crxn(gw, "up --yes --wait");
      await new Promise((resolve) => setTimeout(resolve, 500));
      await gw.write(CONFIG, INTERFACE_GATEWAY + "nat64: {mss: 1234}\n");
      const waited = await waiting;
      assertStringIncludes(await gw.must("ip6tables-save -t mangle"), "--set-mss 1234");
      await gw.write(CONFIG, INTERFACE_GATEWAY);
      assertStringIncludes(waited.stderr, `waiting for another crxn: crxn up, process ${pid}`);
      await assertAnswers(client);
      await normal();
      await crxn(gw, "down --yes");
      await same();
    });
    await chapter("the holder is killed: the lock is free at once, and the next carries on", async () => {
      await slow();
      const pid = await begin(gw, "up --yes");
      await gw.must(["kill", "-KILL", pid]);
      await normal();
      await crxn(gw, "up --yes");
      await answersWithin(5, client);
      await assertNothingToDo(gw);
      await crxn(gw, "down --yes");
      await same();
    });
    await chapter("a program that takes no care ends with its terminal", async () => {
      await gw.must("setsid -f script -qfc 'sleep 321' /run/said </dev/null >/dev/null 2>&1");
      const runs = async () => (await gw.run(["pgrep", "-fx", "sleep 321"])).code === 0;
      await until("it to run", 5, async () => await runs() || undefined);
      await gw.must(["pkill", "-KILL", "-x", "script"]);
      await until("it to end", 5, async () => !(await runs()) || undefined);
    });
    await chapter("the session is lost in the middle of up: it goes on to its end", async () => {
      await slow();
      const pid = await begin(gw, "up --yes");
      // Who holds the terminal dies: the kernel hangs it up, and everything in it gets SIGHUP.
      await gw.must(["pkill", "-KILL", "-x", "script"]);
      await ended(gw, pid);
      await normal();
      await answersWithin(5, client);
      await assertNothingToDo(gw);
    });
    await chapter("the session is lost in the middle of down: it goes on to its end", async () => {
      await gw.write(
        "/usr/sbin/ip.slow",
        SLOW_IP.replace("route replace 100.64.0.0/16", "link del dev nat64-ygg"),
        0o755,
      );
      await gw.must("mv /usr/sbin/ip /usr/sbin/ip.real; mv /usr/sbin/ip.slow /usr/sbin/ip");
      const pid = await begin(gw, "down --yes");
      await gw.must(["pkill", "-KILL", "-x", "script"]);
      await ended(gw, pid);
      await normal();
      await assertSilent(client);
      await same();
    });
    for (const signal of ["INT", "TERM"]) {
      await chapter(`SIG${signal} in the middle of up: the step is done, then all of it is taken back`, async () => {
        await slow();
        const pid = await begin(gw, "up --yes");
        await gw.must(["kill", `-${signal}`, pid]);
        await ended(gw, pid);
        await normal();
        assertStringIncludes(await gw.read("/run/said"), `Interrupted by SIG${signal}. Taking back`);
        assertStringIncludes(await gw.read("/run/ended"), "ended with 1");
        await gw.must("rm /run/ended");
        await assertSilent(client);
        await same();
        await crxn(gw, "down --dry-run");
      });
    }
    await chapter("doctor --fix: a lost session does not stop it, SIGINT does between two steps", async () => {
      await crxn(gw, "up --yes");
      await gw.must("rm -f /run/ended; ip route del 100.64.0.0/16");
      await slow();
      const pid = await begin(gw, "doctor --fix --yes");
      await gw.must(["pkill", "-KILL", "-x", "script"]);
      await ended(gw, pid);
      await normal();
      await answersWithin(5, client);
      await assertNothingToDo(gw);
      await gw.must("ip route del 100.64.0.0/16; rm /etc/sysctl.d/crxn.conf");
      await slow();
      const second = await begin(gw, "doctor --fix --yes");
      await gw.must(["kill", "-INT", second]);
      await ended(gw, second);
      await normal();
      assertStringIncludes(await gw.read("/run/said"), "Interrupted by SIGINT");
      assertStringIncludes(await gw.read("/run/ended"), "ended with 1");
      assertStringIncludes(await gw.must("ip route show 100.64.0.0/16"), "nat64-ygg");
      await crxn(gw, "up --yes");
      await crxn(gw, "down --yes");
      await same();
    });
    await chapter("SIGINT in the middle of a change: the gateway is as it was before the change", async () => {
      await crxn(gw, "up --yes");
      await gw.write(CONFIG, INTERFACE_GATEWAY + "nat64: {pool: 100.127.0.0/16}\n");
      await gw.must("mv /usr/sbin/ip /usr/sbin/ip.real");
      await gw.write("/usr/sbin/ip", SLOW_IP.replace("100.64", "100.127"), 0o755);
      const pid = await begin(gw, "up --yes");
      await gw.must(["kill", "-INT", pid]);
      await ended(gw, pid);
      await normal();
      await answersWithin(5, client);
      await gw.write(CONFIG, INTERFACE_GATEWAY);
      await assertNothingToDo(gw);
      const { stdout } = await crxn(gw, "status --json");
      assert(JSON.parse(stdout).state !== "degraded", stdout);
      await crxn(gw, "down --yes");
      await same();
    });
  });
}
