import { assert, assertEquals, assertMatch } from "@std/assert";
import { daemon } from "../rig/daemons.ts";
import { diffSnapshots, installProduct, Lab, type Machine, snapshot, until } from "../rig/mod.ts";
import { bringDaemon, pairOf, publicKeyOf, upOnBoth } from "../machines/pair.ts";
import { answersWithin, chaptersOf, CONFIG, crxn } from "../machines/story.ts";

// Keys and daemons that do not go together: said before anything starts where it can be told, named by doctor where not.

const YGGDRASIL = "/etc/yggdrasil/yggdrasil.conf";
/** A box key of yggdrasil 0.3, of the operator's notes, and an ed25519 key; nobody in the lab has either. */
const OLD_KEY = "6fa497818044d164d7f895a69e4678f03d99820b23c1912970e9255910bd8308";
const KEY = "bdbacfd82240de3dcd123924cbb55256fb8dab08aa98e305528ab84f419e6efb";

const configOf = (via: string, more = "") =>
  `address: 10.5.0.1/32
prefix: 2a04:5b80:300:4::/96
overlay:
  type: yggdrasil
  listen: ["tls://[::]:4443"]
${more}  routes:
    - to: 10.0.0.0/8
      via: ${via}
`;

interface Finding {
  id: string;
  verdict: string;
  found?: string;
}

async function failures(machine: Machine): Promise<Finding[]> {
  const { findings } = JSON.parse((await crxn(machine, "doctor --json", 1)).stdout) as { findings: Finding[] };
  return findings.filter((f) => f.verdict === "fail");
}

/** `up` is refused with 69 and these words, and has touched nothing. */
async function assertRefused(machine: Machine, says: RegExp): Promise<void> {
  const before = await snapshot(machine);
  const { stderr } = await crxn(machine, "up --yes", 69);
  assertMatch(stderr, says);
  assertEquals(diffSnapshots(before, await snapshot(machine)), "");
}

Deno.test("generations: what cannot work is refused before anything is touched, trixie", async (t) => {
  const chapter = chaptersOf(t);
  await using lab = await Lab.create();
  const gw = await lab.machine("gw", { debian: "trixie", image: "ready", uplink: await lab.internet() });
  await installProduct(gw);
  await gw.reboot();
  const old = (await bringDaemon(gw, await daemon("yggdrasil-0.3.16")))!;
  const oldKeys = JSON.parse(await gw.must(`${old} -genconf -json`));
  const newKey: string = JSON.parse(await gw.must("yggdrasil -genconf -json")).PrivateKey;
  const identity = (settings: Record<string, unknown>) =>
    gw.write(YGGDRASIL, JSON.stringify({ ...settings, Peers: [], IfName: "auto" }), 0o640);
  await gw.write(CONFIG, configOf(KEY));

  await chapter("a config with keys of 0.3 for today's daemon", async () => {
    const { EncryptionPublicKey, EncryptionPrivateKey, SigningPublicKey, SigningPrivateKey } = oldKeys;
    await identity({ EncryptionPublicKey, EncryptionPrivateKey, SigningPublicKey, SigningPrivateKey });
    await assertRefused(gw, /only keys of yggdrasil 0\.3/);
  });
  await chapter("a config without a PrivateKey", async () => {
    await identity({});
    await assertRefused(gw, /no PrivateKey: yggdrasil would get a new identity at every start/);
  });
  await chapter("a PrivateKey that is too short, is no hex, or is damaged; it is never printed", async () => {
    const damaged = newKey.slice(0, 63) + (newKey[63] === "0" ? "1" : "0") + newKey.slice(64);
    for (
      const [key, says] of [
        [newKey.slice(2), /is not 128 hex digits/],
        [`${newKey.slice(0, -1)}z`, /is not 128 hex digits/],
        [damaged, /two halves do not belong together/],
      ] as const
    ) {
      await identity({ PrivateKey: key });
      await assertRefused(gw, says);
      const { stdout, stderr } = await gw.run(["crxn", "up", "--dry-run"]);
      assert(!(stdout + stderr).includes(newKey.slice(4, 40)), "the key was printed");
    }
  });
  await chapter("today's key for yggdrasil 0.3", async () => {
    await gw.write(CONFIG, configOf(KEY, `  daemon: ${old}\n`));
    await identity({ PrivateKey: newKey });
    await assertRefused(gw, /is of yggdrasil 0\.4 or later, and the daemon is a yggdrasil 0\.3/);
  });
  await chapter("tunnel routing from a daemon that has none: one sentence", async () => {
    await gw.must(["rm", YGGDRASIL]);
    await gw.write(CONFIG, configOf(KEY, "  tunnel: ckr\n"));
    await assertRefused(gw, /\/usr\/sbin\/yggdrasil has no tunnel routing \(overlay\.tunnel: ckr\)/);
  });
  await chapter("a program that is no yggdrasil", async () => {
    await gw.write(CONFIG, configOf(KEY, "  daemon: /usr/bin/env\n"));
    await assertRefused(gw, /does not work as a yggdrasil daemon/);
  });
  await chapter("a far key of 0.3 for today's daemon: told before anything starts, and by doctor", async () => {
    await gw.write(CONFIG, configOf(OLD_KEY));
    const warning = /crxn\.yaml:8:12: .*cannot be a key of yggdrasil 0\.5.*EncryptionPublicKey of yggdrasil 0\.3/;
    assertMatch((await crxn(gw, "up --dry-run", 2)).stderr, warning);
    assertMatch((await crxn(gw, "up --yes")).stderr, warning);
    const failed = await failures(gw);
    assertEquals(failed.map((f) => f.id), ["overlay-peers"]);
    assertMatch(failed[0]!.found!, /cannot be a key of yggdrasil 0\.5/);
  });
  await chapter("the other way round: today's key for a yggdrasil 0.3", async () => {
    await crxn(gw, "down --yes");
    await gw.write(CONFIG, configOf(KEY, `  daemon: ${old}\n`));
    const { stderr } = await crxn(gw, "up --dry-run", 2);
    assertMatch(stderr, /crxn\.yaml:9:12: .*cannot be a key of yggdrasil 0\.3.*public key of a later one/);
  });
});

