/** `crxn init` without a person: options, the machine, and the config that is there. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { parse as parseYaml } from "@std/yaml";
import { Asker } from "../../commands/init_ask.ts";
import type { InitAnswers } from "../../commands/init_options.ts";
import { settleAlone } from "../../commands/init_settle.ts";
import { CrxnError } from "../../gateway/errors.ts";
import { valueOf } from "../../gateway/init/answers.ts";
import { isSecret } from "../../gateway/init/config_text.ts";
import type { Terrain } from "../../gateway/init/terrain.ts";
import { bare, ground, known, Person, tell, textOf } from "./init_person.ts";
import { TODAY } from "./keys.ts";
import { default6, link, route, terrain, usual, wireguard } from "./terrains.ts";

Deno.test("crxn init: options answer ahead, and are never asked again", async () => {
  const { text, heard } = await tell(usual(), ["", "back", "", ""], {
    prefix: "2001:db8:300:5::/96",
    address: ["10.5.0.2", "10.5.0.3"],
  });
  assert(!/Which IPv4 address does|In which \/96|routed to this machine\?/.test(heard), heard);
  assertEquals(
    bare(text).split("\n").slice(0, 4),
    ["address:", "  - 10.5.0.2/32", "  - 10.5.0.3/32", "prefix: 2001:db8:300:5::/96"],
  );
});

function refused(machine: Terrain, options: InitAnswers): CrxnError {
  try {
    settleAlone(known(machine, options), ground(machine));
  } catch (error) {
    assert(error instanceof CrxnError);
    assertEquals(error.exit, 64);
    return error;
  }
  throw new Error("It was taken");
}

Deno.test("crxn init: without a terminal it takes what it would propose", async () => {
  const { answers } = settleAlone(known(usual(), {}), ground(usual()));
  const asked = await tell(usual(), Array(6).fill(""));
  assertEquals(await textOf(answers, usual()), asked.text);
});

Deno.test("crxn init: without a terminal it names all that is missing, and how it is given", () => {
  const missing = (machine: Terrain, options: InitAnswers) =>
    (refused(machine, options).detail?.json?.["missing"] as { option: string }[]).map((m) => m.option);
  const poor = terrain([link("eth0", ["192.0.2.5/24"])]);
  assertEquals(missing(poor, {}), [
    "--prefix PREFIX, or --node",
    "--address ADDRESS/LENGTH",
    "--route NETWORK=KEY",
    "--uplink NAME",
    "--routed NETWORK",
    "--prefix PREFIX",
  ]);
  assertEquals(missing(poor, { node: true, route: ["10.5.0.0/16"] }), [
    "--address ADDRESS/LENGTH",
    "--route 10.5.0.0/16=KEY",
  ]);
});

const USAGE: [InitAnswers, RegExp][] = [
  [{ prefix: "2001:db8::/95" }, /--prefix: "2001:db8::\/95"/],
  [{ node: true, prefix: "2001:db8::/96" }, /plain node/],
  [{ interface: "wg0", peer: ["tls://a.b:1"], overlay: "interface" }, /--peer has no place/],
  [{ overlay: "yggdrasil", route: ["10.0.0.0/8=xyz"] }, /--route: "xyz" is not a yggdrasil public key/],
  [{ route: ["10.0.0.0/40"] }, /--route: "10.0.0.0\/40" is not an IPv4 network/],
  [{ overlay: "yggdrasil", interface: "none" }, /overlay.interface: "none" is no name/],
  [{ interface: "wg9" }, /--interface: "wg9" does not exist/],
  [{ pool: "10.9.0.0/16", route: ["10.0.0.0/8"] }, /overlaps the overlay route/],
  [{ instance: "much-too-long" }, /--instance: .*too long/],
  [{ address: ["10.5.0.1", "nonsense"] }, /--address: .*nonsense/],
  [{ routed: "2001:db8:1::/64", prefix: "2001:db8:2::/96" }, /not inside routed/],
  [{ address: [""] }, /--address: "" holds no answer/],
  [{ address: [","] }, /--address: "," holds no answer/],
  [{ overlay: "interface", tunnel: "vxlan" }, /--tunnel has no place/],
  [{ overlay: "interface", daemon: "/usr/sbin/yggdrasil" }, /--daemon has no place/],
];

for (const [options, says] of USAGE) {
  Deno.test(`crxn init: wrong usage: ${JSON.stringify(options)}`, () => {
    assertMatch(refused(usual(), options).message, says);
  });
}

Deno.test("crxn init: what has no place is refused with a remedy that fits", () => {
  const remedy = (options: InitAnswers) => {
    const { message, remedy } = refused(usual(), options);
    assertMatch(message, /has no place/);
    return remedy;
  };
  assertMatch(remedy({ overlay: "interface", tunnel: "ckr" })!, /existing link.* no tunnel/);
  assertMatch(remedy({ node: true, uplink: "eth0" })!, /plain node is not asked for its uplink/);
  assertMatch(remedy({ route: ["10.0.0.0/8 172.16.0.0/12=10.5.0.9"] })!, /--route of its own/);
});

Deno.test("crxn init: --tunnel and --daemon say as --peer does that the overlay is reached over yggdrasil", () => {
  for (const options of [{ tunnel: "vxlan" }, { daemon: "/usr/sbin/yggdrasil" }, { peer: ["tls://a.example:1"] }]) {
    assertEquals(valueOf(known(usual(), options), "overlay"), "yggdrasil", JSON.stringify(options));
  }
});

Deno.test("crxn init: of several networks some may have a next hop, and the others are asked for theirs", async () => {
  const lan = { kind: "tun", data: { type: "tap" } };
  const machine = terrain([link("eth0", ["2001:db8:9::10/64"]), link("tap0", ["10.5.0.7/16"], lan)], [
    default6("eth0"),
  ]);
  const options = { interface: "tap0", route: ["10.0.0.0/8", "172.16.0.0/12=10.5.0.254"] };
  const { text, heard } = await tell(machine, ["", "", "10.5.0.253", "", ""], options);
  assertStringIncludes(heard, "Next hop to 10.0.0.0/8 on tap0?");
  const { routes } = (parseYaml(text) as { overlay: { routes: unknown } }).overlay;
  assertEquals(routes, [{ to: "10.0.0.0/8", via: "10.5.0.253" }, { to: "172.16.0.0/12", via: "10.5.0.254" }]);
});

/** What a machine may have and a config cannot hold; which option is then missing, if it is no answer to leave it out. */
const UNREADABLE: [string, Terrain, missing: string | undefined][] = [
  [
    "an IPv6 next hop",
    { ...usual(), routes: [...usual().routes, route("172.20.0.0/14 dev wg0 via fe80::1")] },
    undefined,
  ],
  [
    "a link-local address on the link",
    terrain([link("eth0", ["2001:db8:9::10/64"]), link("vti7", ["169.254.1.1/30"], { kind: "vti" })], [
      default6("eth0"),
      route("10.0.0.0/8 dev vti7"),
    ]),
    "--address ADDRESS/LENGTH",
  ],
  [
    "the uplink's name",
    terrain([link("eth+0", ["2001:db8:9::10/64"]), wireguard("wg0", ["10.5.0.1/32"])], [
      default6("eth+0"),
      route("10.0.0.0/8 dev wg0"),
    ]),
    "--uplink NAME",
  ],
  [
    "the name of the link",
    terrain([link("eth0", ["2001:db8:9::10/64"]), wireguard("wg+0", ["10.5.0.1/32"])], [
      default6("eth0"),
      route("10.0.0.0/8 dev wg+0"),
    ]),
    "--address ADDRESS/LENGTH",
  ],
  [
    "a network too wide",
    { ...usual(), routes: [...usual().routes, route("64.0.0.0/2 dev wg0")] },
    undefined,
  ],
];

