/** The dialogue of `crxn init`, with a person of the imagination: every answer is judged at once, and nothing is lost by going back. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { parse as parseYaml } from "@std/yaml";
import { Asker } from "../../commands/init_ask.ts";
import { settleAlone, takeGiven } from "../../commands/init_settle.ts";
import { givenOf, type InitAnswers, settingsOf } from "../../commands/init_options.ts";
import { type Dialogue, wrap } from "../../commands/init_terminal.ts";
import { parseConfig, problemsOnMachine } from "../../gateway/config/parse.ts";
import { CrxnError } from "../../gateway/errors.ts";
import { type Answers, documentOf, withUplink } from "../../gateway/init/answers.ts";
import { configText, isSecret, scalar } from "../../gateway/init/config_text.ts";
import { type Present, presentOf } from "../../gateway/init/present.ts";
import type { Terrain } from "../../gateway/init/terrain.ts";
import { canBeOf } from "../../gateway/key_kind.ts";
import { dice } from "./dice.ts";
import { OLD_NODES, TODAY } from "./keys.ts";
import { default6, link, route, terrain, usual, wireguard } from "./terrains.ts";

/** Types lines; what it is told is kept. */
class Person implements Dialogue {
  readonly columns = 80;
  readonly heard: string[] = [];
  constructor(private readonly lines: string[]) {}

  say(text: string): void {
    this.heard.push(text);
  }

  read(prompt: string): Promise<string> {
    const line = this.lines.shift();
    this.heard.push(`${prompt}${line}`);
    if (line === undefined) throw new Error(`Nothing to answer to:\n${this.heard.join("\n")}`);
    return Promise.resolve(line);
  }

  get left(): number {
    return this.lines.length;
  }
}

interface Told {
  heard: string;
  answers: Answers;
  text: string;
}

const option = (more: Partial<InitAnswers>): InitAnswers => ({ daemon: "/usr/sbin/yggdrasil", ...more });
const ground = (machine: Terrain) => ({ terrain: machine, judge: canBeOf });

function known(machine: Terrain, options: Partial<InitAnswers>): Answers {
  const given = givenOf(option(options));
  return takeGiven(given, settingsOf(option(options), given), ground(machine));
}

/** Answers until nothing is left to ask; the config is one for the real parser. */
async function tell(machine: Terrain, lines: string[], options: Partial<InitAnswers> = {}): Promise<Told> {
  const person = new Person([...lines]);
  const answers = await new Asker(known(machine, options), ground(machine), person).settle();
  assertEquals(person.left, 0, `left unasked after:\n${person.heard.join("\n")}`);
  const heard = person.heard.join("\n");
  for (const line of heard.split("\n")) assert(line.length < 80 || /[0-9a-f]{64}/.test(line), `too long: ${line}`);
  return { heard, answers, text: await textOf(answers, machine) };
}

async function textOf(answers: Answers, machine: Terrain): Promise<string> {
  const all = withUplink(answers, machine);
  const text = configText(all);
  const config = await parseConfig(text, "crxn.yaml");
  assertEquals(config, await parseConfig(JSON.stringify(documentOf(all)), "document"), "the comments change nothing");
  assertEquals(await problemsOnMachine(config, text, "crxn.yaml", machine.networks), []);
  return text;
}

/** Without comments and empty lines. */
const bare = (text: string) => text.split("\n").filter((l) => !/^ *(#|$)/.test(l)).join("\n");

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
  ["networks, none", ["", "", ""], "-", /./],
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
  ["routed", ["", "", "", ""], "2001:db8::/8", /host bits|too wide/],
  ["routed, an address", ["", "", "", ""], "2001:db8::1", /no prefix length/],
  ["prefix, outside", ["", "", "", "", ""], "2001:db8:5::/96", /not inside routed 2001:db8:300::\/64/],
  ["prefix, length", ["", "", "", "", ""], "2001:db8:300::/95", /\/95|95/],
  ["prefix, well-known", ["", "", "", "", ""], "64:ff9b::/96", /RFC 6052/],
  ["prefix, with this machine in it", ["", "", "", "", "2"], "2001:db8:9::/96", /./],
];

for (const [name, before, wrong, says] of WRONG) {
  Deno.test(`crxn init: refused at once: ${name}`, async () => {
    const lines = name.startsWith("prefix, with") ? ["", "", "", "", "2001:db8:9::/64"] : before;
    const person = new Person([...lines, wrong]);
    const error = await new Asker(new Map(), ground(usual()), person).settle().catch((e) => e);
    assertStringIncludes(String(error), "Nothing to answer to", "it asks again");
    const [refusals] = [person.heard.filter((line) => line.includes("Not taken:"))];
    assertEquals(refusals.length, 1, person.heard.join("\n"));
    assertMatch(refusals[0]!.replace(/\s+/g, " "), says);
    assert(!refusals[0]!.includes(TODAY + TODAY), "a private key is not repeated");
  });
}

Deno.test("crxn init: ? explains, in a few lines of 80 columns", async () => {
  const { heard } = await tell(usual(), ["?", "", "?", "", "?", "", "?", "", "?", "", "?", ""]);
  assertStringIncludes(heard.replace(/\s+/g, " "), "the router asks for each address");
});

Deno.test("crxn init: this machine's own key is not the far node's", async () => {
  const person = new Person(["", "yggdrasil", "10.5.0.1", "10.0.0.0/8", TODAY]);
  await new Asker(new Map(), ground({ ...usual(), ownKey: TODAY }), person).settle().catch(() => {});
  assertMatch(person.heard.join("\n"), /is this machine's own key/);
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
  ];
  let made = 0;
  for (let n = 0; n < 400; n++) {
    const machine = machines[n % 2]!;
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

Deno.test("crxn init: names that YAML would take for something else are in quotes", () => {
  for (const text of ["123", "1e5", "0x10", "on", "Null", "y", "-", "1.5", "10_000", ".5", "a:", "=x", "1:2"]) {
    const shown = scalar(text);
    assert(shown.startsWith('"') || /:2$/.test(text), `${text} -> ${shown}`);
    assertEquals(JSON.parse(shown.startsWith('"') ? shown : `"${shown}"`), text);
  }
  for (const text of ["eth0", "wg-office", "10.5.0.1/32", "2001:db8::/96", "tls://[::1]:443?key=a&b=c", TODAY]) {
    assertEquals(scalar(text), text);
  }
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

Deno.test("wrap: lines end before the width, words stay whole", () => {
  assertEquals(wrap("one two three four", 9, "  "), "  one two\n  three\n  four");
  assertEquals(wrap("unbreakable-word x", 5), "unbreakable-word\nx");
  assertEquals(wrap("", 5), "");
});
