/** From a machine to what `crxn init` proposes. */

import { assert, assertEquals } from "@std/assert";
import { contains, network, overlaps } from "../../gateway/cidr.ts";
import { networksBehind, networksBeside, overlayLinks } from "../../gateway/init/overlay_links.ts";
import { freeInstance, freePool } from "../../gateway/init/pool.ts";
import { freePrefix, occupied, routedNetworks, uplinks } from "../../gateway/init/routed.ts";
import type { Proposal, Terrain } from "../../gateway/init/terrain.ts";
import { formatNetwork } from "../../gateway/cidr.ts";
import { dice } from "./dice.ts";
import { default6, link, route, terrain, usual, wireguard } from "./terrains.ts";

const values = (proposals: Proposal[]) => proposals.map((p) => p.value);

const LINKS: [string, Terrain, string[]][] = [
  ["a usual machine", usual(), ["wg0"]],
  ["nothing but an uplink", terrain([link("eth0", ["192.0.2.5/24"])]), []],
  [
    "bridges, ports and links of containers and virtual machines",
    terrain([
      link("docker0", ["172.17.0.1/16"], { kind: "bridge" }),
      link("br-0123456789ab", ["172.18.0.1/16"], { kind: "bridge" }),
      link("virbr0", ["192.168.122.1/24"], { kind: "bridge" }),
      link("vnet0", [], { kind: "tun", data: { type: "tap" }, master: "virbr0" }),
      link("tap5", [], { kind: "tun", data: { type: "tap" }, master: "br0" }),
      link("veth12ab", [], { kind: "veth", master: "docker0" }),
      link("flannel.1", ["10.244.0.0/32"], { kind: "vxlan" }),
    ]),
    [],
  ],
  [
    "what crxn and tayga make, and yggdrasil's own device",
    terrain([
      link("nat64", ["192.168.255.1/32"], { kind: "tun", data: { type: "tun" } }),
      link("nat64-ygg", [], { kind: "tun", data: { type: "tun" } }),
      link("crxn-bdbacfd8", ["10.5.0.1/32"], { kind: "vxlan" }),
      link("ygg", ["203:f816::1/7"], { kind: "tun", data: { type: "tun" } }),
    ]),
    [],
  ],
  [
    "a VPN by which the IPv6 Internet comes is the uplink",
    terrain([wireguard("wg6", ["2001:db8::2/64"]), wireguard("wg0")], [default6("wg6")]),
    ["wg0"],
  ],
  [
    "of several links the one that leads somewhere comes first, one that is down last",
    terrain([
      wireguard("wg-down", ["10.9.0.1/32"], { up: false }),
      wireguard("wg-bare"),
      wireguard("wg-address", ["10.8.0.1/32"]),
      link("tun0", ["10.5.0.1/24"], { kind: "tun", data: { type: "tun" } }),
    ], [route("10.0.0.0/8 dev tun0"), route("10.9.0.0/16 dev wg-down")]),
    ["tun0", "wg-address", "wg-bare", "wg-down"],
  ],
  [
    "links that the kernel makes by itself",
    terrain([link("tunl0", [], { kind: "ipip" }), link("gre0", [], { kind: "gre" })]),
    [],
  ],
];

for (const [name, machine, want] of LINKS) {
  Deno.test(`crxn init: overlay links: ${name}`, () => assertEquals(values(overlayLinks(machine)), want));
}

Deno.test("crxn init: an existing link is described so that a person knows it", () => {
  assertEquals(overlayLinks(usual()), [{ value: "wg0", why: "WireGuard, 10.5.0.1/32" }]);
  const userSpace = terrain([link("wg1", [], { kind: "tun", data: { type: "tun" }, up: false })]);
  assertEquals(overlayLinks(userSpace), [{ value: "wg1", why: "WireGuard, down" }]);
});

const BEHIND: [string, Terrain, string[]][] = [
  ["its routes", usual(), ["10.0.0.0/8"]],
  [
    "not a VPN's halves of the Internet, nor the default route",
    terrain([link("tun0")], [
      route("0.0.0.0/1 dev tun0"),
      route("128.0.0.0/1 dev tun0"),
      route("default dev tun0"),
      route("10.8.0.0/24 dev tun0"),
    ]),
    ["10.8.0.0/24"],
  ],
  [
    "the larger of two, and each once",
    terrain([wireguard("wg0")], [
      route("10.1.0.0/16 dev wg0"),
      route("10.0.0.0/8 dev wg0"),
      route("10.0.0.0/8 dev wg0 metric 50"),
    ]),
    ["10.0.0.0/8"],
  ],
  [
    "not the machine's own address, not multicast, not what another link has",
    terrain([wireguard("wg0", ["10.5.0.1/32"]), link("eth1")], [
      route("10.5.0.1/32 dev wg0"),
      route("224.0.0.0/4 dev wg0"),
      route("10.9.0.0/16 dev eth1"),
      route("10.7.0.3/32 dev wg0"),
    ]),
    ["10.7.0.3/32"],
  ],
  ["nothing", terrain([wireguard("wg0")]), []],
];

