/** Addresses, routes and rules that follow from far nodes, of which each has a tunnel. */

import { assert, assertEquals } from "@std/assert";
import type { Facts } from "../../gateway/facts.ts";
import { farNodes, localNetworks } from "../../gateway/overlay_nodes.ts";
import { A, B, C, CKR, configOf, device, type Parts, planOf, PREFIX, ROUTES, rulesOf, VXLAN } from "./overlay_plans.ts";

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
