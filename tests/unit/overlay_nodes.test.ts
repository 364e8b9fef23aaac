/** Far nodes with a tunnel each, the ports of their tunnels, and what is of this side. */

import { assertEquals } from "@std/assert";
import { parseConfig } from "../../gateway/config/parse.ts";
import { replay } from "../../gateway/journal.ts";
import { farNodes, localNetworks, networkOf, portsMade, VXLAN_PORT, waysOf } from "../../gateway/overlay_nodes.ts";
import { addressFromKey } from "../../gateway/yggdrasil_address.ts";
import { A, B, C, CKR, configOf, device, type Parts, planOf, PREFIX, ROUTES, VXLAN } from "./overlay_plans.ts";

Deno.test("farNodes: one for each key, in the config's order, with all its networks and a device of its own", async () => {
  const nodes = farNodes(await configOf({ routes: ROUTES }), VXLAN);
  assertEquals(nodes.map(({ key, networks, device }) => [key, networks, device]), [
    [A, ["10.0.0.0/8", "172.20.0.0/14"], device(A)],
    [B, ["10.7.0.0/16"], device(B)],
    [C, ["10.7.9.0/24"], device(C)],
  ]);
  assertEquals(nodes.map((n) => n.address), [A, B, C].map((k) => addressFromKey(k)));
});

Deno.test("farNodes: with tunnel routing all are behind the daemon's device, and addresses are of its generation", async () => {
  const config = await configOf({ routes: ROUTES });
  const nodes = farNodes(config, { ...CKR, daemon: { generation: "0.3" } });
  assertEquals(nodes.map((n) => n.device), ["ygg", "ygg", "ygg"]);
  assertEquals(nodes.map((n) => n.address), [A, B, C].map((k) => addressFromKey(k, "0.3")));
  assertEquals(waysOf(config.overlay, nodes), [{
    device: "ygg",
    networks: ["10.0.0.0/8", "172.20.0.0/14", "10.7.0.0/16", "10.7.9.0/24"],
  }]);
});

Deno.test("farNodes: none over an existing link, and one way nevertheless", async () => {
  const config = await parseConfig(
    "address: 10.5.0.1\noverlay: {type: interface, interface: wg0, routes: [{to: 10.0.0.0/8}]}\n",
    "f",
  );
  assertEquals(farNodes(config, {}), []);
  assertEquals(waysOf(config.overlay, []), [{ device: "wg0", networks: ["10.0.0.0/8"] }]);
});

/** A key whose port, were it not the first, would be 20000 and three hex digits. */
const key = (digits: string) => digits + A.slice(digits.length);
const ports = async (keys: string[], made?: Record<string, number>) => {
  const routes = keys.map((k, i): [string, string] => [`10.${i}.0.0/16`, k]);
  const nodes = farNodes(await configOf({ routes }), { ...VXLAN, ...(made ? { ports: made } : {}) });
  return nodes.map((n) => n.port);
};

Deno.test("farNodes: the first tunnel has VXLAN's own port, the others one by their keys", async () => {
  assertEquals(await ports([A]), [VXLAN_PORT]);
  assertEquals(await ports([A, key("001"), key("fff")]), [VXLAN_PORT, 20001, 24095]);
});

Deno.test("farNodes: two keys with the same first digits get different ports, whichever comes first", async () => {
  const [one, two, three] = [key("0ab1"), key("0ab2"), key("0ac1")];
  assertEquals(await ports([A, one, two, three]), [VXLAN_PORT, 20171, 20172, 20173]);
  assertEquals(await ports([A, two, one]), [VXLAN_PORT, 20171, 20172]);
});

Deno.test("farNodes: a tunnel keeps its port when the order changes, when nodes come, and when the first one goes", async () => {
  const made = { [device(A)]: VXLAN_PORT, [device(B)]: 22179 };
  assertEquals(await ports([B, A], made), [22179, VXLAN_PORT]);
  assertEquals(await ports([C, B, A], made), [await ports([A, C]).then((p) => p[1]!), 22179, VXLAN_PORT]);
  assertEquals(await ports([B], made), [22179]);
  // The well-known port is free again: the next new tunnel takes it.
  assertEquals(await ports([B, C], made), [22179, VXLAN_PORT]);
  // Of a damaged journal one tunnel keeps the port.
  assertEquals(new Set(await ports([A, B], { [device(A)]: 20001, [device(B)]: 20001 })).size, 2);
});

Deno.test("portsMade: of tunnels in the journal, and of nothing else in it", async () => {
  const { items } = await planOf({ routes: ROUTES });
  const journal = replay(items.map((item) => ({ v: 1 as const, did: { item, before: {} }, at: "" })));
  const made = portsMade(journal);
  assertEquals(Object.keys(made).sort(), [A, B, C].map(device).sort());
  assertEquals(made[device(A)], VXLAN_PORT);
  const again = farNodes(await configOf({ routes: [...ROUTES].reverse() }), { ...VXLAN, ports: made });
  for (const node of again) assertEquals(node.port, made[node.device]);
});

Deno.test("localNetworks: on a gateway its addresses and maps, on a node anything", async () => {
  const routes: Parts["routes"] = [["10.0.0.0/8", A]];
  assertEquals(localNetworks(await configOf({ routes })), undefined);
  assertEquals(localNetworks(await configOf({ routes, more: PREFIX })), ["10.5.0.1/32"]);
  assertEquals(localNetworks(await configOf({ routes, local: "[]" })), ["10.5.0.1/32"]);
  assertEquals(localNetworks(await configOf({ routes, local: "[10.1.0.0/16]" })), ["10.1.0.0/16", "10.5.0.1/32"]);
});

Deno.test("localNetworks: what lies inside another is said once", async () => {
  const routes: Parts["routes"] = [["172.16.0.0/12", A]];
  const maps = "maps: [{ipv4: 10.5.0.9, ipv6: '2001:db8::9'}, {ipv4: 10.6.0.9, ipv6: '2001:db8::a'}]";
  const local = async (parts: Partial<Parts>) => localNetworks(await configOf({ routes, more: PREFIX, ...parts }));
  assertEquals(await local({ address: "10.5.0.1/24", nat64: maps }), ["10.5.0.0/24", "10.6.0.9/32"]);
  assertEquals(await local({ local: "[10.0.0.0/8, 10.5.0.0/16]", nat64: maps }), ["10.0.0.0/8"]);
  assertEquals(await local({ local: "[10.5.0.0/16, 10.0.0.0/8]" }), ["10.0.0.0/8"]);
  // Two addresses in one network, the same said in both ways.
  assertEquals(await local({ address: "[10.5.0.1/24, 10.5.0.2/24]" }), ["10.5.0.0/24"]);
  assertEquals(await local({ address: "[10.5.0.1/24, 10.9.0.1]", local: "[10.5.0.0/24]" }), [
    "10.5.0.0/24",
    "10.9.0.1/32",
  ]);
});

Deno.test("networkOf: the longest prefix that holds an address", () => {
  const networks = ["10.0.0.0/8", "10.7.9.0/24", "10.7.0.0/16", "172.20.0.0/14"];
  assertEquals(["10.8.0.0", "10.7.9.255", "10.7.10.0", "172.23.1.1", "172.24.0.0"].map((a) => networkOf(networks, a)), [
    "10.0.0.0/8",
    "10.7.9.0/24",
    "10.7.0.0/16",
    "172.20.0.0/14",
    undefined,
  ]);
});
