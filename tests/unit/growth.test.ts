/** A thousand networks and a thousand maps: nothing that is read by everybody who waits may grow with their square. */

import { assert, assertEquals } from "@std/assert";
import { legsOf } from "../../checks/legs.ts";
import { bordersIn, distinct } from "../../gateway/alike.ts";
import { blueprint } from "../../gateway/blueprint.ts";
import { parseAddress } from "../../gateway/cidr.ts";
import { parseConfig } from "../../gateway/config/parse.ts";
import { hostsInside } from "../../gateway/netfilter/alike.ts";
import { matches, type Packet } from "../../gateway/netfilter/iptables_walk.ts";
import { parseSave } from "../../machine/iptables.ts";
import { placeFiles } from "../../machine/place.ts";
import { manyNetworks, networksOf } from "./fake/configs.ts";
import { FakeMachine } from "./fake/machine.ts";
import { FACTS } from "./golden_configs.ts";
import { Play } from "./fake/play.ts";
import { healthy } from "./surveys/builder.ts";

Deno.test("bordersIn: beginnings and ends of all that is named, in iptables' words and in nft's JSON", () => {
  const words = [
    "-s 10.0.0.0/8 -d 192.0.2.7 -j DROP",
    '{"prefix":{"addr":"2001:db8::","len":32}}',
    "10.0.0.5-10.0.0.9",
  ];
  const borders = bordersIn([...words, "no address: 1.2.3, 12:30:45, comment"]);
  const ip = (...octets: number[]) => octets.reduce((v, o) => v * 256n + BigInt(o), 0n);
  assertEquals(borders[4], [
    ...[ip(10, 0, 0, 0), ip(10, 0, 0, 5), ip(10, 0, 0, 6), ip(10, 0, 0, 9), ip(10, 0, 0, 10), ip(11, 0, 0, 0)],
    ...[ip(192, 0, 2, 7), ip(192, 0, 2, 8)],
  ]);
  assertEquals(borders[6], [0x20010db8n << 96n, 0x20010db9n << 96n]);
});

Deno.test("distinct: few are all looked at; of many, one of each stretch between borders and of each group", () => {
  const hosts = networksOf(300).map((to) => to.replace("0/24", "1"));
  const address = (h: string) => [parseAddress(h)!];
  const borders = () => bordersIn(["10.0.7.0/24", "10.1.0.0/16"]);
  assertEquals(distinct(hosts.slice(0, 16), address, () => "", borders), hosts.slice(0, 16));
  assertEquals(distinct(hosts, address, () => "", borders), ["10.0.0.1", "10.0.7.1", "10.0.8.1", "10.1.0.1"]);
  const odd = (h: string) => h.endsWith("5.1") ? "odd" : "";
  assertEquals(distinct(hosts, address, odd, () => bordersIn([])), ["10.0.0.1", "10.0.5.1"]);
});

Deno.test("hostsInside: a rule about one network of a thousand is not overlooked, in either family", async () => {
  const { survey } = await healthy("interface");
  const ways = [{ device: "wg0", networks: networksOf(1000) }] as unknown as Parameters<typeof hostsInside>[0];
  const inside = (rules: string, family: "inet" | "inet6") =>
    hostsInside(ways, "2001:db8:300:4::/96", {
      ...survey,
      rules: { ...survey.rules, [family]: parseSave(rules) },
    }).map(({ host }) => host);
  const none = inside("*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n", "inet");
  assert(none.length < 10, none.join(" "));
  const drop = (to: string) => `*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -d ${to} -j DROP\nCOMMIT\n`;
  assert(inside(drop("10.2.57.0/24"), "inet").includes("10.2.57.1"));
  assert(inside(drop("2001:db8:300:4::a02:3900/120"), "inet6").includes("10.2.57.1"));
});

