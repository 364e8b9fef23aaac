import { assert, assertEquals } from "@std/assert";
import { jsonSchema, jsonSchemaText } from "../../gateway/config/json_schema.ts";
import { parseConfig, problemsOnMachine } from "../../gateway/config/parse.ts";
import { ConfigError, problemText } from "../../gateway/config/problem.ts";
import example from "../../assets/crxn.example.yaml" with { type: "text" };
import { GOOD_INTERFACE, GOOD_YGGDRASIL, KEY } from "./broken_configs.ts";
import { dice } from "./dice.ts";

Deno.test("parseConfig: the example, with defaults filled in", async () => {
  assertEquals(await parseConfig(example, "crxn.yaml"), {
    address: "10.5.0.1/32",
    prefix: "2a04:5b80:300:4::/96",
    routed: "2a04:5b80:300:4::/64",
    overlay: {
      type: "yggdrasil",
      interface: "ygg",
      tunnel: "auto",
      daemon: "/usr/sbin/yggdrasil",
      peers: ["tls://peer.example.net:443"],
      listen: [],
      routes: [{ to: "10.0.0.0/8", via: "bdbacfd82240de3dcd123924cbb55256fb8dab08aa98e305528ab84f419e6efb" }],
      access: "ping",
    },
    nat64: { instance: "ygg", pool: "100.64.0.0/16", maps: [], clients: ["::/0"], workers: 1, mss: "auto" },
  });
});

Deno.test("example: every line that is commented out is good when it is not", async () => {
  const open = example.replace(
    /^( *)# ((routed|uplink|interface|tunnel|daemon|listen|local|access|instance|maps|limits|workers|mss): \S.*)$/gm,
    "$1$2",
  );
  const changed = open.split("\n").filter((line, index) => line !== example.split("\n")[index]).length;
  assertEquals(changed, 13);
  const config = await parseConfig(open, "crxn.yaml");
  assertEquals(config.uplink, "eth0");
  assertEquals(config.nat64?.maps, [{ ipv4: "10.5.0.2", ipv6: "2001:db8::2" }]);
});

Deno.test("parseConfig: an overlay node has neither routed nor nat64", async () => {
  const config = await parseConfig("address: 10.5.0.7\noverlay: {type: interface, interface: wg0}\n", "f");
  assertEquals(config, {
    address: "10.5.0.7/32",
    overlay: { type: "interface", interface: "wg0", routes: [], access: "all" },
  });
});

Deno.test("parseConfig: a next hop may be link-local, and on a node a network as well", async () => {
  const { overlay } = await parseConfig(
    GOOD_INTERFACE.replace("10.0.0.0/8", "10.0.0.0/8\n      via: 169.254.7.1"),
    "f",
  );
  assertEquals(overlay.routes, [{ to: "10.0.0.0/8", via: "169.254.7.1" }]);
  await parseConfig(
    "address: 10.5.0.7\noverlay: {type: interface, interface: wg0, routes: [{to: 169.254.0.0/16}]}\n",
    "f",
  );
});

Deno.test("parseConfig: gives canonical text", async () => {
  const config = await parseConfig(
    GOOD_YGGDRASIL.replace("2a04:5b80:300:4::/96", "2A04:5B80:0300:0004:0:0::/96").replace(KEY, KEY.toUpperCase())
      .replace("10.5.0.1/32", "10.5.0.1/24") +
      'nat64:\n  clients: ["2001:0DB8::/32"]\n  maps: [{ipv4: 10.5.0.2, ipv6: "2001:0DB8:0::2"}]\n  mss: 1280\n',
    "f",
  );
  assertEquals(config.address, "10.5.0.1/24");
  assertEquals([config.prefix, config.routed], ["2a04:5b80:300:4::/96", "2a04:5b80:300:4::/64"]);
  assertEquals(config.overlay.routes[0]!.via, KEY);
  assertEquals(config.nat64!.clients, ["2001:db8::/32"]);
  assertEquals(config.nat64!.maps[0]!.ipv6, "2001:db8::2");
  assertEquals(config.nat64!.mss, 1280);
});