for (const [name, machine, missing] of UNREADABLE) {
  Deno.test(`crxn init: what the config cannot hold is no proposal: ${name}`, async () => {
    if (missing === undefined) {
      const { answers } = settleAlone(known(machine, {}), ground(machine));
      assertStringIncludes(await textOf(answers, machine), "to: 10.0.0.0/8");
      return;
    }
    const error = refused(machine, {});
    assertStringIncludes(JSON.stringify(error.detail?.json?.["missing"]), missing);
    const person = new Person(["", "", ""]);
    const asked = await new Asker(new Map(), ground(machine), person).settle().catch((e) => e);
    assertMatch(String(asked), /Nothing to answer to/);
  });
}

Deno.test("crxn init: --tunnel, --daemon, --interface and --instance get into the config", async () => {
  const { text } = await tell(usual(), [], {
    overlay: "yggdrasil",
    interface: "ygg7",
    tunnel: "vxlan",
    daemon: "/usr/local/sbin/yggdrasilckr",
    address: ["10.5.0.1"],
    route: [`10.0.0.0/8=${TODAY}`],
    peer: ["tls://peer.example.net:443?password=verysecret"],
    listen: ["tls://[::]:4443"],
    local: ["10.7.0.0/16"],
    prefix: "2001:db8:300::/96",
    routed: "2001:db8:300::/56",
    pool: "192.168.64.0/18",
    instance: "one",
    uplink: "eth0",
  });
  assert(isSecret(text), "a password of a peer is a secret");
  assertEquals(
    bare(text),
    `address: 10.5.0.1/32
prefix: 2001:db8:300::/96
routed: 2001:db8:300::/56
uplink: eth0
overlay:
  type: yggdrasil
  interface: ygg7
  tunnel: vxlan
  daemon: /usr/local/sbin/yggdrasilckr
  peers:
    - tls://peer.example.net:443?password=verysecret
  listen:
    - tls://[::]:4443
  routes:
    - to: 10.0.0.0/8
      via: ${TODAY}
  local:
    - 10.7.0.0/16
nat64:
  instance: one
  pool: 192.168.64.0/18`,
  );
});
