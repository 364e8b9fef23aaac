import { assertEquals, assertThrows } from "@std/assert";
import { parseConfig } from "../../gateway/config/parse.ts";
import { CrxnError } from "../../gateway/errors.ts";
import { readHandMade, type TaygaSeen } from "../../gateway/hand_made.ts";
import { handMadeText } from "../../gateway/hand_made_text.ts";
import type { Link, RouteSeen, Survey } from "../../gateway/survey.ts";
import { HAND_MADE_CONF as CONF } from "./fake/configs.ts";

// What a gateway made by hand is read as.

const tayga = (text = CONF, more: Partial<TaygaSeen> = {}): TaygaSeen => ({
  file: "/etc/tayga/ygg.conf",
  instance: "ygg",
  text,
  running: true,
  ...more,
});

const link = (name: string, addresses: string[], kind?: string): Link => ({
  name,
  up: true,
  carrier: true,
  mtu: 1500,
  ...(kind ? { kind } : {}),
  data: {},
  addresses: addresses.map((address) => ({
    address,
    family: address.includes(":") ? "inet6" : "inet",
    scope: "global",
    dynamic: false,
  })),
  rx: { packets: 0, bytes: 0, dropped: 0 },
  tx: { packets: 0, bytes: 0, dropped: 0 },
});

const route = (to: string, device: string, more: Partial<RouteSeen> = {}): RouteSeen => ({
  family: to.includes(":") ? "inet6" : "inet",
  to,
  type: "unicast",
  device,
  table: "main",
  protocol: "boot",
  metric: to.includes(":") ? 1024 : 0,
  ...more,
});

const MASQUERADE = "-s 100.64.0.0/16 -o wg0 -j MASQUERADE".split(" ");

interface Made {
  rules?: string[][];
  routes?: RouteSeen[];
  links?: Link[];
  units?: Survey["units"];
}

const SLICE = route("2001:db8:300:4::a00:0/104", "nat64-ygg");
const OVERLAY = route("10.0.0.0/8", "wg0");
const LINKS = [
  link("eth0", ["192.0.2.10/24"]),
  link("wg0", ["10.5.0.1/32"], "wireguard"),
  link("nat64-ygg", [], "tun"),
];

const made = (
  { rules = [MASQUERADE], routes = [SLICE, OVERLAY, route("100.64.0.0/16", "nat64-ygg")], links = LINKS, units = {} }:
    Made = {},
): Survey =>
  ({
    links,
    routes,
    units,
    rules: { inet: { nat: { POSTROUTING: { name: "POSTROUTING", rules } } } },
  }) as unknown as Survey;

const read = (survey: Survey, list = [tayga()], name?: string) => readHandMade(survey, list, name);
const refused = (survey: Survey, list = [tayga()], name?: string) => {
  const error = assertThrows(() => read(survey, list, name), CrxnError) as CrxnError;
  return `${error.exit}: ${error.message}`;
};

Deno.test("readHandMade: the operator's notes, over an existing link", async () => {
  const found = read(made());
  assertEquals(found, {
    instance: "ygg",
    file: "/etc/tayga/ygg.conf",
    addresses: ["10.5.0.1/32"],
    prefix: "2001:db8:300:4::/96",
    link: "wg0",
    routes: [{ to: "10.0.0.0/8" }],
    pool: "100.64.0.0/16",
    maps: [],
    notes: [],
  });
  const config = await parseConfig(handMadeText(found), "crxn.yaml");
  assertEquals([config.address, config.prefix, config.overlay.interface, config.nat64?.instance], [
    "10.5.0.1/32",
    "2001:db8:300:4::/96",
    "wg0",
    "ygg",
  ]);
});

Deno.test("readHandMade: more of everything: SNAT, next hops, pairs, two addresses, a blackhole", async () => {
  const snat = "-s 100.64.0.0/16 -o wg0 -j SNAT --to-source 10.5.0.9".split(" ");
  const routes = [
    route("2001:db8:300:4::/96", "nat64-ygg"),
    route("10.0.0.0/8", "wg0", { via: "10.5.0.254" }),
    route("172.20.0.0/14", "wg0"),
    route("169.254.0.0/16", "wg0"),
    route("default", "eth0", { via: "192.0.2.1" }),
    route("2001:db8:300::/48", "lo", { type: "blackhole" }),
    route("2001:db8:300:4::/64", "lo", { type: "unreachable" }),
  ];
  const links = [link("wg0", ["10.5.0.1/24", "10.5.0.9/24"]), link("nat64-ygg", [])];
  const found = read(made({ rules: [snat], routes, links }), [tayga(`${CONF}map 10.5.0.2 2001:DB8:9::2\n`)]);
  assertEquals(found.addresses, ["10.5.0.9/24", "10.5.0.1/24"], "clients appear under what SNAT says");
  assertEquals(found.routes, [{ to: "10.0.0.0/8", via: "10.5.0.254" }, { to: "172.20.0.0/14" }]);
  assertEquals(found.routed, "2001:db8:300:4::/64", "the narrowest");
  assertEquals(found.maps, [{ ipv4: "10.5.0.2", ipv6: "2001:db8:9::2" }]);
  const { nat64, overlay, moreAddresses } = await parseConfig(handMadeText(found), "crxn.yaml");
  assertEquals([nat64?.maps.length, overlay.routes.length, overlay.access, moreAddresses?.length], [1, 2, "all", 1]);
});

