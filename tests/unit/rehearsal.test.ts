import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { blueprint } from "../../gateway/blueprint.ts";
import { contains, host, network, parseAddress } from "../../gateway/cidr.ts";
import { parseConfig } from "../../gateway/config/parse.ts";
import type { Config } from "../../gateway/config/types.ts";
import type { Facts } from "../../gateway/facts.ts";
import { type Rehearsal, rehearsalOf } from "../../gateway/rehearsal.ts";
import { relocate } from "../../gateway/rehearsal_items.ts";
import { layout } from "../../gateway/rehearsal_layout.ts";
import { Tail } from "../../machine/rehearsal_daemon.ts";

const REAL = "6fa497818044d164d7f895a69e4678f03d99820b23c1912970e9255910bd8308";
const KEYS = { gateway: "aa".repeat(32), node: "bdbacfd82240de3dcd123924cbb55256fb8dab08aa98e305528ab84f419e6efb" };

const YGGDRASIL = `
address: 10.5.0.1/32
prefix: 2a04:5b80:300:4::/96
uplink: ens3
overlay:
  type: yggdrasil
  peers: [tls://peer.example.net:443]
  listen: ["tls://[::]:443"]
  routes: [{to: 10.0.0.0/8, via: ${REAL}}]
nat64:
  maps: [{ipv4: 10.5.0.2, ipv6: "2001:db8::2"}]
`;
const EXISTING = `
address: 10.5.0.1/32
prefix: 2a04:5b80:300:4::/96
overlay:
  type: interface
  interface: wg0
  routes: [{to: 172.20.0.0/14, via: 172.20.0.1}]
`;
const NODE = `
address: 10.1.0.1/32
overlay: {type: yggdrasil, routes: [{to: 10.5.0.1/32, via: ${REAL}}]}
`;

const configOf = (text: string): Promise<Config> => parseConfig(text, "test.yaml");
const rehearse = async (text: string, mtu?: number) => rehearsalOf(await configOf(text), KEYS, mtu);
const linesOf = (r: Rehearsal, place: string) =>
  layout(r, (p) => `ns-${p}`).find((l) => l.place === place)?.lines ?? [];

const FACTS: Facts = {
  uplink: { name: "eth0", mtu: 1500 },
  advertised: [],
  overlayMtu: 1500,
  drops: { INPUT: { inet: false, inet6: false }, FORWARD: { inet: false, inet6: false } },
  identity: { publicKey: KEYS.gateway, address: "200::1", from: "new", keys: { PrivateKey: "00".repeat(64) } },
  tunnel: { kind: "vxlan", why: "test" },
};

Deno.test("rehearsalOf: nothing leads to the real nodes", async () => {
  const r = await rehearse(YGGDRASIL);
  const text = JSON.stringify(r);
  assert(!text.includes(REAL) && !text.includes("peer.example.net") && !text.includes("[::]:443"), text);
  assertEquals(r.replaced.length, 3);
});

Deno.test("rehearsalOf: prefix, routed, address, pool and maps stay as they are", async () => {
  const config = await configOf(YGGDRASIL);
  const r = rehearsalOf(config, KEYS);
  const { address, prefix, routed, nat64 } = config;
  assertEquals({ ...r.config, overlay: config.overlay }, {
    address,
    prefix,
    routed,
    nat64,
    uplink: "eth0",
    overlay: config.overlay,
  });
});

Deno.test("rehearsalOf: the far node is the mirror image of the gateway", async () => {
  const r = await rehearse(YGGDRASIL);
  const back = ["10.5.0.1/32", "10.5.0.2/32"].map((to) => ({ to, via: KEYS.gateway }));
  assertEquals(r.node?.overlay.routes, back);
  assertEquals(r.config.overlay.routes, [{ to: "10.0.0.0/8", via: KEYS.node }]);
  assertEquals(r.node?.nat64, undefined);
});

Deno.test("rehearsalOf: the host lies in the first route and is nobody else", async () => {
  assertEquals((await rehearse(YGGDRASIL)).host, "10.1.0.3");
  assertEquals((await rehearse(EXISTING)).host, "172.20.0.2");
  assertEquals((await rehearse(NODE)).host, "10.5.0.1");
  const narrow = EXISTING.replace("172.20.0.0/14, via: 172.20.0.1", "10.5.0.0/30");
  assertEquals((await rehearse(narrow)).host, "10.5.0.2");
});

Deno.test("rehearsalOf: the client is one that the config lets in", async () => {
  const r = await rehearse(YGGDRASIL + '  clients: ["2a01:db8:7::/48"]\n');
  assert(contains(network("2a01:db8:7::/48"), host(parseAddress(r.client!.address)!)), r.client!.address);
  const open = await rehearse(YGGDRASIL);
  assert(!contains(network(open.config.routed!), host(parseAddress(open.client!.address)!)));
});