Deno.test("parseConfig: routed by default is the /64 around the prefix, or the prefix where that is shorter", async () => {
  const routed = async (prefix: string) =>
    (await parseConfig(GOOD_YGGDRASIL.replace("2a04:5b80:300:4::/96", prefix), "f")).routed;
  assertEquals(await routed("2a04:5b80:300:4::/64"), "2a04:5b80:300:4::/64");
  assertEquals(await routed("2a04:5b80:300::/48"), "2a04:5b80:300::/48");
  assertEquals(await routed("2a04:5b80:300:4:0:1::/96"), "2a04:5b80:300:4::/64");
  assertEquals(await routed("300:848a:604f:bb7e::/96"), "300:848a:604f:bb7e::/64");
  assertEquals(await routed("fd00:64::/96"), "fd00:64::/64");
});

Deno.test("parseConfig: takes the peers and listen addresses that yggdrasil takes", async () => {
  const peers = [
    "tls://[2001:db8::1]:443",
    "tls://[fe80::1%25eth0]:9001",
    "quic://[fe80::aa:1%25wlan0.7_a-b]:9001?priority=1",
    "tcp://192.0.2.1:9001?key=" + KEY + "&priority=1",
    "quic://peer.example.net:9001?password=abc-1",
    "ws://peer.example.net:80/path",
    "wss://peer.example.net:443",
    "unix:///run/peer.sock",
    "socks://127.0.0.1:9050/peer.example.net:443",
    "sockstls://me:secret@127.0.0.1:9050/peer.example.net:443?sni=example.net",
  ];
  const listen = ["tls://[::]:0", "tls://[fe80::1%25eth0]:9001", "tcp://0.0.0.0:9001", "unix:///run/y.sock"];
  const text = GOOD_YGGDRASIL.replace(
    "peers:\n    - tls://peer.example.net:443",
    `peers: ${JSON.stringify(peers)}\n  listen: ${JSON.stringify(listen)}`,
  );
  const { overlay } = await parseConfig(text, "f");
  assert(overlay.type === "yggdrasil");
  assertEquals(overlay.peers, peers);
  assertEquals(overlay.listen, listen);
});

Deno.test("parseConfig: a suspicious comment alone is no problem", async () => {
  await parseConfig(`# &anchor *alias <<: !tag 012\n${GOOD_INTERFACE}#\ttab\n`, "f");
  await parseConfig(`\ufeff${GOOD_INTERFACE.replaceAll("\n", "\r\n")}`, "f");
});

Deno.test("jsonSchema: docs/crxn.schema.json is current", async () => {
  const file = new URL("../../docs/crxn.schema.json", import.meta.url);
  if (Deno.env.get("UPDATE")) await Deno.writeTextFile(file, jsonSchemaText());
  assertEquals(await Deno.readTextFile(file), jsonSchemaText(), "run the unit tests once with UPDATE=1");
});

Deno.test("jsonSchema: describes every key and has no id", () => {
  const schema = jsonSchema();
  assertEquals(schema.$id, undefined);
  assertEquals(schema.required, ["address", "overlay"]);
  let described = 0;
  const walk = (node: unknown, path: string): void => {
    if (typeof node !== "object" || node === null) return;
    for (const [key, value] of Object.entries((node as { properties?: object }).properties ?? {})) {
      assert(
        typeof value.description === "string" && value.description.length > 5,
        `${path}.${key} has no description`,
      );
      described++;
    }
    for (const [key, value] of Object.entries(node)) walk(value, `${path}.${key}`);
  };
  walk(schema, "");
  // 7 at the top, 9 and 4 in overlay, 2 in a daemon to fetch, 2 in each kind of route, 7 in nat64, 2 in maps, 3 in limits, 2 in upkeep.
  assertEquals(described, 40);
});

Deno.test("problemsOnMachine: names overlaps with the machine's networks, with places", async () => {
  const config = await parseConfig(GOOD_INTERFACE, "f");
  const problems = await problemsOnMachine(config, GOOD_INTERFACE, "f", [
    { network: "100.64.7.1/24", device: "br0" },
    { network: "2a04:5b80:300:4::1/64", device: "eth0" },
    { network: "10.200.0.7/24", device: "eth0" },
    { network: "10.200.0.1/32", device: "eth0" },
  ]);
  assertEquals(problems.map(problemText).map((line) => line.split(" — ")[0]), [
    `f:2:9: prefix: "2a04:5b80:300:4::/96" holds this machine's address 2a04:5b80:300:4::1 on eth0: whatever is inside the prefix is taken for an embedded IPv4 address`,
    `f:9:11: overlay.routes[0].to: "10.0.0.0/8" contains 10.200.0.0/24 on eth0, the way this machine reaches the Internet`,
    `f:12:9: nat64.pool: "100.64.0.0/16" overlaps this machine's network 100.64.7.0/24 on br0`,
  ]);
});

