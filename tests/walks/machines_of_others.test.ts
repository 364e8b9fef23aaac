import { assert, assertEquals, assertRejects } from "@std/assert";
import { ConfigError } from "../../gateway/config/problem.ts";
import { factsOf } from "../../gateway/facts.ts";
import { decide } from "../../gateway/netfilter/iptables_walk.ts";
import type { Packet } from "../../gateway/netfilter/packet.ts";
import type { Survey } from "../../gateway/survey.ts";
import { differences, snapshot } from "../unit/fake/snapshot.ts";
import { GATEWAY, start, test } from "./start.ts";

// Machines that are there for other things as well: these go on.

/** The chain of crxn's that the machine has now, and what it does with a packet. */
async function verdict(play: ReturnType<typeof start>["play"], config: string, packet: Packet): Promise<string> {
  const { survey } = await play.prepare(config);
  const table = survey.rules[packet.source?.includes(":") ? "inet6" : "inet"]!["filter"]!;
  return decide(table, "FORWARD", packet)!.target;
}

test("up: the uplink is no overlay, whether or not the config names it", async () => {
  const { machine, play } = start();
  using _ = machine;
  const first = snapshot(machine);
  const config = GATEWAY.replace("interface: wg0", "interface: eth0");
  const error = await assertRejects(() => play.up(config), ConfigError, "is the uplink");
  assert(error instanceof ConfigError);
  assertEquals(differences(first, snapshot(machine)), []);
});

test("up: what is the uplink by IPv4 alone, or a node's only link, may well be the overlay's", async () => {
  const node = (link: string, more = "") =>
    `address: 10.5.0.1/32\noverlay: {type: interface, interface: ${link}, ${more}routes: [{to: 10.0.0.0/8}]}\n`;
  for (const config of [node("eth0"), node("eth0", "access: all, "), node("wg0")]) {
    const { machine, play } = start();
    using _ = machine;
    if (config.includes("wg0")) {
      machine.network.ip(["-6", "route", "del", "default", "dev", "eth0"]);
      for (const family of ["-4", "-6"]) machine.network.ip([family, "route", "add", "default", "dev", "wg0"]);
    }
    assertEquals(await play.up(config), 0, config);
  }
  // The IPv6 default route comes and goes.
  const { machine, play } = start();
  using _ = machine;
  machine.network.ip(["-4", "route", "add", "default", "dev", "wg0", "proto", "static"]);
  assertEquals(await play.up(GATEWAY), 0);
  machine.network.ip(["-6", "route", "del", "default", "dev", "eth0"]);
  assertEquals(await play.up(GATEWAY), 0);
});

test("up: a bridge of containers inside an overlay network is no way to the Internet", async () => {
  const { machine, play } = start();
  using _ = machine;
  machine.network.addLink({ name: "lxdbr0", kind: "bridge", up: true, mtu: 1500 });
  machine.network.ip(["address", "add", "10.213.7.1/24", "dev", "lxdbr0"]);
  assertEquals(await play.up(GATEWAY), 0);
  const eth0 = "10.99.0.7/24";
  machine.network.ip(["address", "add", eth0, "dev", "eth0"]);
  await assertRejects(() => play.up(GATEWAY), ConfigError, "10.99.0.0/24 on eth0");
});

test("up: who was masqueraded into the overlay before gets his answers, and nobody starts anything from there", async () => {
  const { machine, play } = start();
  using _ = machine;
  await play.up(GATEWAY);
  const packet = { in: "wg0", out: "docker0", source: "10.1.0.3", destination: "172.17.0.2", protocol: "tcp" } as const;
  const state = (name: "ESTABLISHED" | "NEW") => verdict(play, GATEWAY, { ...packet, state: name } as Packet);
  assertEquals([await state("ESTABLISHED"), await state("NEW")], ["ACCEPT", "DROP"]);
});

test("up: errors of routers reach the overlay where clients are limited; what else they send does not", async () => {
  const { machine, play } = start();
  using _ = machine;
  const config = `${GATEWAY}\nnat64: {clients: ["2001:db8:1::/48"]}\n`;
  await play.up(config);
  const router = { in: "eth0", out: "nat64-ygg", source: "2001:db8:ffff::1", destination: "2a04:5b80:300:4::a01:3" };
  const of = (protocol: string, state: string) => verdict(play, config, { ...router, protocol, state } as Packet);
  assertEquals(await of("ipv6-icmp", "RELATED"), "ACCEPT");
  assertEquals([await of("ipv6-icmp", "NEW"), await of("tcp", "RELATED")], ["DROP", "DROP"]);
});

test("up: a network that is advertised without a way out keeps being heard of", async () => {
  const { machine, play } = start();
  using _ = machine;
  const { survey, blueprint: { config } } = await play.prepare(GATEWAY);
  const eth1 = (dynamic: boolean): Survey => ({
    ...survey,
    sysctls: { ...survey.sysctls, "net/ipv6/conf/eth1/accept_ra": "1" },
    links: [...survey.links, {
      ...survey.links.find(({ name }) => name === "eth0")!,
      name: "eth1",
      addresses: [{ address: "fd00:1::abcd/64", family: "inet6", scope: "global", dynamic }],
    }],
  });
  assert(factsOf(config, eth1(true)).advertised.includes("eth1"));
  assert(!factsOf(config, eth1(false)).advertised.includes("eth1"));
  // Over the overlay's link nobody announces himself as a router.
  const overlay = { ...config, overlay: { ...config.overlay, interface: "eth1" } };
  assert(!factsOf(overlay, eth1(true)).advertised.includes("eth1"));
});

test("up: a routed network that is on-link as well, with the usual metric, stays on-link", async () => {
  const { machine, play } = start();
  using _ = machine;
  const first = snapshot(machine);
  const config = GATEWAY.replace("2a04:5b80:300:4::/96", "2001:db8:9::64:0:0/96") + "\nrouted: 2001:db8:9::/64\n";
  machine.network.ip(["-6", "route", "add", "2001:db8:9::/64", "dev", "eth0", "proto", "ra", "metric", "1024"]);
  await play.up(config);
  assertEquals(await play.steps(config), []);
  // The router is gone: nothing moves.
  machine.network.ip(["-6", "route", "del", "2001:db8:9::/64", "dev", "eth0", "proto", "ra", "metric", "1024"]);
  assertEquals(await play.steps(config), []);
  await play.down();
  assertEquals(differences(first, snapshot(machine)), []);
});
