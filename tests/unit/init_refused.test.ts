/** Every answer to `crxn init` is judged at once, and whatever is typed, what comes out is a config. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Asker } from "../../commands/init_ask.ts";
import { canBeOf } from "../../gateway/key_kind.ts";
import { dice } from "./dice.ts";
import { ground, Person, textOf } from "./init_person.ts";
import { OLD_NODES, TODAY } from "./keys.ts";
import { default6, link, route, terrain, usual, wireguard } from "./terrains.ts";

const WRONG: [question: string, before: string[], wrong: string, says: RegExp][] = [
  ["role", [], "bridge", /"bridge" is none of the choices/],
  ["overlay", [""], "openvpn", /"openvpn" does not exist on this machine/],
  ["overlay, no number of the list", [""], "9", /does not exist/],
  ["overlay, the uplink", [""], "eth0", /"eth0" is the uplink too/],
  ["link", ["", "interface"], "wg7", /"wg7" does not exist on this machine — .*eth0, wg0/],
  ["link, bad name", ["", "interface"], "wg0; reboot", /not an interface name: character 4 is ';'/],
  ["link, the uplink", ["", "interface"], "eth0", /"eth0" is the uplink too/],
  ["link, lo", ["", "interface"], "lo", /kernel keeps for itself/],
  ["address", ["", ""], "10.5.0.300", /"10.5.0.300" is not an IPv4 address/],
  ["address, IPv6", ["", ""], "2001:db8::1", /not an IPv4 address/],
  ["address, the network", ["", ""], "10.5.0.0/24", /no host's address/],
  ["address, twice", ["", ""], "10.5.0.1, 10.5.0.1", /there twice/],
  ["networks, host bits", ["", "", ""], "10.0.0.1/8", /host bits set — the network is 10.0.0.0\/8/],
  ["networks, everything", ["", "", ""], "0.0.0.0/0", /swallow/],
  ["networks, none", ["", "", ""], "-", /\"-\" is not an IPv4 network: character 1 is '-'/],
  ["networks, the uplink's", ["", "", ""], "192.0.2.0/24", /contains 192\.0\.2\.0\/24 on eth0/],
  ["networks, one of several", ["", "", ""], "10.0.0.0/8 10.1.0.0", /no prefix length \("10\.1\.0\.0"\)/],
  ["key", ["", "yggdrasil", "10.5.0.1", "10.0.0.0/8"], "6fa4", /4 hex digits instead of 64/],
  [
    "key, of 0.3",
    ["", "yggdrasil", "10.5.0.1", "10.0.0.0/8"],
    OLD_NODES.map((n) => n.box).find((k) => !canBeOf("0.5", k))!,
    /cannot be a key of yggdrasil 0\.5/,
  ],
  ["key, private", ["", "yggdrasil", "10.5.0.1", "10.0.0.0/8"], TODAY + TODAY, /128 hex digits are a private key/],
  ["peers", ["", "yggdrasil", "10.5.0.1", "10.0.0.0/8", TODAY], "peer.example.net", /no scheme/],
  [
    "peers, inside the overlay",
    ["", "yggdrasil", "10.5.0.1", "10.0.0.0/8", TODAY],
    "tls://10.1.1.1:443",
    /swallows itself/,
  ],
  ["listen", ["", "yggdrasil", "10.5.0.1", "10.0.0.0/8", TODAY, ""], "tls://[::]:99999", /port 99999/],
  ["local", ["", "yggdrasil", "10.5.0.1", "10.0.0.0/8", TODAY, "", ""], "10.0.0.0/8", /an overlay route too/],
  ["routed, host bits", ["", "", "", ""], "2001:db8::/8", /has host bits set — the network is 2000::\/8/],
  ["routed, too wide", ["", "", "", ""], "2000::/8", /is too wide: crxn sends the unused rest/],
  ["routed, an address", ["", "", "", ""], "2001:db8::1", /no prefix length/],
  ["prefix, outside", ["", "", "", "", ""], "2001:db8:5::/96", /not inside routed 2001:db8:300::\/64/],
  ["prefix, length", ["", "", "", "", ""], "2001:db8:300::/95", /has length 95, which RFC 6052 2\.2 does not know/],
  ["prefix, well-known", ["", "", "", "", ""], "64:ff9b::/96", /RFC 6052/],
  [
    "prefix, with this machine in it",
    ["", "", "", "", "2001:db8:9::/64"],
    "2001:db8:9::/96",
    /holds this machine's address 2001:db8:9::10 on eth0/,
  ],
];

for (const [name, before, wrong, says] of WRONG) {
  Deno.test(`crxn init: refused at once: ${name}`, async () => {
    const person = new Person([...before, wrong]);
    const error = await new Asker(new Map(), ground(usual()), person).settle().catch((e) => e);
    assertStringIncludes(String(error), "Nothing to answer to", "it asks again");
    const refusals = person.heard.filter((line) => line.includes("Not taken:"));
    assertEquals(refusals.length, 1, person.heard.join("\n"));
    assertMatch(refusals[0]!.replace(/\s+/g, " "), says);
    assert(!refusals[0]!.includes(TODAY + TODAY), "a private key is not repeated");
  });
}

Deno.test("crxn init: this machine's own key is not the far node's", async () => {
  const person = new Person(["", "yggdrasil", "10.5.0.1", "10.0.0.0/8", TODAY]);
  await new Asker(new Map(), ground({ ...usual(), ownKey: TODAY }), person).settle().catch(() => {});
  assertMatch(person.heard.join("\n"), /is this machine's own key/);
});

Deno.test("crxn init: whatever is typed is taken or refused, and what comes out is a config", async () => {
  const words = [
    ...["", "?", "back", "-", "none", "1", "2", "9", "gateway", "node", "yggdrasil", "interface", "wg0", "eth0", "lo"],
    ...["10.5.0.1", "10.5.0.1/32, 10.6.0.1", "10.0.0.0/8", "172.16.0.0/12 10.1.0.0/16", "0.0.0.0/0", "100.64.0.0/10"],
    ...[
      TODAY,
      TODAY.slice(1),
      OLD_NODES[0]!.box,
      "tls://a.example:443",
      "tls://[::]:9001",
      "tls://10.1.1.1:1",
      "unix:///x",
    ],
    ...[
      "2001:db8:300::/56",
      "2001:db8:300:7::/96",
      "2001:db8:9::/64",
      "64:ff9b::/96",
      "fe80::1",
      "::/0",
      "192.168.0.0/16",
    ],
    ...[
      "\x1b[A",
      "\x00",
      "ü",
      "a".repeat(5000),
      "$(reboot)",
      "'; rm -rf /",
      "#",
      "null",
      "__proto__",
      "constructor",
      "{}",
    ],
  ];
  const roll = dice(Number(Deno.env.get("CRXN_SEED") ?? 1));
  const machines = [
    usual(),
    terrain([link("eth0", ["192.0.2.5/24"]), link("eth1", ["2001:db8::1/48"])], [default6("eth1")]),
    // Whose names and addresses no config can hold.
    terrain(
      [link("eth+0", ["2001:db8:9::10/64"]), link("vti7", ["169.254.1.1/30"], { kind: "vti" }), wireguard("wg0")],
      [
        default6("eth+0"),
        route("10.0.0.0/8 dev wg0 via fe80::1"),
        route("64.0.0.0/2 dev vti7"),
      ],
    ),
  ];
  let made = 0;
  for (let n = 0; n < 400; n++) {
    const machine = machines[n % machines.length]!;
    // Enter is what most people press.
    const lines = Array.from({ length: 60 }, () => roll(3) === 0 ? "" : words[roll(words.length)]!);
    const person = new Person(lines);
    try {
      const answers = await new Asker(new Map(), ground(machine), person).settle();
      await textOf(answers, machine);
      made++;
    } catch (error) {
      assertStringIncludes(String(error), "Nothing to answer to", `seed and run ${n}`);
    }
    // deno-lint-ignore no-control-regex
    for (const text of person.heard) assert(/^Answer/.test(text) || !/[\x00-\x09\x0b-\x1f]/.test(text), text);
  }
  assert(made > 100, `only ${made} of 400 came to an end`);
});