for (const [name, program] of [["Debian's 0.5.12", undefined], ["0.3.16", "yggdrasil-0.3.16"]] as const) {
  Deno.test(`generations: a route to a key that is not there fails as overlay-peers alone, ${name}`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const own: { daemon?: string } = program === undefined ? {} : { daemon: await daemon(program) };
    const pair = await pairOf(lab, { debian: "trixie", image: "ready", tunnel: "auto", dials: "gw", ...own });
    const { client, gw, node, keys } = pair;
    await chapter("it works with the right key", async () => {
      await upOnBoth(pair);
      await answersWithin(30, client);
    });
    const config = await gw.read(CONFIG);
    const stranger = await bareMachine(lab, "other");
    const other = await publicKeyOf(stranger, await bringDaemon(stranger, own.daemon));
    for (
      const [what, key, says] of [
        ["of nobody in this network", other, /nobody has this key/],
        ["of the other generation", program === undefined ? OLD_KEY : KEY, /cannot be a key of yggdrasil 0\.[35]/],
      ] as const
    ) {
      await chapter(`a key ${what}`, async () => {
        await gw.write(CONFIG, config.replace(keys.node, key));
        await crxn(gw, "up --yes");
        await until("the peers to be back", 70, async () => {
          const { peers } = JSON.parse((await gw.run(["crxn", "status", "--json"])).stdout);
          return peers.some((p: { up: boolean }) => p.up) || undefined;
        });
        const failed = await failures(gw);
        assertEquals(failed.map((f) => f.id), ["overlay-peers"], JSON.stringify(failed));
        assertMatch(failed[0]!.found!, says);
      });
    }
    await chapter("the right key again: it works, and doctor has nothing to say", async () => {
      await gw.write(CONFIG, config);
      await crxn(gw, "up --yes");
      await answersWithin(75, client);
      await until("a healthy gateway", 30, async () => (await gw.run(["crxn", "doctor"])).code === 0 || undefined);
      await crxn(node, "doctor");
    });
  });
}

async function bareMachine(lab: Lab, name: string): Promise<Machine> {
  const machine = await lab.machine(name, { debian: "trixie", image: "ready", uplink: await lab.internet() });
  await installProduct(machine);
  return machine;
}

Deno.test("generations: 0.4 and 0.5 cannot peer, and doctor says so on both ends", async (t) => {
  const chapter = chaptersOf(t);
  await using lab = await Lab.create();
  const net = await lab.internet();
  const [today, before] = await Promise.all([
    lab.machine("today", { debian: "trixie", image: "ready", uplink: net }),
    lab.machine("before", { debian: "bookworm", image: "ready", uplink: net }),
  ]);
  for (const machine of [today, before]) await installProduct(machine);
  const write = async (machine: Machine, via: string, peer: Machine) =>
    await machine.write(
      CONFIG,
      configOf(via, "  tunnel: vxlan\n").replace(
        "  listen:",
        `  peers: ["tls://[${peer.uplink.ipv6}]:4443"]\n  listen:`,
      ),
    );
  const keys = [await publicKeyOf(today), await publicKeyOf(before)] as const;
  await write(today, keys[1], before);
  await write(before, keys[0], today);
  await chapter("each says that the other is of another generation", async () => {
    await Promise.all([today, before].map((machine) => crxn(machine, "up --yes")));
    for (const machine of [today, before]) {
      await until(`doctor of ${machine.name} to name it`, 60, async () => {
        const failed = await failures(machine);
        const peers = failed.find((f) => f.id === "overlay-peers")?.found ?? "";
        if (!/yggdrasil 0\.3, 0\.4 and 0\.5 cannot peer with each other/.test(peers)) return undefined;
        assertEquals(failed.map((f) => f.id), ["overlay-peers"]);
        return true;
      });
    }
  });
});
