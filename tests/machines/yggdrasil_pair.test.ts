import { assert, assertEquals, assertMatch } from "@std/assert";
import { diffSnapshots, installProduct, Lab, type Machine, snapshot, transfer, until } from "../rig/mod.ts";
import { pairOf, publicKeyOf, upOnBoth } from "./pair.ts";
import {
  allSaid,
  answersWithin,
  assertNothingToDo,
  assertSilent,
  chaptersOf,
  crxn,
  killAndWait,
  MAPPED,
  note,
  removeProduct,
} from "./story.ts";

const YGGDRASIL_CONFIG = "/etc/yggdrasil/yggdrasil.conf";

/** Seconds after a reboot: yggdrasil 0.4.7 tries a peer that refuses again after a minute. */
const PATIENCE = 75;

/** The private key in the daemon's config: 128 hex digits, the second half being the public key. */
async function privateKeyOf(machine: Machine): Promise<string> {
  const key = /PrivateKey"?: *"?([0-9a-f]{128})/.exec(await machine.read(YGGDRASIL_CONFIG))?.[1];
  assert(key !== undefined, `${machine.name} has no private key in ${YGGDRASIL_CONFIG}`);
  return key;
}

async function assertKeyIsSafe(machine: Machine, key: string): Promise<void> {
  assertEquals(await machine.must(["stat", "-c", "%a %U:%G", YGGDRASIL_CONFIG]), "640 root:yggdrasil\n");
  // The first half alone is the secret.
  assert(!allSaid(machine).includes(key.slice(0, 64)), `crxn printed the private key of ${machine.name}`);
  // Wherever else it is kept, others may not read it.
  const readable = "grep -rlIs KEY /etc /var/lib /run /usr/local | xargs -r -d '\\n' stat -c '%A %n'";
  for (const line of (await machine.must(readable.replace("KEY", key.slice(0, 64)))).trim().split("\n")) {
    const path = line.split(" ")[1]!;
    const open = line[7] === "r" &&
      (await machine.run(["setpriv", "--reuid=65534", "--clear-groups", "cat", path])).code === 0;
    assert(!open, `everybody may read the private key in ${path}`);
  }
}

for (const [debian, tunnel] of [["bookworm", "vxlan"], ["trixie", "auto"]] as const) {
  Deno.test(`crxn up: two bare ${debian}s, joined by Debian's yggdrasil, tunnel ${tunnel}`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const { client, gw, node, host, keys, order, configure } = await pairOf(lab, { debian, tunnel });
    const both = [gw, node];
    const snapshots = () => Promise.all(both.map((machine) => snapshot(machine)));
    // A first boot leaves units behind that a second one does not have.
    await Promise.all(both.map((machine) => machine.reboot()));
    const before = await snapshots();

    await chapter("before up nothing answers", () => assertSilent(client));
    await chapter("up on both: the ping answers", async () => {
      await upOnBoth({ order });
      await answersWithin(20, client);
      const { tunnel: taken, self } = JSON.parse((await crxn(gw, "status --json")).stdout);
      // No kernel of a container test has ip6gre for sure; with auto crxn says what it took.
      assertMatch(taken.kind, tunnel === "auto" ? /^(vxlan|ip6gre)$/ : /^vxlan$/);
      assertEquals(self.publicKey, keys.gw);
    });
    await chapter("50 MB in both directions arrive whole", () => transfer(client, host, MAPPED, 5001, 50_000_000));
    await chapter("up again changes nothing, on neither", () => Promise.all(both.map(assertNothingToDo)));
    const secrets = await Promise.all(both.map(privateKeyOf));
    await chapter("the private key is safe", async () => {
      assertEquals(secrets.map((key) => key.slice(64)), [keys.gw, keys.node]);
      for (const [i, machine] of both.entries()) await assertKeyIsSafe(machine, secrets[i]!);
    });
    await chapter("a changed config changes only what differs, and never the key", async () => {
      const tayga = await gw.must(["systemctl", "show", "-P", "MainPID", "tayga@ygg"]);
      await configure(4444);
      await crxn(gw, "up --dry-run", 2);
      await crxn(gw, "up --dry-run --json", 2);
      await crxn(gw, "up --yes --json");
      await answersWithin(20, client);
      assertEquals(await gw.must("ss -Hltn sport = :4444 | wc -l"), "1\n");
      assertEquals(await privateKeyOf(gw), secrets[0]);
      assertEquals(await gw.must(["systemctl", "show", "-P", "MainPID", "tayga@ygg"]), tayga);
      await crxn(gw, "status");
      // Peers that have just found each other may lose each other once more (0.5.12).
      await until("a healthy gateway", 20, async () => {
        const { code, stdout, stderr } = await gw.run(["crxn", "doctor", "--json"]);
        note(gw, stdout + stderr);
        return code === 0 || undefined;
      });
      await assertKeyIsSafe(gw, secrets[0]!);
    });
    await chapter("reboot of the gateway without the binary: it works by itself", async () => {
      await removeProduct(gw);
      await gw.reboot();
      await answersWithin(PATIENCE, client);
      assertEquals((await gw.run(["systemctl", "is-system-running"])).stdout, "running\n");
    });
    await chapter("reboot of the node without the binary: it works by itself", async () => {
      await removeProduct(node);
      await node.reboot();
      await answersWithin(PATIENCE, client);
    });
    await chapter("tayga killed: 5 s", () => killAndWait(gw, "tayga@ygg", 5, client));
    await chapter("yggdrasil of the gateway killed: 20 s", () => killAndWait(gw, "yggdrasil", 20, client));
    await chapter("yggdrasil of the node killed: 20 s", () => killAndWait(node, "yggdrasil", 20, client));
    await chapter("down on both: they are as they were", async () => {
      await Promise.all(both.map((machine) => installProduct(machine)));
      await Promise.all(both.map((machine) => crxn(machine, "down --yes")));
      await assertSilent(client);
      const after = await snapshots();
      const packaged = { ignoreInstalledPackages: true };
      assertEquals(before.map((was, i) => diffSnapshots(was, after[i]!, packaged)), ["", ""]);
    });
    await chapter("up once more: the same nodes as before", async () => {
      await upOnBoth({ order });
      await answersWithin(20, client);
      assertEquals([await publicKeyOf(gw), await publicKeyOf(node)], [keys.gw, keys.node]);
      assertEquals(await Promise.all(both.map(privateKeyOf)), secrets);
      for (const [i, machine] of both.entries()) await assertKeyIsSafe(machine, secrets[i]!);
    });
  });
}
