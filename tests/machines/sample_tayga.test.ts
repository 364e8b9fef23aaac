import { assertEquals } from "@std/assert";
import { diffSnapshots, Lab, snapshot, until } from "../rig/mod.ts";
import { answersWithin, chaptersOf, crxn, HOST, sceneOf } from "./story.ts";

/** Debian 13's package brings the unit; Debian 12 has an init script only. */
Deno.test("crxn up: Debian's own tayga.service steps aside with its sample config, and stays with somebody's own", async (t) => {
  const chapter = chaptersOf(t);
  await using lab = await Lab.create();
  const { client, gw } = await sceneOf(lab, { debian: "trixie", image: "ready" });
  const active = async () => (await gw.run(["systemctl", "is-active", "tayga.service"])).stdout.trim();

  /** Starts Debian's tayga, plays `up` and `down` over it, and compares. */
  const playOver = async (during: "active" | "inactive") => {
    await gw.must(["systemctl", "enable", "tayga.service"]);
    await gw.must(["systemctl", "restart", "tayga.service"]);
    // Its unit is active before its device is there.
    await until(
      "tayga's device",
      5,
      async () => (await gw.run(["ip", "link", "show", "nat64"])).code === 0 || undefined,
    );
    const before = await snapshot(gw);
    await crxn(gw, `up --yes --target ${HOST}`);
    assertEquals(await active(), during);
    await answersWithin(5, client);
    await crxn(gw, "down --yes");
    assertEquals(await active(), "active");
    assertEquals(diffSnapshots(before, await snapshot(gw)), "");
  };

  await chapter("the sample runs: up stops it, down starts it again", () => playOver("inactive"));
  await chapter("somebody's own config: up leaves it alone", async () => {
    await gw.must("printf 'tun-device nat64\\nipv4-addr 192.168.9.1\\nprefix 2001:db8:64::/96\\n' > /etc/tayga.conf");
    await playOver("active");
  });
});
