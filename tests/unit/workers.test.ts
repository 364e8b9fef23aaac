import { assert, assertEquals } from "@std/assert";
import { contains, lastAddress, network } from "../../gateway/cidr.ts";
import { parseConfig } from "../../gateway/config/parse.ts";
import { firewallItems } from "../../gateway/firewall.ts";
import { decide } from "../../gateway/netfilter/iptables_walk.ts";
import { automatic, MOST_WORKERS, nameFits, partsOf, roomOf, workersOf } from "../../gateway/workers.ts";
import { FACTS } from "./golden_configs.ts";

const GATEWAY = `address: 10.5.0.1/32
prefix: 2a04:5b80:300:4::/96
overlay: {type: interface, interface: wg0, routes: [{to: 10.0.0.0/8}]}
`;

Deno.test("partsOf: the parts are the pool, without holes and overlaps, and differ by one bit at most", () => {
  for (const pool of ["100.64.0.0/16", "192.168.64.0/18", "10.0.0.0/8", "192.0.2.0/24"]) {
    for (let count = 1; count <= MOST_WORKERS; count++) {
      const parts = partsOf(pool, count).map(network);
      assertEquals(parts.length, count);
      let next = network(pool).value;
      for (const part of parts) {
        assertEquals(part.value, next);
        assert(contains(network(pool), part));
        next = lastAddress(part).value + 1n;
      }
      assertEquals(next, lastAddress(network(pool)).value + 1n);
      const lengths = new Set(parts.map((p) => p.length));
      assert(lengths.size <= 2, `${pool} ${count}`);
      assertEquals(lengths.size === 1, (count & (count - 1)) === 0);
    }
  }
  assertEquals(partsOf("100.64.0.0/16", 3), ["100.64.0.0/18", "100.64.64.0/18", "100.64.128.0/17"]);
});

Deno.test("workersOf: the first has the names of the only one; the others' fit into an interface name", async () => {
  const config = await parseConfig(`${GATEWAY}nat64: {workers: 2, pool: 192.168.64.0/18}\n`, "crxn.yaml");
  assertEquals(workersOf(config), [
    { instance: "ygg", device: "nat64-ygg", pool: "192.168.64.0/19", address: "192.168.64.1", via: "fe80::64:1" },
    { instance: "ygg-2", device: "nat64-ygg-2", pool: "192.168.96.0/19", address: "192.168.96.1", via: "fe80::64:2" },
  ]);
  assertEquals(workersOf({}), []);
  assert(nameFits("abcdefghi", 1) && !nameFits("abcdefghi", 2) && nameFits("abcdefg", 9) && !nameFits("abcdefg", 10));
});

Deno.test("workers: auto goes by cores, memory, the pool and the name", async () => {
  const nat64 = { instance: "ygg", pool: "100.64.0.0/16" };
  const of = (cores: number, memory: number, more = {}) => automatic({ ...nat64, ...more }, { cores, memory });
  assertEquals([1, 2, 3, 4, 6, 8, 64].map((cores) => of(cores, 65536)), [1, 2, 2, 4, 4, 8, 8]);
  assertEquals([64, 256, 512, 1024].map((memory) => of(8, memory)), [1, 2, 4, 8]);
  assertEquals(of(8, 65536, { pool: "192.0.2.0/28" }), 2);
  assertEquals(of(8, 65536, { pool: "192.0.2.0/30" }), 1);
  assertEquals(of(8, 65536, { instance: "freifunk" }), 1);
  assertEquals(roomOf("192.0.2.0/28"), 2);
  const config = await parseConfig(`${GATEWAY}nat64: {workers: auto}\n`, "crxn.yaml", { cores: 4, memory: 4096 });
  assertEquals(config.nat64?.workers, 4);
});

Deno.test("firewallItems: nothing begins between two translators, whichever is first", async () => {
  const config = await parseConfig(`${GATEWAY}nat64: {workers: 3, pool: 192.168.64.0/18}\n`, "crxn.yaml");
  const ways = [{ device: "wg0", networks: ["10.0.0.0/8"] }];
  const chain = firewallItems(config, FACTS, { ways, nodes: [] }).find((item) =>
    item.family === "inet6" && item.table === "filter" && item.from === "FORWARD"
  )!;
  const table = { FORWARD: { name: "FORWARD", policy: "ACCEPT", rules: chain.rules } };
  const packet = { source: "2001:db8:c::2", destination: "2a04:5b80:300:4::a01:3", state: "NEW" as const };
  const target = (from: string, to: string) => decide(table, "FORWARD", { ...packet, in: from, out: to })?.target;
  const devices = workersOf(config).map(({ device }) => device);
  for (const from of devices) for (const to of devices) assertEquals(target(from, to), "DROP", `${from} to ${to}`);
  // Control: what comes from clients is let in.
  for (const to of devices) assertEquals(target("eth0", to), "ACCEPT");
});