for (const [name, machine, want] of BEHIND) {
  const device = machine.links.at(-1)!.name === "eth1" ? "wg0" : machine.links.at(-1)!.name;
  Deno.test(`crxn init: networks behind a link: ${name}`, () => {
    assertEquals(networksBehind(device, machine).map((n) => formatNetwork(n.network)), want);
  });
}

Deno.test("crxn init: networks beside a node are its LANs, not the uplink's, a VPN's or containers'", () => {
  const machine = terrain([
    link("eth0", ["192.0.2.5/24"]),
    link("lan0", ["10.1.0.1/16"]),
    wireguard("wg0", ["10.9.0.1/24"]),
    link("docker0", ["172.17.0.1/16"], { kind: "bridge" }),
  ], [route("default dev eth0 via 192.0.2.1")]);
  assertEquals(values(networksBeside("ygg", machine)), ["10.1.0.0/16"]);
});

const UPLINKS: [string, Terrain, string[]][] = [
  ["the IPv6 default route's", usual(), ["eth0"]],
  [
    "two, the lower metric first",
    terrain([link("eth0"), link("eth1")], [default6("eth0", 2000), default6("eth1", 100)]),
    ["eth1", "eth0"],
  ],
  [
    "one route with two next hops",
    terrain([link("eth0"), link("eth1")], [{
      ...route("default -6 metric 1"),
      hops: [{ device: "eth0" }, { device: "eth1" }],
    }]),
    ["eth0", "eth1"],
  ],
  ["no default route: a link with an IPv6 address", terrain([link("eth0", ["2001:db8::2/64"]), link("eth1")]), [
    "eth0",
  ]],
  ["no IPv6 at all: the IPv4 default route's", terrain([link("eth0")], [route("default dev eth0 via 192.0.2.1")]), [
    "eth0",
  ]],
  ["nothing", terrain([]), []],
];

for (const [name, machine, want] of UPLINKS) {
  Deno.test(`crxn init: uplinks: ${name}`, () => assertEquals(values(uplinks(machine)), want));
}

const eth0 = (...addresses: string[]) => link("eth0", addresses);
const ROUTED: [string, Terrain, string[]][] = [
  ["a delegated /56 before the uplink's own /64", usual(), ["2001:db8:300::/64", "2001:db8:9::/64"]],
  ["nothing without IPv6", terrain([eth0("192.0.2.5/24")]), []],
  ["only a /128: what is around it", terrain([eth0("2001:db8:9::10/128")], [default6("eth0")]), ["2001:db8:9::/64"]],
  [
    "a /128 by DHCPv6 in the /64 that the router calls on-link, once",
    terrain([eth0("2001:db8:9::10/128")], [default6("eth0"), route("2001:db8:9::/64 dev eth0 proto ra")]),
    ["2001:db8:9::/64"],
  ],
  ["a /48 with the machine in its first /64: the second", terrain([eth0("2001:db8:9::1/48")], [default6("eth0")]), [
    "2001:db8:9:1::/64",
  ]],
  [
    "a /56 of which other links have parts: the first free /64",
    terrain([eth0("2001:db8:9:100::1/56"), link("lan0", ["2001:db8:9:101::1/64"])], [
      default6("eth0"),
      route("2001:db8:9:102::/64 dev lan0 via fe80::2"),
    ]),
    ["2001:db8:9:103::/64", "2001:db8:9:101::/64"],
  ],
  [
    "an address on lo says that its /64 is routed here",
    terrain([eth0("2001:db8:9::10/64"), link("dum0", ["2001:db8:77::1/64"], { kind: "dummy" })], [default6("eth0")]),
    [
      "2001:db8:77::/64",
      "2001:db8:9::/64",
    ],
  ],
  [
    "bogons that somebody refuses are not delegated",
    terrain(
      [eth0("192.0.2.5/24")],
      ["2001:db8::/32", "2002::/16", "fc00::/7", "3fff::/20", "2001:db8:300::/96"].map((n) =>
        route(`unreachable ${n}`)
      ),
    ),
    [],
  ],
  [
    "what crxn has now comes first",
    terrain([eth0("2001:db8:9::10/64")], [
      default6("eth0"),
      route("unreachable 2001:db8:300::/56"),
      route("blackhole 2001:db8:4::/64 proto 64"),
    ]),
    [
      "2001:db8:4::/64",
      "2001:db8:300::/64",
      "2001:db8:9::/64",
    ],
  ],
  ["containers' networks are theirs", terrain([link("docker0", ["2001:db8:5::1/64"], { kind: "bridge" })]), []],
  ["local addresses at last", terrain([eth0("fd00:1::10/64", "2001:db8:9::10/64")], [default6("eth0")]), [
    "2001:db8:9::/64",
    "fd00:1::/64",
  ]],
  ["yggdrasil's are nobody's", terrain([link("ygg", ["203:f816::1/7", "303:f816::1/64"])]), []],
  [
    "a VPN that is the overlay does not bring it",
    terrain([eth0("192.0.2.5/24"), wireguard("wg0", ["2001:db8:8::2/64"])], []),
    [],
  ],
];

