import { assert, assertEquals } from "@std/assert";
import { dice } from "../unit/dice.ts";
import { refused } from "../unit/fake/answer.ts";
import { FAR, WALK } from "../unit/fake/configs.ts";
import { FakeMachine } from "../unit/fake/machine.ts";
import { Play } from "../unit/fake/play.ts";
import { differences, snapshot } from "../unit/fake/snapshot.ts";

/** Changes by somebody else to things that are not ours: they happen to a machine that never sees crxn as well. */
const FOREIGN: ((m: FakeMachine) => unknown)[] = [
  (m) => m.netfilter.command("ip", ["-I", "FORWARD", "-s", "192.0.2.7", "-j", "DROP"]),
  (m) => m.netfilter.command("ip", ["-D", "FORWARD", "-s", "192.0.2.7", "-j", "DROP"]),
  (m) => m.netfilter.command("ip6", ["-A", "INPUT", "-p", "tcp", "-j", "ACCEPT"]),
  (m) => m.netfilter.command("ip", ["-P", "FORWARD", "DROP"]),
  (m) => m.netfilter.command("ip", ["-P", "FORWARD", "ACCEPT"]),
  (m) => m.netfilter.command("ip6", ["-P", "FORWARD", "DROP"]),
  (m) => m.netfilter.command("ip6", ["-P", "INPUT", "DROP"]),
  (m) => m.netfilter.command("ip6", ["-P", "INPUT", "ACCEPT"]),
  (m) => m.network.ip(["route", "replace", "198.51.100.0/24", "dev", "wg0", "proto", "63"]),
  (m) => m.network.ip(["-6", "route", "replace", "blackhole", "2001:db8:77::/64", "proto", "static"]),
  (m) => m.network.ip(["address", "replace", "203.0.113.9/32", "dev", "wg0"]),
  (m) => m.write("/etc/tayga/other.conf", "tun-device other\n"),
  (m) => m.write("/etc/sysctl.d/99-other.conf", "# nothing\n"),
  (m) => m.network.find("br0") ?? m.network.addLink({ name: "br0", kind: "bridge", up: true }),
];

/** Changes by somebody else to what is ours: the next `up` mends them. */
const DAMAGE: ((m: FakeMachine) => unknown)[] = [
  (m) => m.network.routes = m.network.routes.filter((r) => r.protocol !== "64" || r.type === "unicast"),
  (m) => m.network.routes = m.network.routes.filter((r) => r.protocol !== "64" || r.family === "inet"),
  (m) => m.netfilter.tables.get("ip nat")?.get("CRXN-POSTROUTING")?.rules.splice(0),
  (m) => m.netfilter.tables.get("ip filter")?.get("FORWARD")?.rules.splice(0, 1, ...[]),
  (m) => m.sysctls.set("net/ipv4/ip_forward", "0"),
  (m) => m.sysctls.set("net/ipv6/conf/all/forwarding", "0"),
  (m) => m.network.find("nat64-ygg") && m.network.setDown("nat64-ygg"),
  (m) => m.network.find(`crxn-${FAR.slice(0, 8)}`) && m.network.removeLink(`crxn-${FAR.slice(0, 8)}`),
  (m) => [...m.systemd.units.keys()].filter((u) => /crxn|tayga@|yggdrasil/.test(u)).forEach((u) => m.systemd.stop(u)),
  (m) => m.read("/etc/tayga/ygg.conf") && m.write("/etc/tayga/ygg.conf", "tun-device nat64-ygg\n# edited\n"),
  (m) => m.read("/etc/sysctl.d/crxn.conf") && Deno.removeSync(`${m.folder}/etc/sysctl.d/crxn.conf`),
];

/** What `up` has kept of files that somebody has edited. */
function removeKept({ folder }: FakeMachine): void {
  const tayga = `${folder}/etc/tayga`;
  let others = 0;
  for (const { name } of [...exists(tayga) ? Deno.readDirSync(tayga) : []]) {
    if (name.includes(".edited-")) Deno.removeSync(`${tayga}/${name}`);
    else others++;
  }
  if (exists(tayga) && others === 0) Deno.removeSync(tayga);
}

const exists = (path: string): boolean => {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
};

/** Commands that ask: what they answer is not a failure to crxn. */
const mayFail = (argv: string[]) => argv[0]!.endsWith("unshare") || argv.includes("-C");
const isJump = (rule: string) => rule.includes("crxn:jump");

for (const seed of [1, 2, 3]) {
  Deno.test({
    name: `up, down, kills, faults and others' changes: after 100 random steps nothing is lost (seed ${seed})`,
    ignore: Deno.uid() !== 0,
    fn: async () => {
      const roll = dice(seed);
      using machine = new FakeMachine({ ra: seed === 2 });
      using twin = new FakeMachine({ ra: seed === 2 });
      const play = new Play(machine);
      const names = Object.keys(WALK);
      const path: string[] = [];
      const seen = { ups: 0, downs: 0, killed: 0, failed: 0 };
      for (let step = 0; step < 100; step++) {
        const name = names[roll(names.length)]!;
        const config = WALK[name]!;
        const where = () => `after: ${path.slice(-6).join(" | ")}`;
        switch (roll(7)) {
          case 0:
          case 1: {
            path.push(`up ${name}`);
            assertEquals(await play.up(config), 0, `${where()}\n${play.said.slice(-2000)}`);
            assertEquals((await play.steps(config)).map((s) => s.title), [], where());
            seen.ups++;
            break;
          }
          case 2: {
            const at = roll(60);
            path.push(`up ${name}, killed at ${at}`);
            if (await play.killedUp(config, at)) seen.killed++;
            break;
          }
          case 3: {
            const at = roll(40);
            path.push(`down, killed at ${at}`);
            if (await play.killedDown(at)) seen.killed++;
            break;
          }
          case 4: {
            const at = roll(40);
            path.push(`up ${name}, command ${at} fails`);
            let count = 0;
            machine.before = (argv) => !mayFail(argv) && count++ === at ? refused("made to fail", 3) : undefined;
            await play.up(config).catch(() => seen.failed++);
            machine.before = () => undefined;
            break;
          }
          case 5: {
            const which = roll(FOREIGN.length);
            path.push(`foreign ${which}`);
            for (const m of [machine, twin]) FOREIGN[which]!(m);
            if (roll(2) === 0) {
              const damage = roll(DAMAGE.length);
              path.push(`damage ${damage}`);
              const rule = machine.netfilter.tables.get("ip filter")?.get("FORWARD")?.rules[0];
              if (damage !== 3 || (rule && isJump(rule))) DAMAGE[damage]!(machine);
            }
            break;
          }
          case 6: {
            path.push("down");
            const downed = await play.down().catch((error) => `${error.message}\n${snapshot(machine)}`);
            assertEquals(downed, 0, `${where()}\n${play.said.slice(-2000)}`);
            removeKept(machine);
            const [is, want] = [machine, twin].map((m) => snapshot(m, { tables: false }));
            assertEquals(differences(want!, is!), [], where());
            // A fetched daemon stays until `down --purge`.
            const journal = machine.read("/var/lib/crxn/journal.jsonl")?.split("\n") ?? [];
            assertEquals(journal.filter((line) => line !== "" && !line.includes('"fetched"')), [], where());
            seen.downs++;
            break;
          }
        }
      }
      assert(seen.ups > 15 && seen.downs > 5 && seen.killed > 10 && seen.failed > 2, JSON.stringify(seen));
    },
  });
}
