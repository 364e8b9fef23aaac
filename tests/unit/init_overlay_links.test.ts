/** Which links lead to an overlay, and what is behind and beside them. */

import { assertEquals } from "@std/assert";
import { formatNetwork } from "../../gateway/cidr.ts";
import { networksBehind, networksBeside, overlayLinks } from "../../gateway/init/overlay_links.ts";
import type { Terrain } from "../../gateway/init/terrain.ts";
import { default6, link, route, terrain, usual, valuesOf as values, wireguard } from "./terrains.ts";

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
