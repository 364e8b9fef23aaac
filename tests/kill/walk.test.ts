import { assertEquals, assertStringIncludes } from "@std/assert";
import { diffSnapshots, Lab, snapshot } from "../rig/mod.ts";
import { answersWithin, assertSilent, CONFIG, crxn, sceneOf, someDebians } from "../machines/story.ts";
import { dice } from "../unit/dice.ts";
import { assertClutter, clutter } from "./clutter.ts";
import { CONFIGS } from "./configs.ts";
import { installMortal, killed } from "./mortal_machine.ts";

// A random walk: whatever has happened before, `up` makes the gateway, and `down` the machine as it was.

/** Something that somebody else does to the machine, how it is taken back, and whether a reboot forgets it. */
interface Foreign {
  name: string;
  does: string;
  undoes: string;
  shows: string;
  passing?: true;
}

const FOREIGN: Foreign[] = [
  {
    name: "a rule in FORWARD",
    does: "iptables -I FORWARD -s 192.0.2.77 -j DROP",
    undoes: "iptables -D FORWARD -s 192.0.2.77 -j DROP",
    shows: "iptables -C FORWARD -s 192.0.2.77 -j DROP",
    passing: true,
  },
  {
    name: "an IPv6 rule in INPUT",
    does: "ip6tables -A INPUT -p tcp --dport 7777 -j ACCEPT",
    undoes: "ip6tables -D INPUT -p tcp --dport 7777 -j ACCEPT",
    shows: "ip6tables -C INPUT -p tcp --dport 7777 -j ACCEPT",
    passing: true,
  },
  {
    name: "a route",
    does: "ip route add 198.18.7.0/24 dev eth0 proto 63",
    undoes: "ip route del 198.18.7.0/24 dev eth0 proto 63",
    shows: "ip route show 198.18.7.0/24 | grep -q proto.63",
    passing: true,
  },
  {
    name: "a native table",
    does: "nft add table inet theirs; nft add chain inet theirs my_forward '{ type filter hook forward priority 5; }'",
    undoes: "nft delete table inet theirs",
    shows: "nft list table inet theirs",
    passing: true,
  },
  {
    name: "an address",
    does: "ip address add 203.0.113.201/32 dev lo",
    undoes: "ip address del 203.0.113.201/32 dev lo",
    shows: "ip address show dev lo | grep -q 203.0.113.201",
    passing: true,
  },
  {
    name: "a sysctl file",
    // A reboot would put it into force.
    does:
      "echo net.ipv4.conf.all.log_martians=1 >/etc/sysctl.d/98-theirs.conf; sysctl -q -w net.ipv4.conf.all.log_martians=1",
    undoes: "rm /etc/sysctl.d/98-theirs.conf; sysctl -q -w net.ipv4.conf.all.log_martians=0",
    shows: "test -e /etc/sysctl.d/98-theirs.conf",
  },
  {
    name: "a drop-in for a unit of crxn's",
    does:
      "mkdir -p /etc/systemd/system/crxn-overlay.service.d && printf '[Unit]\\nX-Theirs=1\\n' >/etc/systemd/system/crxn-overlay.service.d/theirs.conf; systemctl daemon-reload",
    undoes: "rm -r /etc/systemd/system/crxn-overlay.service.d; systemctl daemon-reload",
    shows: "test -e /etc/systemd/system/crxn-overlay.service.d/theirs.conf",
  },
  {
    name: "another tayga's config",
    does: "mkdir -p /etc/tayga && echo tun-device other >/etc/tayga/walk.conf",
    undoes: "rm /etc/tayga/walk.conf; rmdir /etc/tayga 2>/dev/null || true",
    shows: "test -e /etc/tayga/walk.conf",
  },
];

/** Damage to what is crxn's: the next `up` mends it. Where nothing is there it does nothing. */
const DAMAGE: Record<string, string> = {
  "crxn's routes are gone": "ip route flush proto 64; ip -6 route flush proto 64",
  "a rule of crxn's is gone": "iptables -t nat -F CRXN-POSTROUTING",
  "all of FORWARD is flushed": "iptables -F CRXN-FORWARD; ip6tables -F CRXN-FORWARD",
  "forwarding is off": "sysctl -q -w net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0",
  "the translator is stopped": "systemctl stop 'tayga@*'",
  "the translator is killed": "pkill -KILL -x tayga",
  "the translator's device is gone": "ip link del nat64-ygg",
  "tayga's config is edited": "sed -i '$a # edited' /etc/tayga/ygg.conf",
  "crxn's sysctl file is gone": "rm /etc/sysctl.d/crxn.conf",
  "crxn's units are disabled": "systemctl disable -q crxn-overlay crxn-firewall",
  "a unit is gone": "rm /etc/systemd/system/crxn-firewall.service; systemctl daemon-reload",
  "the link goes down and up": "ip link set ovl0 down; ip link set ovl0 up",
};