Deno.test("readHandMade: a translation rule for everybody, or none, and still the device is found", () => {
  assertEquals(read(made({ rules: ["-o wg0 -j MASQUERADE".split(" ")] })).link, "wg0");
  assertEquals(read(made({ rules: [] })).link, "wg0", "by the route of the slice");
  // Of another network: a home router's own.
  assertEquals(read(made({ rules: ["-s 192.168.1.0/24 -o eth0 -j MASQUERADE".split(" ")] })).link, "wg0");
});

Deno.test("readHandMade: a rule that says ! names no device, and SNAT for everybody says under which address", () => {
  assertEquals(read(made({ rules: ["! -o lo -j MASQUERADE".split(" "), MASQUERADE] })).link, "wg0");
  assertEquals(read(made({ rules: ["! -s 10.0.0.0/8 -o eth0 -j MASQUERADE".split(" ")] })).link, "wg0", "by the route");
  const links = [link("wg0", ["10.5.0.1/24", "10.5.0.9/24"]), link("nat64-ygg", [])];
  const all = "-o wg0 -j SNAT --to-source 10.5.0.9".split(" ");
  assertEquals(read(made({ rules: [all], links })).addresses[0], "10.5.0.9/24");
  const { addresses, notes } = read(made({ rules: ["-o wg0 -j SNAT --to-source 10.7.0.1".split(" ")], links }));
  assertEquals([addresses[0], notes.length], ["10.5.0.1/24", 1]);
  assertEquals(notes[0]!.startsWith("Clients appear in the overlay as 10.7.0.1 now"), true);
});

/** Of a machine that translates for others, too: wg-quick's PostUp, a router's own rule. */
const UPLINKS = "-o eth0 -j MASQUERADE".split(" ");
const DEFAULT = route("default", "eth0", { via: "192.0.2.1" });

Deno.test("readHandMade: the uplink's own translation does not make it the overlay", () => {
  const routes = [DEFAULT, SLICE, OVERLAY, route("100.64.0.0/16", "nat64-ygg")];
  const ofPool = "-s 100.64.0.0/16 -j MASQUERADE".split(" ");
  for (
    const rules of [
      [UPLINKS, ofPool],
      [ofPool],
      [UPLINKS],
      ["-s 10.9.0.0/24 -o eth0 -j MASQUERADE".split(" "), ofPool],
      ["-s 100.64.0.0/16 ! -o nat64-ygg -j MASQUERADE".split(" "), UPLINKS],
      ["-s 100.64.0.0/16 -o eth0 -j MASQUERADE".split(" ")],
    ]
  ) {
    const { link, addresses } = read(made({ rules, routes }));
    assertEquals([link, addresses], ["wg0", ["10.5.0.1/32"]], JSON.stringify(rules));
  }
  const snat = "-s 100.64.0.0/16 -d 10.0.0.0/8 -j SNAT --to-source 10.5.0.9".split(" ");
  const links = [link("wg0", ["10.5.0.1/24", "10.5.0.9/24"]), link("nat64-ygg", [])];
  const translated = read(made({ rules: [UPLINKS, snat], routes, links }));
  assertEquals(translated.addresses[0], "10.5.0.9/24", "of the pool, without -o");
  const elsewhere = "-o eth0 -j SNAT --to-source 10.5.0.9".split(" ");
  assertEquals(read(made({ rules: [elsewhere], routes, links })).addresses[0], "10.5.0.1/24", "not on wg0");
});

