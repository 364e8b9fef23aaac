import { assert, assertEquals } from "@std/assert";
import { formatAddress, network } from "../../gateway/cidr.ts";
import { Lab, type Machine, until } from "../rig/mod.ts";
import { answersWithin, assertSilent, crxn, sceneOf } from "../machines/story.ts";
import { median, taken } from "./plainly.ts";
import { record, type Row } from "./record.ts";

// A pool with many clients, and one that is spent: what it costs, and who says so.

const binary = (Deno.env.get("CRXN_BIN") ?? "") !== "";
const POOL = network("100.64.0.0/16");
/** All but the network's own address and tayga's. */
const ALL = 65_534;
const MAP = "/var/lib/tayga/ygg/dynamic.map";

/**
 * tayga started anew with so many clients, as if each had just been there.
 * @returns seconds until it has read their list, before which it translates nothing
 */
async function withClients(gw: Machine, count: number): Promise<number> {
  const now = Math.floor(Date.now() / 1000);
  const lines = Array.from({ length: count }, (_, i) => {
    const ipv4 = formatAddress({ family: 4, value: POOL.value + BigInt(2 + i) });
    return `${ipv4}\t2001:db8:${(0x1000 + i % 977).toString(16)}::${(i + 1).toString(16)}\t${now}`;
  });
  await gw.must("systemctl stop tayga@ygg");
  await gw.write(MAP, lines.join("\n") + "\n");
  const begun = performance.now();
  await gw.must("systemctl start tayga@ygg");
  const said = "journalctl --no-pager _PID=$(systemctl show -P MainPID tayga@ygg)";
  await until(
    `tayga to read ${count} clients`,
    240,
    async () => new RegExp(`Loaded ${count} dynamic map`).test(await gw.must(said)) || undefined,
  );
  return (performance.now() - begun) / 1000;
}

const memoryOf = async (gw: Machine): Promise<number> =>
  Number(/VmRSS:\s+(\d+)/.exec(await gw.must("cat /proc/$(systemctl show -P MainPID tayga@ygg)/status"))![1]) / 1024;

Deno.test({
  name: `clients: one, a thousand, fifty thousand, and no room for one more${binary ? "" : " (needs CRXN_BIN)"}`,
  ignore: !binary,
  fn: async () => {
    await using lab = await Lab.create();
    const { client, gw } = await sceneOf(lab, { debian: "trixie", image: "ready" });
    await crxn(gw, "up --yes");
    const rows: Row[] = [];
    for (const count of [1, 1000, 50_000]) {
      const read = await withClients(gw, count);
      const begun = performance.now();
      await answersWithin(180, client);
      const answered = read + (performance.now() - begun) / 1000;
      const values: Record<string, number> = { "tayga reads, s": read, "answers after, s": answered };
      for (const command of ["up --yes", "status", "doctor --skip probe,path-mtu,prefix-routed"]) {
        const times: number[] = [];
        for (let n = 0; n < 5; n++) times.push(await taken(gw, `crxn ${command}`));
        values[`${command.split(" ")[0]}, ms`] = median(times);
      }
      values["tayga, MiB"] = await memoryOf(gw);
      rows.push({ name: `${count} ${count === 1 ? "client" : "clients"}`, values });
      console.log(`${count}: ${Object.entries(values).map(([k, v]) => `${k} ${v.toFixed(1)}`).join("; ")}`);
    }
    await record("many-clients", { rounds: 5, title: "By the number of clients in the pool", rows });
    await withClients(gw, ALL);
    // Until it has written the list once more it translates nothing, and refuses nobody.
    await until("doctor to name the pool", 120, async () => {
      const { findings } = JSON.parse((await gw.run(["crxn", "doctor", "--json"])).stdout);
      return findings.some((f: { id: string; verdict: string }) => f.id === "pool" && f.verdict === "fail") ||
        undefined;
    });
    await assertSilent(client);
    const status = JSON.parse((await crxn(gw, "status --json", 1)).stdout);
    assertEquals([status.state, status.pool.used], ["degraded", ALL]);
    for (const { values } of rows) {
      for (const [what, value] of Object.entries(values)) {
        if (what.endsWith("ms")) assert(value < 2 * rows[0]!.values[what]!, `${what}: ${value}`);
      }
    }
  },
});
