/** What `crxn init` reads of a machine. */

import { assertEquals, assertRejects } from "@std/assert";
import { CrxnError } from "../../gateway/errors.ts";
import { HEADER } from "../../gateway/names.ts";
import { placeFiles } from "../../machine/place.ts";
import type { Runner } from "../../machine/run.ts";
import { readTerrain } from "../../machine/terrain.ts";

/** ip(8) by what it is asked; everything else does not exist. */
const machine = (answers: Record<string, unknown>): Runner => ({
  run: (argv) => {
    const asked = Object.keys(answers).find((words) => argv.join(" ").includes(words));
    const known = asked !== undefined;
    return Promise.resolve({
      argv,
      code: known ? 0 : 127,
      stdout: known ? JSON.stringify(answers[asked]) : "",
      stderr: "",
    });
  },
});

const IP = {
  "address show": [
    {
      ifname: "eth0",
      flags: ["UP"],
      addr_info: [{ family: "inet6", local: "2001:db8::5", prefixlen: 64, scope: "global" }],
    },
    { ifname: "nat64-bare", flags: [] },
    { ifname: "nat64-ygg", flags: [] },
  ],
  "-4 route": [{ dst: "10.0.0.0/8", dev: "wg0" }],
  "-6 route": [{ dst: "default", dev: "eth0", gateway: "fe80::1" }],
  "neigh show": [{ dst: "2001:db8::1", dev: "eth0", state: ["STALE"] }],
};

async function inFolder(files: Record<string, string>, body: () => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  placeFiles(folder);
  try {
    for (const [path, text] of Object.entries(files)) {
      await Deno.mkdir(`${folder}${path.slice(0, path.lastIndexOf("/"))}`, { recursive: true });
      await Deno.writeTextFile(folder + path, text);
    }
    await body();
  } finally {
    placeFiles("");
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("crxn init: reads links, routes, neighbours, other people's translators, and peers that a config can hold", () =>
  inFolder({
    "/etc/tayga/ygg.conf": `# ${HEADER}\ntun-device nat64-ygg\n`,
    "/etc/tayga/office.conf": "tun-device nat64-office\n",
    "/etc/yggdrasil/yggdrasil.conf": '{ Peers: ["tls://a.example:443", "nonsense"], Listen: ["tcp://[::]:9001"] }',
  }, async () => {
    const seen = await readTerrain(machine(IP), undefined);
    assertEquals(seen.links.map((l) => l.name), ["eth0", "nat64-bare", "nat64-ygg"]);
    assertEquals(seen.routes.map((r) => [r.family, r.to]), [["inet", "10.0.0.0/8"], ["inet6", "default"]]);
    assertEquals(seen.neighbours.map((n) => n.address), ["2001:db8::1"]);
    assertEquals(seen.instances, ["bare", "office"], "crxn's own is free for it");
    assertEquals(seen.yggdrasil, { peers: ["tls://a.example:443"], listen: ["tcp://[::]:9001"] });
    assertEquals([seen.generation, seen.ownKey], ["0.5", undefined]);
  }));

Deno.test("crxn init: an unreadable yggdrasil.conf says nothing; the generation is the daemon's", () =>
  inFolder({ "/etc/yggdrasil/yggdrasil.conf": "{ Peers: [" }, async () => {
    const seen = await readTerrain(machine(IP), {
      path: "/usr/sbin/yggdrasil",
      normalised: '{"EncryptionPrivateKey": ""}',
    });
    assertEquals([seen.yggdrasil, seen.generation], [{ peers: [], listen: [] }, "0.3"]);
  }));

Deno.test("crxn init: without ip(8) it ends with 69 and says what to install", async () => {
  const error = await assertRejects(() => readTerrain(machine({}), undefined), CrxnError) as CrxnError;
  assertEquals([error.exit, /iproute2/.test(error.remedy ?? "")], [69, true]);
});
