/** Uplinks, the IPv6 network that is routed to a machine, and a prefix in it. */

import { assertEquals } from "@std/assert";
import { formatNetwork, network } from "../../gateway/cidr.ts";
import { freePrefix, routedNetworks, uplinks } from "../../gateway/init/routed.ts";
import type { Terrain } from "../../gateway/init/terrain.ts";
import { default6, link, route, terrain, usual, valuesOf as values, wireguard } from "./terrains.ts";

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
  ["a translator's of its own (464XLAT) are not routed here", terrain([link("clat", ["2001:db8:6::1/64"])]), []],
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