Deno.test("problemsOnMachine: a machine that crxn has already made is good", async () => {
  const config = await parseConfig(GOOD_INTERFACE, "f");
  const networks = [
    { network: "127.0.0.1/8", device: "lo" },
    { network: "0.0.0.0/0", device: "eth0" },
    { network: "192.0.2.7/24", device: "eth0" },
    { network: "2001:db8::7/64", device: "eth0" },
    { network: "fe80::1/64", device: "eth0" },
    { network: "10.5.0.1/32", device: "wg0" },
    { network: "10.77.0.1/24", device: "docker0" },
    { network: "100.64.0.1/32", device: "nat64-ygg" },
    { network: "100.64.0.0/16", device: "nat64-ygg" },
    { network: "2a04:5b80:300:4::a00:0/104", device: "nat64-ygg" },
  ];
  assertEquals((await problemsOnMachine(config, GOOD_INTERFACE, "f", networks)).map(problemText), []);
  const two = { ...config, nat64: { ...config.nat64!, workers: 2 } };
  const second = [...networks, { network: "100.64.128.1/17", device: "nat64-ygg-2" }];
  assertEquals((await problemsOnMachine(two, GOOD_INTERFACE, "f", second)).map(problemText), []);
  assertEquals((await problemsOnMachine(config, GOOD_INTERFACE, "f", second)).length, 1, "somebody else's translator");
});

Deno.test("parseConfig: whatever happens to the example, only ConfigError is thrown, and each problem has a place", async () => {
  const bare = example.replace(/^ *#.*\n|^\n/gm, "");
  const scraps = [
    "\t",
    "&a ",
    "*a",
    "<<: ",
    "---\n",
    "? ",
    "- ",
    ": ",
    "{",
    "[",
    "}",
    "]",
    "'",
    '"',
    "!!int ",
    "null",
    "~",
    "1",
    "-0",
    "\u0000",
    "\u202e",
    "😀",
    "|",
    ">",
    "%",
    "#",
    "\n",
    "\r",
    "  ",
    "9e999",
    "/",
    "::",
    "__proto__: ",
    "constructor: ",
  ];
  const pick = dice(20240117);
  let refused = 0;
  for (let round = 0; round < 1000; round++) {
    const base = [bare, GOOD_INTERFACE, GOOD_YGGDRASIL][pick(3)]!;
    let text = base;
    for (let times = pick(4); times >= 0; times--) {
      const at = pick(text.length + 1);
      const scrap = pick(3) === 0
        ? base.split("\n")[pick(base.split("\n").length)]! + "\n"
        : scraps[pick(scraps.length)]!;
      text = text.slice(0, at) + (pick(4) === 0 ? "" : scrap) + text.slice(at + (pick(2) === 0 ? pick(12) : 0));
    }
    try {
      const config = await parseConfig(text, "f");
      assert(/^[\x20-\x7e]*$/.test(JSON.stringify(config)) && !/[;$%`\\\s]/.test(JSON.stringify(config)), text);
    } catch (error) {
      if (!(error instanceof ConfigError)) {
        throw new Error(`Not a ConfigError for ${JSON.stringify(text)}`, { cause: error });
      }
      refused++;
      const lines = text.split(/\n/).length;
      for (const problem of error.problems) {
        assert(problem.line >= 1 && problem.line <= lines + 1 && problem.column >= 1, problemText(problem));
        assert(/^[\x20-\x7e]+ — [\x20-\x7e]+$/.test(problemText(problem)), JSON.stringify(problemText(problem)));
      }
      assert(error.problems.length > 0, text);
    }
  }
  assert(refused > 700 && refused < 1000, `${refused} of 1000 were refused`);
});
