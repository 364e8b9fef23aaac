/** The dialogue of `crxn init`, with a person of the imagination: nothing is lost by going back. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Asker } from "../../commands/init_ask.ts";
import { valueOf } from "../../gateway/init/answers.ts";
import { bare, Person, tell } from "./init_person.ts";
import { TODAY } from "./keys.ts";
import { default6, link, route, terrain, usual, wireguard } from "./terrains.ts";

Deno.test("crxn init: Enter all along makes a gateway over the link that is there", async () => {
  const { text, heard } = await tell(usual(), Array(6).fill(""));
  assertEquals(
    bare(text),
    `address: 10.5.0.1/32
prefix: 2001:db8:300::/96
overlay:
  type: interface
  interface: wg0
  routes:
    - to: 10.0.0.0/8`,
  );
  for (const key of ["pool", "What is the translator to be called", "Next hop"]) assert(!heard.includes(key), heard);
});

Deno.test("crxn init: a gateway over yggdrasil", async () => {
  const { text } = await tell(usual(), [
    "gateway",
    "yggdrasil",
    "10.5.0.1",
    "10.0.0.0/8, 172.20.0.0/14",
    TODAY.toUpperCase(),
    "",
    "tls://peer.example.net:443",
    "none",
    "2",
    "",
  ]);
  assertEquals(
    bare(text),
    `address: 10.5.0.1/32
prefix: 2001:db8:9::64:0:0/96
uplink: eth0
overlay:
  type: yggdrasil
  peers:
    - tls://peer.example.net:443
  routes:
    - to: 10.0.0.0/8
      via: ${TODAY}
    - to: 172.20.0.0/14
      via: ${TODAY}`,
  );
});

Deno.test("crxn init: a plain node over yggdrasil, which listens and has a LAN", async () => {
  const machine = terrain([link("eth0", ["192.0.2.5/24"]), link("lan0", ["10.1.0.1/16"])], [
    route("default dev eth0 via 192.0.2.1"),
  ]);
  const { text } = await tell(machine, ["node", "", "10.1.0.1", "10.5.0.0/16", TODAY, "", "", ""]);
  assertEquals(
    bare(text),
    `address: 10.1.0.1/32
overlay:
  type: yggdrasil
  listen:
    - tls://[::]:9001
  routes:
    - to: 10.5.0.0/16
      via: ${TODAY}
  local:
    - 10.1.0.0/16`,
  );
});

Deno.test("crxn init: what is unusual on a machine is asked: two uplinks, a taken pool, a taken name, a next hop", async () => {
  const machine = terrain(
    [
      link("eth0", ["2001:db8:9::10/64"]),
      link("eth1", ["2001:db8:8::10/64"]),
      link("tap0", ["10.5.0.7/16"], {
        kind: "tun",
        data: { type: "tap" },
      }),
    ],
    [default6("eth0", 10), default6("eth1", 20), route("100.64.0.0/10 dev eth0")],
    { instances: ["ygg"] },
  );
  const { text } = await tell(machine, ["", "tap0", "", "10.0.0.0/8", "10.5.0.254", "2", "", "", "", ""]);
  assertEquals(
    bare(text),
    `address: 10.5.0.7/16
prefix: 2001:db8:9::64:0:0/96
uplink: eth1
overlay:
  type: interface
  interface: tap0
  routes:
    - to: 10.0.0.0/8
      via: 10.5.0.254
nat64:
  instance: tap0
  pool: 172.16.0.0/16`,
  );
});

Deno.test("crxn init: an uplink is written down where otherwise another link would count as one", async () => {
  const machine = terrain([
    link("eth0", ["2001:db8:9::10/64"]),
    link("lan0", ["10.1.0.1/16"]),
    wireguard("wg0", ["10.5.0.1/32"]),
  ], [
    default6("eth0"),
    route("10.0.0.0/8 dev wg0"),
  ]);
  const { text } = await tell(machine, Array(6).fill(""));
  assertStringIncludes(text, "\nuplink: eth0\n");
});

Deno.test("crxn init: ? explains, in a few lines of 80 columns", async () => {
  const { heard } = await tell(usual(), ["?", "", "?", "", "?", "", "?", "", "?", "", "?", ""]);
  assertStringIncludes(heard.replace(/\s+/g, " "), "the router asks for each address");
});

Deno.test("crxn init: a prefix in which somebody is already is taken with a word about it", async () => {
  const machine = { ...usual(), neighbours: [{ address: "2001:db8:9::7", device: "eth0", states: ["STALE"] }] };
  // This machine's own address in it is refused, as by `up`.
  machine.networks = machine.networks.filter((n) => !n.network.startsWith("2001:db8:9::10"));
  const { heard } = await tell(machine, ["", "", "", "", "2", "2001:db8:9::/96"]);
  assertMatch(heard, /Mind: 2001:db8:9::10\/128 lies in it/);
});

Deno.test("crxn init: back asks the question before again, with its answer; what followed is asked anew", async () => {
  const { text, heard } = await tell(usual(), [
    "back",
    "",
    "yggdrasil",
    "10.5.0.9",
    "back",
    "back",
    "wg0",
    ...Array(4).fill(""),
  ]);
  assertStringIncludes(heard, "This is the first question.");
  assertStringIncludes(heard, "1) yggdrasil (your answer before)");
  assertStringIncludes(heard, "Answer [10.5.0.9/32]: ", "");
  assertStringIncludes(text, "interface: wg0");
});

Deno.test("crxn init: back at the last question, with and without one before it", async () => {
  const nothingAsked = new Person(["back", "y"]);
  const alone = new Asker(new Map(), { terrain: usual() }, nothingAsked);
  assertEquals(await alone.confirm("Write it?"), true);
  assertStringIncludes(nothingAsked.heard.join("\n"), "This is the first question.");
  const person = new Person([...Array(6).fill(""), "back", "2001:db8:300::7:0:0/96", "no"]);
  const asker = new Asker(new Map(), { terrain: usual() }, person);
  await asker.settle();
  assertEquals(await asker.confirm("Write it?"), undefined);
  assertEquals(valueOf(await asker.settle(), "prefix"), "2001:db8:300::7:0:0/96");
  assertEquals(await asker.confirm("Write it?"), false);
});
