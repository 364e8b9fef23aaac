/** A pool and a name for the translator that nobody has; whatever the machine, nothing collides. */

import { assert, assertEquals } from "@std/assert";
import { contains, network, overlaps } from "../../gateway/cidr.ts";
import { freeInstance, freePool } from "../../gateway/init/pool.ts";
import { freePrefix, occupied, routedNetworks } from "../../gateway/init/routed.ts";
import type { Terrain } from "../../gateway/init/terrain.ts";
import { dice } from "./dice.ts";
import { default6, link, route, terrain, usual, valuesOf as values } from "./terrains.ts";

const POOLS: [string, Terrain, string[], string][] = [
  ["the default", usual(), ["10.0.0.0/8"], "100.64.0.0/16"],
  ["an address in it", terrain([link("eth1", ["100.64.3.1/24"])]), [], "100.65.0.0/16"],
  ["a route into it", terrain([], [route("100.64.0.0/12 dev eth0")]), [], "100.80.0.0/16"],
  ["the overlay has it", usual(), ["100.64.0.0/10"], "172.16.0.0/16"],
  ["docker beside it", terrain([link("docker0", ["172.17.0.1/16"]), link("eth1", ["172.16.5.1/24"])]), [
    "100.64.0.0/10",
  ], "172.18.0.0/16"],
  ["shared addresses by tailscale", terrain([link("tailscale0", ["100.101.102.103/32"])]), [], "172.16.0.0/16"],
  [
    "all large ones taken",
    terrain([], ["10.0.0.0/8", "172.16.0.0/12", "198.18.0.0/15", "192.168.0.0/17"].map((n) => route(`${n} dev wg0`))),
    ["100.64.0.0/10"],
    "192.168.128.0/18",
  ],
  ["crxn's own pool is no obstacle", terrain([], [route("100.64.0.0/16 dev nat64-ygg proto 64")]), [], "100.64.0.0/16"],
  ["a next hop in it", terrain([], [route("192.0.2.0/24 dev eth0 via 100.64.0.1")]), [], "100.65.0.0/16"],
  [
    "a VPN's halves of the Internet are a default route",
    terrain([], [route("0.0.0.0/1 dev tun0"), route("128.0.0.0/1 dev tun0")]),
    [],
    "100.64.0.0/16",
  ],
];

for (const [name, machine, overlay, want] of POOLS) {
  Deno.test(`crxn init: pool: ${name}`, () => assertEquals(values(freePool(machine, overlay.map(network))), [want]));
}

Deno.test("crxn init: pool: none where everything private is taken", () => {
  const all = ["10.0.0.0/8", "172.16.0.0/12", "198.18.0.0/15", "192.168.0.0/16", "100.64.0.0/10"];
  assertEquals(freePool(usual(), all.map(network)), []);
});

Deno.test("crxn init: the translator's name is one that nobody has", () => {
  const name = (instances: string[], overlay?: string) => values(freeInstance(terrain([], [], { instances }), overlay));
  assertEquals(name([], "wg0"), ["ygg"]);
  assertEquals(name(["ygg"], "wg0"), ["wg0"]);
  assertEquals(name(["ygg"], "wg_OFFICE"), ["crxn"]);
  assertEquals(name(["ygg", "wg0", "crxn"], "wg0"), ["crxn2"]);
});

Deno.test("crxn init: whatever the machine, prefix and pool collide with nothing of it", () => {
  const roll = dice(Number(Deno.env.get("CRXN_SEED") ?? 1));
  for (let n = 0; n < 300; n++) {
    const octet = () => roll(256);
    const v4 = () => `${[10, 100, 172, 192][roll(4)]}.${octet()}.${octet()}.${1 + roll(250)}/${8 + roll(25)}`;
    const v6 = () =>
      `2001:db8:${roll(3)}:${roll(3).toString(16)}::${
        (roll(2) * 0x640000 + octet()).toString(16).replace(/(.+)(....)$/, "$1:$2")
      }/${[48, 56, 64, 128][roll(4)]}`;
    const machine = terrain(
      Array.from({ length: 1 + roll(4) }, (_, i) => link(`eth${i}`, [v4(), v6(), v6()])),
      [default6("eth0"), ...Array.from({ length: roll(4) }, () => route(`${v4()} dev eth0`))],
    );
    const overlay = Array.from({ length: roll(3) }, () => network(v4()));
    for (const { value } of freePool(machine, overlay)) {
      const pool = network(value);
      const used = [...overlay, ...machine.networks.map((m) => network(m.network)).filter((m) => m.family === 4)];
      assert(!used.some((u) => overlaps(u, pool)), `${value} in ${JSON.stringify(machine.networks)}`);
    }
    for (const { value } of routedNetworks(machine, undefined)) {
      for (const prefix of freePrefix(network(value), machine)) {
        assert(contains(network(value), network(prefix.value)), prefix.value);
        assert(!occupied(machine).some((o) => overlaps(o, network(prefix.value))), prefix.value);
      }
    }
  }
});