Deno.test("legsOf: a route of somebody else inside one network of a thousand is not overlooked", async () => {
  const input = await healthy("interface");
  const { blueprint, survey } = input;
  blueprint.ways[0]!.networks = networksOf(1000);
  const to = (more: Partial<typeof survey.routes[number]>) => {
    const route = { ...survey.routes.find((r) => r.family === "inet" && r.type === "unicast")!, ...more };
    const legs = legsOf({ blueprint, survey: { ...survey, routes: [...survey.routes, route] } });
    return legs.filter((l) => l.check === "overlay-route").map((l) => l.flow.to);
  };
  assert(to({ protocol: "64", to: "10.2.57.0/24" }).length < 30);
  const half = to({ protocol: "static", to: "10.2.57.128/25" });
  assert(
    half.includes("10.2.57.1") && half.some((a) => a.startsWith("10.2.57.1") && a !== "10.2.57.1"),
    half.join(" "),
  );
  assert(to({ protocol: "static", to: "10.2.57.0/24", table: "52" }).includes("10.2.57.1"));
});

Deno.test({
  name: "up with 40 and with 640 networks and maps: time grows with their number, not with its square",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    const taken: Record<number, number> = {};
    for (const count of [40, 640]) {
      using machine = new FakeMachine();
      placeFiles(machine.folder);
      try {
        const play = new Play(machine);
        assertEquals(await play.up(manyNetworks(count, "wg0", 2)), 0, play.said);
        const begun = performance.now();
        assertEquals(await play.up(manyNetworks(count, "wg0", 2)), 0, play.said);
        taken[count] = performance.now() - begun;
        assertEquals(await play.down(), 0, play.said);
      } finally {
        placeFiles("");
      }
    }
    // Sixteen times as many: with the square it would be 256 times as long.
    assert(taken[640]! < 40 * taken[40]!, `no-op up: ${taken[40]} ms with 40, ${taken[640]} ms with 640`);
  },
});

/** Rules of a chain that a packet is compared with, the one that decides included; all, where none does. */
function compared(rules: string[][], packet: Packet): number {
  const deciding = rules.findIndex((rule) => matches(rule, packet) === "yes" && rule.at(-2) === "-j");
  return deciding < 0 ? rules.length : deciding + 1;
}

Deno.test("firewallItems: packets of a flow are compared with a few rules, however many networks and maps there are", async () => {
  const { items } = blueprint(await parseConfig(manyNetworks(300, "wg0", 2), "x"), FACTS);
  const rulesOf = (family: string, table: string, from: string) =>
    items.flatMap((i) =>
      i.kind === "chain" && i.family === family && i.table === table && i.from === from ? i.rules : []
    );
  const [client, last, own] = ["2001:db8:c::2", "10.2.86.9", "10.200.255.1"];
  const far = "2a04:5b80:300:4::a02:5609";
  const flow: Record<string, [family: "inet" | "inet6", packet: Omit<Packet, "state">][]> = {
    "of a client": [
      ["inet6", { in: "eth0", out: "nat64-ygg", source: client, destination: far }],
      ["inet", { in: "nat64-ygg", out: "wg0", source: "100.64.7.7", destination: last }],
    ],
    "answers to it": [
      // Its address is exchanged between the two chains.
      ["inet", { in: "wg0", out: "nat64-ygg", source: last, destination: own }],
      ["inet6", { in: "nat64-ygg", out: "eth0", source: far, destination: client }],
    ],
  };
  for (const [what, packets] of Object.entries(flow)) {
    for (const [family, packet] of packets) {
      for (const [table, from] of [["raw", "PREROUTING"], ["filter", "FORWARD"], ["mangle", "FORWARD"]] as const) {
        const rules = rulesOf(family, table, from);
        const count = compared(rules, { ...packet, family, protocol: "tcp", state: "ESTABLISHED" });
        assert(rules.length > 0 && count <= 3, `${what}, ${family} ${table} ${from}: ${count} of ${rules.length}`);
      }
    }
  }
  const foreign: Packet = { in: "eth0", out: "eth1", source: "192.0.2.9", destination: "198.51.100.7", state: "NEW" };
  assert(compared(rulesOf("inet", "filter", "FORWARD"), foreign) <= 6, "what is none of crxn's");
  // Control: the first packet of a flow is looked for among the networks.
  const first: Packet = { in: "nat64-ygg", out: "wg0", source: "100.64.7.7", destination: last, state: "NEW" };
  assert(compared(rulesOf("inet", "filter", "FORWARD"), first) > 200);
});
