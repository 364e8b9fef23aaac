/** `crxn init` without a person: options, the machine, and the config that is there. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { parse as parseYaml } from "@std/yaml";
import { Asker } from "../../commands/init_ask.ts";
import { type InitAnswers, settingsOf } from "../../commands/init_options.ts";
import { settleAlone } from "../../commands/init_settle.ts";
import { parseConfig } from "../../gateway/config/parse.ts";
import { CrxnError } from "../../gateway/errors.ts";
import { documentOf } from "../../gateway/init/answers.ts";
import { isSecret } from "../../gateway/init/config_text.ts";
import { type Present, presentOf } from "../../gateway/init/present.ts";
import type { Terrain } from "../../gateway/init/terrain.ts";
import { bare, ground, known, option, Person, tell, textOf } from "./init_person.ts";
import { TODAY } from "./keys.ts";
import { link, terrain, usual } from "./terrains.ts";

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

function refused(machine: Terrain, options: Partial<InitAnswers>): CrxnError {
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
  const missing = (machine: Terrain, options: Partial<InitAnswers>) =>
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

const USAGE: [Partial<InitAnswers>, RegExp][] = [
  [{ prefix: "2001:db8::/95" }, /--prefix: "2001:db8::\/95"/],
  [{ node: true, prefix: "2001:db8::/96" }, /plain node/],
  [{ interface: "wg0", peer: ["tls://a.b:1"], overlay: "interface" }, /--peer has no place/],
  [{ overlay: "yggdrasil", route: ["10.0.0.0/8=xyz"] }, /--route: "xyz" is not a yggdrasil public key/],
  [{ route: ["10.0.0.0/40"] }, /--route: "10.0.0.0\/40" is not an IPv4 network/],
  [{ interface: "wg9" }, /--interface: "wg9" does not exist/],
  [{ pool: "10.9.0.0/16", route: ["10.0.0.0/8"] }, /overlaps the overlay route/],
  [{ instance: "much-too-long" }, /--instance: .*too long/],
  [{ address: ["10.5.0.1", "nonsense"] }, /--address: .*nonsense/],
  [{ routed: "2001:db8:1::/64", prefix: "2001:db8:2::/96" }, /not inside routed/],
];

for (const [options, says] of USAGE) {
  Deno.test(`crxn init: wrong usage: ${JSON.stringify(options)}`, () => {
    assertMatch(refused(usual(), options).message, says);
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

const PRESENT = `
address: [10.5.0.7/32, 10.5.0.8/32]
prefix: 2001:db8:300:9::/96
overlay:
  type: yggdrasil
  tunnel: vxlan
  peers: [tls://peer.example.net:443]
  routes: [{to: 10.0.0.0/8, via: ${TODAY}}]
  access: none
nat64: {pool: 192.168.64.0/18, workers: 2}
`;

/** What a config that is there says. */
async function presentIn(text: string): Promise<Present> {
  return presentOf(await parseConfig(text, "present.yaml"), parseYaml(text));
}

Deno.test("crxn init: of a config that is there the answers are proposed, and what would be lost is known", async () => {
  const present = await presentIn(PRESENT);
  assertEquals(present.leftOut, ["overlay.access", "nat64.workers"]);
  const settings = settingsOf(option({}), new Map(), present.settings);
  const person = new Person(Array(9).fill(""));
  const answers = await new Asker(settings, { ...ground(usual()), present: present.answers }, person).settle();
  assertEquals(person.left, 0);
  assertStringIncludes(person.heard.join("\n"), "1) yggdrasil (in the present config)");
  const alone = settleAlone(settings, { ...ground(usual()), present: present.answers });
  assertEquals(await textOf(alone.answers, usual()), await textOf(answers, usual()));
  const config = await parseConfig(await textOf(answers, usual()), "crxn.yaml");
  const { nat64, overlay, ...rest } = await parseConfig(PRESENT, "present.yaml");
  assertEquals(config, {
    ...rest,
    uplink: "eth0",
    overlay: { ...overlay, access: "ping" },
    nat64: { ...nat64!, workers: 1 },
  });
});

Deno.test("crxn init: of a config that is there only what still fits is taken", async () => {
  const { answers: present } = await presentIn(PRESENT.replace("192.168.64.0/18", "192.0.2.0/24"));
  present.set("overlay", "wg7");
  const { answers } = settleAlone(known(usual(), { routed: "2001:db8:300:5::/64" }), { ...ground(usual()), present });
  const document = JSON.parse(JSON.stringify(documentOf(answers)));
  assertEquals(document.overlay.interface, "wg0", "a link that is gone");
  assertEquals(document.prefix, "2001:db8:300:5::/96", "a prefix outside of what is routed now");
  assertEquals(document.nat64, undefined, "a pool that collides now");
});
