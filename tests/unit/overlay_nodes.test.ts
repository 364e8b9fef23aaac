/** Far nodes with a tunnel each, the ports of their tunnels, what is of this side, and the rules that follow. */

import { assert, assertEquals } from "@std/assert";
import { type Blueprint, blueprint } from "../../gateway/blueprint.ts";
import { parseConfig } from "../../gateway/config/parse.ts";
import type { Facts } from "../../gateway/facts.ts";
import type { ChainItem, Item } from "../../gateway/item.ts";
import { replay } from "../../gateway/journal.ts";
import { farNodes, localNetworks, networkOf, portsMade, VXLAN_PORT, waysOf } from "../../gateway/overlay_nodes.ts";
import { addressFromKey } from "../../gateway/yggdrasil_address.ts";
import { FACTS } from "./golden_configs.ts";
import { OLD_NODES, SCHEMAS, TODAY } from "./keys.ts";

const [A, B, C] = [TODAY, OLD_NODES[0].sign, OLD_NODES[1].sign];
const device = (key: string) => `crxn-${key.slice(0, 8)}`;

interface Parts {
  address?: string;
  more?: string;
  routes: [to: string, via: string][];
  local?: string;
  nat64?: string;
}

const configOf = ({ address = "10.5.0.1", more = "", routes, local, nat64 }: Parts) =>
  parseConfig(
    [
      `address: ${address}`,
      more,
      "overlay:",
      "  type: yggdrasil",
      ...(local === undefined ? [] : [`  local: ${local}`]),
      `  routes: [${routes.map(([to, via]) => `{to: ${to}, via: ${via}}`).join(", ")}]`,
      ...(nat64 ? [`nat64: {${nat64}}`] : []),
      "",
    ].join("\n"),
    "f",
  );

const PREFIX = "prefix: 2a04:5b80:300:4::/96";
const VXLAN: Pick<Facts, "tunnel"> = { tunnel: { kind: "vxlan", why: "" } };
const CKR: Pick<Facts, "tunnel" | "daemon"> = {
  tunnel: { kind: "ckr", why: "" },
  daemon: { generation: "0.5", ckr: [...SCHEMAS["2"]] },
};
const ROUTES: Parts["routes"] = [["10.0.0.0/8", A], ["10.7.0.0/16", B], ["172.20.0.0/14", A], ["10.7.9.0/24", C]];

const planOf = async (parts: Parts, facts: Partial<Facts> = VXLAN): Promise<Blueprint> =>
  blueprint(await configOf(parts), {
    ...FACTS,
    identity: { publicKey: A, address: addressFromKey(A), from: "kept", keys: {} },
    ...facts,
  });

const rulesOf = (items: Item[], family: "inet" | "inet6", table: string, from: string) => {
  const chain = items.find((i): i is ChainItem =>
    i.kind === "chain" && i.family === family && i.table === table && i.from === from
  );
  return (chain?.rules ?? []).map((r) => r.join(" ").replace(/ -m comment --comment crxn:\S+/, ""));
};

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

Deno.test("tunnelChains: a node speaks for its networks, of overlapping ones the longest counts, nothing else comes in", async () => {
  const { items } = await planOf({ routes: ROUTES });
  assertEquals(rulesOf(items, "inet", "raw", "PREROUTING"), [
    `-s 10.7.9.0/24 -i ${device(A)} -j DROP`,
    `-s 10.7.0.0/16 -i ${device(A)} -j DROP`,
    `-s 172.20.0.0/14 -i ${device(A)} -j RETURN`,
    `-s 10.0.0.0/8 -i ${device(A)} -j RETURN`,
    `-i ${device(A)} -j DROP`,
    `-s 10.7.9.0/24 -i ${device(B)} -j DROP`,
    `-s 10.7.0.0/16 -i ${device(B)} -j RETURN`,
    `-i ${device(B)} -j DROP`,
    `-s 10.7.9.0/24 -i ${device(C)} -j RETURN`,
    `-i ${device(C)} -j DROP`,
  ]);
  // A node that does not say what is behind it is open to anything.
  assertEquals(rulesOf(items, "inet", "mangle", "PREROUTING"), []);
  assertEquals(rulesOf(items, "inet", "mangle", "POSTROUTING"), []);
});