const ALL = Deno.env.get("CRXN_FAULTS") === "all";
const STEPS = ALL ? 110 : 18;

for (const debian of someDebians("a random walk")) {
  Deno.test(`crxn: a random walk of ${STEPS} steps, ${debian}`, async (t) => {
    const seed = Number(Deno.env.get("CRXN_SEED") ?? crypto.getRandomValues(new Uint32Array(1))[0]);
    console.log(`the walk: CRXN_SEED=${seed} goes the same way`);
    const roll = dice(seed);
    const pick = <T>(list: T[]): T => list[roll(list.length)]!;
    await using lab = await Lab.create();
    const { client, gw } = await sceneOf(lab, { debian, image: "ready" });
    await installMortal(gw);
    await gw.reboot();
    await assertSilent(client);
    let first = await snapshot(gw);
    const there = new Set<Foreign>();
    /** As it would be without the others, who then do it again. */
    const same = async () => {
      for (const { name, shows } of there) assertEquals((await gw.sh(shows)).code, 0, `${name} did not survive`);
      for (const { undoes } of there) await gw.must(undoes);
      // What `up` has kept of edited files is somebody's.
      await gw.must("find /etc -name '*.edited-*' -delete; rmdir /etc/tayga 2>/dev/null || true");
      assertEquals(diffSnapshots(first, await snapshot(gw), { ignore: EMPTY }), "");
      for (const { does } of there) await gw.must(does);
    };
    const configure = async () => {
      const name = pick(Object.keys(CONFIGS));
      await gw.write(CONFIG, CONFIGS[name]!);
      return name;
    };
    const up = async () => {
      await crxn(gw, "up --yes");
      await answersWithin(10, client);
      await crxn(gw, "up --dry-run");
    };
    const down = async () => {
      await crxn(gw, "down --yes");
      await assertSilent(client);
      await same();
    };
    const steps: [weight: number, name: () => string | Promise<string>, body: () => Promise<unknown>][] = [
      [5, async () => `up ${await configure()}`, up],
      [2, () => "down", down],
      [
        3,
        async () => `up ${await configure()}, killed`,
        () => killed(gw, "up --yes", `${roll(110)}${pick(["", "+"])}`),
      ],
      [2, () => "down, killed", () => killed(gw, "down --yes", `${roll(90)}${pick(["", "+"])}`)],
      [1, () => "a reboot", () => reboot()],
      [1, () => "the power goes", () => reboot(true)],
      [1, () => "doctor --fix", () => gw.run(["crxn", "doctor", "--fix", "--yes"])],
    ];
    const reboot = async (crash = false) => {
      await gw.reboot({ crash });
      for (const one of there) if (one.passing) there.delete(one);
    };
    const cards = steps.flatMap((step) => Array(step[0]).fill(step) as typeof steps);
    for (let n = 1; n <= STEPS; n++) {
      const which = roll(cards.length + 6);
      const card = cards[which];
      let name: string;
      let body: () => Promise<unknown>;
      if (card) [name, body] = [await card[1](), card[2]];
      else if (which % 2 === 0) {
        const one = pick(FOREIGN);
        const is = there.has(one);
        name = `${is ? "no more" : "somebody's"}: ${one.name}`;
        body = async () => {
          await gw.must(is ? one.undoes : one.does);
          if (is) there.delete(one);
          else there.add(one);
        };
      } else {
        name = pick(Object.keys(DAMAGE));
        body = () => gw.sh(DAMAGE[name]!);
      }
      if (!await t.step(`${n}. ${name}`, async () => void await body())) throw new Error(`The walk ends at step ${n}.`);
    }
    await t.step("at its end: up, and down", async () => {
      await up();
      await down();
    });
    // The near misses are too many to be taken back after each step: they have a walk of their own, of one `up` with each.
    await t.step("among near misses of all that crxn owns: each config, and down", async () => {
      for (const { undoes } of there) await gw.must(undoes);
      there.clear();
      await clutter(gw);
      first = await snapshot(gw);
      for (const text of Object.values(CONFIGS)) {
        await gw.write(CONFIG, text);
        await up();
        await assertClutter(gw, { up: false });
      }
      await down();
      await assertClutter(gw, { up: false });
      assertStringIncludes((await crxn(gw, "down --yes")).stdout, "nothing to take back");
    });
  });
}

/** Tables and built-in chains of iptables with nothing in them: whoever used iptables first has made them. None of crxn's. */
const EMPTY = [
  /^nftables: (table|chain) (?!.*CRXN).*"family":"ip6?".*"(filter|nat|mangle|raw)"/,
  /^ip6?tables-nft: (?!.*CRXN)[*:]/,
];
