import { assert, assertEquals, assertMatch } from "@std/assert";
import { Lab, type Machine, until } from "../rig/mod.ts";
import type { Debian } from "../rig/images.ts";
import { pairOf, upOnBoth } from "./pair.ts";
import { answersWithin, chaptersOf, crxn, HOST, killAndWait, sceneOf, someDebians } from "./story.ts";

// What each unit of crxn's could still do if somebody took it over, as systemd-analyze(1) counts it.

/** Written by this test with UPDATE=1, and compared otherwise. */
const DOCS = new URL("../../docs/security.md", import.meta.url);
/** From sources crxn has every permission. */
const BINARY = (Deno.env.get("CRXN_BIN") ?? "") !== "";
const COLUMNS: Record<Debian, number> = { bookworm: 2, trixie: 3 };

/** At most. */
const LIMITS: Record<string, number> = {
  "tayga@ygg.service": 2.0,
  "yggdrasil.service": 2.5,
  "crxn-firewall.service": 2.5,
  "crxn-overlay.service": 2.5,
  "crxn-link.service": 2.5,
};

async function exposure(machine: Machine, unit: string): Promise<string> {
  const text = await machine.must(["systemd-analyze", "security", "--no-pager", unit]);
  return /Overall exposure level for \S+: ([0-9.]+)/.exec(text)![1]!;
}

async function inDocs(debian: Debian, unit: string, measured: string): Promise<void> {
  const docs = await Deno.readTextFile(DOCS);
  const line = docs.split("\n").find((l) => l.startsWith(`| \`${unit.replace("@ygg", "@")}\``));
  assert(line, `docs/security.md has no line for ${unit}`);
  const cells = line.split("|");
  if (Deno.env.get("UPDATE") === "1") {
    cells[COLUMNS[debian]] = ` ${measured} `;
    return await Deno.writeTextFile(DOCS, docs.replace(line, cells.join("|")));
  }
  assertEquals(cells[COLUMNS[debian]]!.trim(), measured, `${unit} on ${debian}: docs/security.md; UPDATE=1 writes it`);
}

for (const debian of someDebians("the sandbox")) {
  Deno.test(`the sandbox of crxn's units, ${debian}`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const pair = await pairOf(lab, { debian, image: "ready", tunnel: "vxlan", dials: "gw" });
    const { client, gw } = pair;
    await upOnBoth(pair);
    await answersWithin(30, client);
    const judged = async (machine: Machine, units: string[]) => {
      for (const unit of units) {
        const measured = await exposure(machine, unit);
        console.log(`${debian}: ${unit}: ${measured}`);
        assert(Number(measured) <= LIMITS[unit]!, `${unit}: ${measured}, more than ${LIMITS[unit]}`);
        await inDocs(debian, unit, measured);
      }
    };
    await chapter("exposure, as systemd counts it; Debian's own unit is the control", async () => {
      const units = ["tayga@ygg.service", "yggdrasil.service", "crxn-firewall.service", "crxn-overlay.service"];
      await judged(gw, units);
      await gw.must("mv /etc/systemd/system/yggdrasil.service.d/50-crxn.conf /run/; systemctl daemon-reload");
      assert(Number(await exposure(gw, "yggdrasil.service")) > 5);
      await gw.must("mv /run/50-crxn.conf /etc/systemd/system/yggdrasil.service.d/; systemctl daemon-reload");
    });
    await chapter("the daemons are nobody, and may do next to nothing", async () => {
      for (const unit of ["tayga@ygg", "yggdrasil"]) {
        const pid = (await gw.must(["systemctl", "show", "-P", "MainPID", unit])).trim();
        const status = await gw.must(["cat", `/proc/${pid}/status`]);
        assert(!/^Uid:\s+0\b/m.test(status), `${unit} runs as root`);
        assertMatch(status, /^NoNewPrivs:\s+1$/m);
        assertMatch(status, /^Seccomp:\s+2$/m);
        // CAP_NET_ADMIN (12), and of yggdrasil CAP_NET_BIND_SERVICE (10).
        assertMatch(status, /^CapEff:\s+0000000000001[04]00$/m);
      }
    });
    await chapter("they still say what they do, and start again when they die", async () => {
      assertMatch(await gw.must(["journalctl", "-u", "tayga@ygg", "--no-pager"]), /starting TAYGA/);
      await killAndWait(gw, "tayga@ygg", 5, client);
      await killAndWait(gw, "yggdrasil", 20, client);
    });
    await chapter("who has what it needs is healthy", async () => {
      // yggdrasil has just been killed: the nodes may need another exchange of keys, during which packets are lost.
      await until("doctor to find nothing", 20, async () => {
        const { code } = await gw.run(["crxn", "doctor", "--target", HOST]);
        return code === 0 || undefined;
      });
    });
    await chapter(
      `crxn itself does what its list has, and no more (${BINARY ? "the binary" : "from sources it may all"})`,
      async () => {
        const file = "/boot/x.pcap";
        if (BINARY) {
          const refused = await crxn(gw, `doctor --capture ${file}`, 64);
          assertMatch(refused.stderr, /built to write in some folders only/);
          assertMatch((await crxn(gw, "status --config /proc/1/environ", 78)).stderr, /opens no file of \/proc/);
        } else await gw.run(["crxn", "doctor", "--capture", file]);
        assertEquals((await gw.run(["test", "-e", file])).code, BINARY ? 1 : 0);
        await crxn(gw, "doctor --capture /root/x.pcap");
        await gw.must(["test", "-s", "/root/x.pcap"]);
      },
    );
    await chapter("the follower of an existing link", async () => {
      await using other = await Lab.create();
      const scene = await sceneOf(other, { debian, image: "ready" });
      await crxn(scene.gw, "up --yes");
      await answersWithin(10, scene.client);
      await judged(scene.gw, ["crxn-link.service"]);
    });
  });
}
