import { assert, assertEquals } from "@std/assert";
import { formatAddress, network } from "../../gateway/cidr.ts";
import { Lab, type Machine } from "../rig/mod.ts";
import { answersWithin, assertSilent, crxn, sceneOf } from "../machines/story.ts";
import { median, taken } from "./plainly.ts";
import { record, type Row } from "./record.ts";

// A pool with many clients, and one that is spent: what it costs, and who says so.

const binary = (Deno.env.get("CRXN_BIN") ?? "") !== "";
const POOL = network("100.64.0.0/16");
/** All but the network's own address, tayga's and the broadcast address. */
const ALL = 65_533;
const MAP = "/var/lib/tayga/ygg/dynamic.map";

/** tayga started anew with so many clients, as if each had just been there. */
async function withClients(gw: Machine, count: number): Promise<void> {
  const now = Math.floor(Date.now() / 1000);
  const lines = Array.from({ length: count }, (_, i) => {
    const ipv4 = formatAddress({ family: 4, value: POOL.value + BigInt(2 + i) });
    return `${ipv4}\t2001:db8:${(0x1000 + i % 977).toString(16)}::${(i + 1).toString(16)}\t${now}`;
  });
  await gw.must("systemctl stop tayga@ygg");
  await gw.write(MAP, lines.join("\n") + "\n");
  await gw.must("systemctl start tayga@ygg");
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
      await withClients(gw, count);
      await answersWithin(10, client);
      const values: Record<string, number> = {};
      for (const command of ["up --yes", "status", "doctor --skip probe,path-mtu,prefix-routed"]) {
        const times: number[] = [];
        for (let n = 0; n < 5; n++) times.push(await taken(gw, `crxn ${command}`));
        values[`${command.split(" ")[0]}, ms`] = median(times);
      }
      values["tayga, MiB"] = await memoryOf(gw);
      rows.push({ name: `${count} ${count === 1 ? "client" : "clients"}`, values });
      console.log(`${count}: ${Object.entries(values).map(([k, v]) => `${k} ${v.toFixed(0)}`).join("; ")}`);
    }
    await record("many-clients", { title: "By the number of clients in the pool", rows });
    await withClients(gw, ALL);
    await assertSilent(client);
    const report = JSON.parse((await crxn(gw, "doctor --json", 1)).stdout);
    const faults = report.findings.filter((f: { verdict: string }) => f.verdict === "fail");
    assert(faults.some((f: { id: string }) => f.id === "pool"), JSON.stringify(faults));
    const status = JSON.parse((await crxn(gw, "status --json", 1)).stdout);
    assertEquals([status.state, status.pool.used], ["degraded", ALL]);
    for (const { values } of rows) {
      for (const [what, value] of Object.entries(values)) {
        if (what.endsWith("ms")) assert(value < 2 * rows[0]!.values[what]!, `${what}: ${value}`);
      }
    }
  },
});