Deno.test("readHandMade: without a route of its own for a slice, parts of it and rules tell the device", () => {
  const halves = [route("10.0.0.0/9", "wg0"), route("10.128.0.0/9", "wg0")];
  const lan = route("10.213.7.0/24", "eth0", { protocol: "kernel" });
  assertEquals(read(made({ rules: [UPLINKS], routes: [DEFAULT, SLICE, ...halves] })).link, "wg0");
  assertEquals(read(made({ routes: [DEFAULT, SLICE, ...halves, lan] })).link, "wg0", "the rule says which");
  assertEquals(read(made({ rules: [UPLINKS], routes: [DEFAULT, SLICE, ...halves, lan] })).link, "wg0", "not the LAN");
  // All of the prefix goes into the translator: what of it is the overlay no route says.
  const all = [DEFAULT, route("2001:db8:300:4::/96", "nat64-ygg"), OVERLAY];
  assertEquals(read(made({ rules: [UPLINKS, "-o wg0 -j MASQUERADE".split(" ")], routes: all })).link, "wg0");
  assertEquals(
    refused(made({ rules: [UPLINKS], routes: all })),
    "69: Which device leads to the overlay cannot be told: no rule translates 100.64.0.0/16, and no route goes there.",
  );
  // The overlay lies behind the default route.
  const behind = [route("default", "wg0"), SLICE];
  assertEquals(read(made({ rules: ["-o wg0 -j MASQUERADE".split(" ")], routes: behind })).link, "wg0");
});

Deno.test("readHandMade: a slice that is a part of what is routed keeps its next hop", () => {
  const routes = [
    route("2001:db8:300:4::a01:0/112", "nat64-ygg"),
    route("0.0.0.0/0", "eth0", { table: "9" }),
    route("10.0.0.0/8", "wg0", { via: "10.5.0.254" }),
    route("10.1.2.0/24", "wg0", { via: "10.5.0.253" }),
  ];
  assertEquals(read(made({ routes, rules: [] })).routes, [{ to: "10.1.0.0/16", via: "10.5.0.254" }]);
});

Deno.test("handMadeText: a name that YAML takes for something else stays a name", async () => {
  const found = read(made(), [tayga(CONF.replace("nat64-ygg", "nat64-true"), { instance: "true" })]);
  assertEquals((await parseConfig(handMadeText(found), "crxn.yaml")).nat64?.instance, "true");
});

Deno.test("readHandMade: says what cannot be told, and what to do", () => {
  assertEquals(refused(made(), []), "69: There is no gateway here to import: no config of tayga.");
  assertEquals(refused(made(), [tayga()], "other"), "69: No tayga of the name other is here.");
  const two = [tayga(), tayga(CONF, { instance: "b", file: "/etc/tayga/b.conf" })];
  assertEquals(refused(made(), two), "64: Several translators are here: ygg, b.");
  assertEquals(read(made(), two, "ygg").instance, "ygg");
  assertEquals(read(made(), [two[0]!, { ...two[1]!, running: false }]).instance, "ygg", "the one that runs");
  assertEquals(
    refused(made(), [tayga(CONF.replace("100.64.0.0/16", "lots"))]),
    "69: /etc/tayga/ygg.conf has a prefix or a dynamic-pool that is no network.",
  );
  assertEquals(
    refused(made(), [tayga("tun-device nat64-ygg\n")]),
    "69: /etc/tayga/ygg.conf has no prefix, dynamic-pool.",
  );
  assertEquals(
    refused(made({ rules: [], routes: [SLICE] })),
    "69: Which device leads to the overlay cannot be told: no rule translates 100.64.0.0/16, and no route goes there.",
  );
  const both = [SLICE, OVERLAY, route("2001:db8:300:4::ac14:0/110", "nat64-ygg"), route("172.20.0.0/14", "wg1")];
  assertEquals(refused(made({ routes: both })), "69: Several devices lead to the overlay: wg0, wg1.");
  assertEquals(
    refused(made({ links: [link("wg0", []), link("nat64-ygg", [])] })),
    "69: wg0 has no IPv4 address, so this machine has none in the overlay.",
  );
});

Deno.test("readHandMade: notes of what the config cannot say", () => {
  const odd = CONF.replace("100.64.0.1", "192.168.255.1").replace("/var/lib/tayga/ygg", "/var/db/tayga") +
    "strict-frag-hdr on\n";
  const { notes } = read(made(), [tayga(odd)]);
  assertEquals(notes.map((n) => n.split(" ").slice(0, 5).join(" ")), [
    "tayga's own address is 192.168.255.1;",
    "crxn does not write these",
    "tayga's list of clients is",
  ]);
  const debians = read(made(), [
    tayga(CONF.replace("nat64-ygg", "nat64"), { file: "/etc/tayga.conf", instance: undefined } as never),
  ]);
  assertEquals(debians.instance, "nat64");
  assertEquals(debians.notes[0]?.split(":")[0], "/etc/tayga.conf and its device nat64 are in the way of crxn's");
});