Deno.test("rehearsalOf: an overlay node has no client, its own machine sends", async () => {
  const r = await rehearse(NODE);
  assertEquals([r.places, r.from, r.target], [["gateway", "node", "host"], "gateway", "10.5.0.1"]);
});

Deno.test("rehearsalOf: an overlay link called eth0 does not collide with the uplink", async () => {
  const r = await rehearse(EXISTING.replace("wg0", "eth0"));
  assertEquals(r.uplink, "uplink0");
});

Deno.test("layout: a next hop is a neighbour on the overlay's link, which has the real one's MTU", async () => {
  const r = await rehearse(EXISTING, 1420);
  const lines = linesOf(r, "gateway");
  assert(lines.includes("link set dev wg0 addrgenmode none mtu 1420 up"), lines.join("\n"));
  assert(lines.includes("route add 172.20.0.1/32 dev wg0"), lines.join("\n"));
  assert(linesOf(r, "host").includes("address add 172.20.0.1/32 dev eth0"));
});

Deno.test("layout: every cable has both ends, and the client holds the mapped IPv6 hosts", async () => {
  const r = await rehearse(YGGDRASIL);
  const all = layout(r, (p) => `ns-${p}`).flatMap((l) => l.lines);
  assertEquals(all.filter((l) => l.startsWith("link add")).map((l) => l.split(" netns ")[1]), [
    "ns-client",
    "ns-node",
    "ns-host",
  ]);
  assert(linesOf(r, "client").includes("address add 2001:db8::2/128 dev eth0 nodad"));
});

Deno.test("layout: no address waits for duplicate address detection", async () => {
  for (const text of [YGGDRASIL, EXISTING, NODE]) {
    const lines = layout(await rehearse(text), (p) => p).flatMap((l) => l.lines);
    const slow = lines.filter((l) => /^address add [0-9a-f]*:/.test(l) && !l.endsWith("nodad"));
    assertEquals(slow, []);
  }
});

Deno.test("Tail: the last lines, and of a crash the first", () => {
  const tail = new Tail();
  tail.add(["1", "", "2", "3"]);
  tail.add(["4", "5", "6", "7"]);
  assertEquals(tail.lines, ["2", "3", "4", "5", "6", "7"]);
  tail.add(["panic: runtime error: index out of range", "", "goroutine 1 [running]:", "a", "b", "c", "d", "e"]);
  tail.add(["f", "panic: again"]);
  assertEquals(tail.lines, ["panic: runtime error: index out of range", "goroutine 1 [running]:", "a", "b", "c", "d"]);
});

Deno.test("relocate: no daemon's file is outside of the folder", async () => {
  const r = await rehearse(YGGDRASIL);
  const moved = relocate(blueprint(r.config, FACTS), "/run/x");
  assertEquals(moved.files.map((f) => f.path), ["/run/x/etc/yggdrasil/yggdrasil.conf", "/run/x/etc/tayga/ygg.conf"]);
  assertStringIncludes(moved.files[0]!.content, "AdminListen: unix:///run/x/yggdrasil.sock");
  assertStringIncludes(moved.files[1]!.content, "data-dir /run/x/var/lib/tayga/ygg");
  assertEquals(moved.folders, ["/run/x/var/lib/tayga/ygg"]);
  assertEquals(moved.overlay?.argv, ["/usr/sbin/yggdrasil", "-useconffile", "/run/x/etc/yggdrasil/yggdrasil.conf"]);
  assertEquals(moved.translators.map((t) => t.argv.at(-1)), ["/run/x/etc/tayga/ygg.conf"]);
  const outside = /(?<!\/run\/x)\/(etc\/(tayga|yggdrasil)|var\/(lib|run))\//;
  const text = JSON.stringify([
    moved.items,
    moved.files.map((f) => f.content.replace(/^#.*$/gm, "")),
    moved.translators,
  ]);
  assert(!outside.test(text), outside.exec(text)?.[0]);
});

Deno.test("relocate: every item that commands make is the one that `up` makes", async () => {
  const made = blueprint((await rehearse(YGGDRASIL)).config, FACTS);
  const ids = relocate(made, "/run/x").items.map((i) => i.id);
  const wanted = made.items.filter((i) => !["package", "file", "service", "unwanted"].includes(i.kind)).map((i) =>
    i.id
  );
  assertEquals(ids, wanted);
});

Deno.test("relocate: an existing interface needs no overlay daemon", async () => {
  const { identity: _, tunnel: __, ...facts } = FACTS;
  const moved = relocate(blueprint((await rehearse(EXISTING)).config, facts), "/run/x");
  assertEquals([moved.overlay, moved.translators.length], [undefined, 1]);
});