for (const [name, machine, want] of ROUTED) {
  Deno.test(`crxn init: routed networks: ${name}`, () => {
    assertEquals(
      values(routedNetworks(machine, machine.links.some((l) => l.name === "wg0") ? "wg0" : undefined)),
      want,
    );
  });
}

const neighbour = (address: string, state = "REACHABLE") => ({ address, device: "eth0", states: [state] });
const PREFIXES: [string, string, Terrain, string | undefined][] = [
  ["all zero where nobody is", "2001:db8:300::/64", usual(), "2001:db8:300::/96"],
  ["not all zero on a link, where routers are", "2001:db8:9::/64", usual(), "2001:db8:9::64:0:0/96"],
  [
    "not where this machine's ::1 is",
    "2001:db8:77::/64",
    terrain([link("lo1", ["2001:db8:77::1/128"])]),
    "2001:db8:77::64:0:0/96",
  ],
  [
    "not where a neighbour is",
    "2001:db8:77::/64",
    terrain([eth0()], [], { neighbours: [neighbour("2001:db8:77::a01:3")] }),
    "2001:db8:77::64:0:0/96",
  ],
  [
    "a neighbour that nobody reached is none",
    "2001:db8:77::/64",
    terrain([eth0()], [], { neighbours: [neighbour("2001:db8:77::a01:3", "FAILED")] }),
    "2001:db8:77::/96",
  ],
  [
    "not where a next hop is",
    "2001:db8:77::/64",
    terrain([eth0()], [route("2001:db8:1::/48 dev eth0 via 2001:db8:77::1")]),
    "2001:db8:77::64:0:0/96",
  ],
  [
    "not where another translator has its prefix, nor behind that",
    "2001:db8:77::/64",
    terrain([eth0()], [route("2001:db8:77::/96 dev nat64"), route("2001:db8:77::64:0:0/96 dev nat64-b")]),
    "2001:db8:77::65:0:0/96",
  ],
  [
    "crxn's own route is no obstacle",
    "2001:db8:77::/64",
    terrain([eth0()], [route("2001:db8:77::a00:0/104 dev nat64-ygg proto 64")]),
    "2001:db8:77::/96",
  ],
  ["a /48: in its first free /64", "2001:db8:9::/48", terrain([eth0("2001:db8:9::1/64")]), "2001:db8:9:1::/96"],
  ["a /96 is itself", "2001:db8:9:0:0:5::/96", usual(), "2001:db8:9:0:0:5::/96"],
  ["a /80", "2001:db8:9:9:12::/80", usual(), "2001:db8:9:9:12::/96"],
  ["bits 64 to 71 would be set", "2001:db8:9:9:1200::/80", usual(), undefined],
  ["too small", "2001:db8:9:9::/112", usual(), undefined],
  ["a /96 with a host in it", "2001:db8:9::/96", usual(), undefined],
];

for (const [name, routed, machine, want] of PREFIXES) {
  Deno.test(`crxn init: prefix: ${name}`, () => {
    const [found] = freePrefix(network(routed), machine);
    assertEquals(found?.value, want === undefined ? undefined : formatNetwork(network(want)));
  });
}

const POOLS: [string, Terrain, string[], string][] = [
  ["the default", usual(), ["10.0.0.0/8"], "100.64.0.0/16"],
  ["an address in it", terrain([link("eth1", ["100.64.3.1/24"])]), [], "100.65.0.0/16"],
  ["a route into it", terrain([], [route("100.64.0.0/12 dev eth0")]), [], "100.80.0.0/16"],
  ["the overlay has it", usual(), ["100.64.0.0/10"], "172.16.0.0/16"],
  ["docker beside it", terrain([link("docker0", ["172.17.0.1/16"]), link("eth1", ["172.16.5.1/24"])]), [
    "100.64.0.0/10",
  ], "172.18.0.0/16"],
  ["carriers' addresses by tailscale", terrain([link("tailscale0", ["100.101.102.103/32"])]), [], "172.16.0.0/16"],
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