Deno.test("tunnelChains: what is of this side goes in and out, on every tunnel; clients go out", async () => {
  const { items } = await planOf({
    routes: [["172.16.0.0/12", A], ["10.7.0.0/16", B]],
    more: PREFIX,
    local: "[10.1.0.0/16]",
  });
  const each = (rules: (device: string) => string[]) => [device(A), device(B)].flatMap(rules);
  assertEquals(
    rulesOf(items, "inet", "mangle", "PREROUTING"),
    each((d) => [`-d 10.1.0.0/16 -i ${d} -j RETURN`, `-d 10.5.0.1/32 -i ${d} -j RETURN`, `-i ${d} -j DROP`]),
  );
  assertEquals(
    rulesOf(items, "inet", "mangle", "POSTROUTING"),
    each((d) => [
      `-s 100.64.0.0/16 -o ${d} -j RETURN`,
      `-s 10.1.0.0/16 -o ${d} -j RETURN`,
      `-s 10.5.0.1/32 -o ${d} -j RETURN`,
      `-o ${d} -j DROP`,
    ]),
  );
});

Deno.test("tunnelChains: ports are translated for VXLAN tunnels that have not the well-known one, and for no others", async () => {
  const [, b] = farNodes(await configOf({ routes: [["10.0.0.0/8", A], ["10.7.0.0/16", B]] }), VXLAN);
  const { items } = await planOf({ routes: [["10.0.0.0/8", A], ["10.7.0.0/16", B]] });
  assertEquals(rulesOf(items, "inet6", "nat", "PREROUTING"), [
    `-s ${b!.address}/128 -i ygg -p udp -m udp --dport 4789 -j REDIRECT --to-ports ${b!.port}`,
  ]);
  assertEquals(rulesOf(items, "inet6", "nat", "OUTPUT"), [
    `-d ${b!.address}/128 -o ygg -p udp -m udp --dport ${b!.port} -j DNAT --to-destination [${b!.address}]:4789`,
  ]);
  for (const facts of [{ tunnel: { kind: "ip6gre" as const, why: "" } }, CKR]) {
    const other = await planOf({ routes: [["10.0.0.0/8", A], ["10.7.0.0/16", B]] }, facts);
    assertEquals(rulesOf(other.items, "inet6", "nat", "PREROUTING"), []);
    assertEquals(rulesOf(other.items, "inet6", "nat", "OUTPUT"), []);
  }
  assertEquals(rulesOf((await planOf({ routes: [["10.0.0.0/8", A]] })).items, "inet6", "nat", "OUTPUT"), []);
});

Deno.test("tunnelInput: packets of each tunnel from its node alone; of any port that a tunnel has, no others", async () => {
  const { items, nodes } = await planOf({ routes: [["10.0.0.0/8", A], ["10.7.0.0/16", B]] });
  const rules = rulesOf(items, "inet6", "filter", "INPUT");
  const [a, b] = nodes;
  assertEquals(rules, [
    `-s ${a!.address}/128 -i ygg -p udp -m udp --dport 4789 -j RETURN`,
    `-s ${b!.address}/128 -i ygg -p udp -m udp --dport ${b!.port} -j RETURN`,
    "-p udp -m udp --dport 4789 -j DROP",
    `-p udp -m udp --dport ${b!.port} -j DROP`,
  ]);
  // Also where none of the tunnels has the well-known one any more.
  const moved = await planOf({ routes: [["10.7.0.0/16", B]] }, { ...VXLAN, ports: { [device(B)]: 20007 } });
  assertEquals(rulesOf(moved.items, "inet6", "filter", "INPUT").slice(1), [
    "-p udp -m udp --dport 4789 -j DROP",
    "-p udp -m udp --dport 20007 -j DROP",
  ]);
  assertEquals(rulesOf((await planOf({ routes: ROUTES }, CKR)).items, "inet6", "filter", "INPUT"), []);
});

Deno.test("overlayItems: every device has every address, and what is assigned besides leads nowhere", async () => {
  const { items } = await planOf({
    address: "[10.5.0.1/24, 10.6.0.1]",
    routes: [["10.0.0.0/8", A], ["10.7.0.0/16", B]],
  });
  assertEquals(items.flatMap((i) => i.kind === "address" ? [`${i.address} ${i.device}`] : []), [
    `10.5.0.1/32 ${device(A)}`,
    `10.6.0.1/32 ${device(A)}`,
    `10.5.0.1/32 ${device(B)}`,
    `10.6.0.1/32 ${device(B)}`,
  ]);
  const nowhere = items.flatMap((i) => i.kind === "route" && i.type === "unreachable" ? [i.to] : []);
  assertEquals(nowhere, ["10.0.0.0/8", "10.7.0.0/16", "10.5.0.0/24"]);
});

Deno.test("overlayItems: a route for each network by its node, and one for when that is gone", async () => {
  const { items } = await planOf({ routes: ROUTES });
  const routes = items.flatMap((i) => i.kind === "route" ? [`${i.type} ${i.to} ${i.device ?? "-"}`] : []);
  assertEquals(routes, [
    ...ROUTES.map(([to]) => `unreachable ${to} -`),
    ...ROUTES.map(([to, via]) => `unicast ${to} ${device(via)}`),
  ]);
});

Deno.test("translator: a larger assignment: maps are routed to tayga, and its clients appear under the first address", async () => {
  const maps = [2, 3, 4].map((n) => `{ipv4: 10.5.0.${n}, ipv6: '2001:db8::${n}'}`).join(", ");
  const { items, config } = await planOf({
    address: "[10.5.0.1/24, 10.6.0.1]",
    more: PREFIX,
    routes: [["10.0.0.0/8", A], ["10.7.0.0/16", B]],
    nat64: `maps: [${maps}]`,
  });
  const translator = items.flatMap((i) => i.kind === "route" && i.device === "nat64-ygg" ? [i.to] : []);
  for (const n of [2, 3, 4]) assert(translator.includes(`10.5.0.${n}/32`), translator.join(" "));
  const file = items.find((i) => i.kind === "file" && i.path === "/etc/tayga/ygg.conf");
  assert(file?.kind === "file");
  assertEquals(file.content.match(/^map .*$/gm), [2, 3, 4].map((n) => `map 10.5.0.${n} 2001:db8::${n}`));
  assertEquals(rulesOf(items, "inet", "nat", "POSTROUTING"), [
    `-s 100.64.0.0/16 -o ${device(A)} -j SNAT --to-source 10.5.0.1`,
    `-s 100.64.0.0/16 -o ${device(B)} -j SNAT --to-source 10.5.0.1`,
  ]);
  assertEquals(localNetworks(config), ["10.5.0.0/24", "10.6.0.1/32"]);
  const forward = rulesOf(items, "inet", "filter", "FORWARD");
  for (const n of [2, 3, 4]) {
    for (const d of [device(A), device(B)]) {
      assert(forward.includes(`-d 10.5.0.${n}/32 -i ${d} -o nat64-ygg -j RETURN`), forward.join("\n"));
    }
  }
});

Deno.test("forward4: where a firewall drops, networks behind a gateway are let through to the overlay as on a node", async () => {
  const drops = { INPUT: { inet: false, inet6: false }, FORWARD: { inet: true, inet6: false } };
  const routes: Parts["routes"] = [["10.0.0.0/8", A]];
  const forward = async (parts: Partial<Parts>, facts: Partial<Facts>) =>
    rulesOf((await planOf({ routes, ...parts }, { ...VXLAN, ...facts })).items, "inet", "filter", "FORWARD");
  const carried = [
    `-d 10.0.0.0/8 -o ${device(A)} -j ACCEPT`,
    `-s 10.0.0.0/8 -i ${device(A)} -j ACCEPT`,
  ];
  assertEquals(await forward({}, { drops }), carried);
  const gateway = await forward({ more: PREFIX, local: "[172.16.1.0/24]" }, { drops });
  // Behind what keeps the overlay out of the translator.
  assertEquals(gateway.slice(-3), ["-o nat64-ygg -j DROP", ...carried]);
  for (
    const [parts, facts] of [[{ more: PREFIX }, { drops }], [{ more: PREFIX, local: "[172.16.1.0/24]" }, {}]] as const
  ) {
    assertEquals((await forward(parts, facts)).filter((r) => !r.includes("nat64-ygg")), []);
  }
});
