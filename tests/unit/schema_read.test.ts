/** A good config is read without zod; zod judges the others. Both are made of one schema, and have to agree. */

import { assert, assertEquals } from "@std/assert";
import { parse } from "@std/yaml";
import { read } from "../../gateway/config/schema_read.ts";
import { schema } from "../../gateway/config/schema.ts";
import { judge } from "../../gateway/config/schema_zod.ts";
import { manyNetworks, WALK } from "./fake/configs.ts";

type Json = Record<string, unknown>;

const MORE = `address: [10.5.0.1/24]
prefix: 2001:DB8:300:4::/96
routed: 2001:db8:300:4::/64
uplink: eth0
overlay:
  type: yggdrasil
  interface: ygg
  tunnel: auto
  daemon: {url: 'https://example.net/daemon', sha256: '${"a".repeat(64)}'}
  peers: ['tls://192.0.2.9:443']
  listen: ['tls://[::]:9001']
  local: [10.9.0.0/16]
  access: [tcp/22, udp/53]
  routes: [{to: 10.0.0.0/8, via: ${"6F".repeat(32)}}]
nat64:
  instance: b
  pool: 100.96.0.0/16
  maps: [{ipv4: 10.5.0.2, ipv6: '2001:DB8:9::2'}]
  clients: ['::/0', '2001:db8::/32']
  limits: {per64: 4, per48: 1000000, flows: 1}
  workers: auto
  mss: 1220
upkeep: {mend: 5min, metrics: /var/lib/prometheus/node-exporter/crxn.prom}
`;

const documents = (): Json[] =>
  [MORE, MORE.replace("{per64: 4, per48: 1000000, flows: 1}", "off"), manyNetworks(3, "wg0"), ...Object.values(WALK)]
    .map((text) => parse(text) as Json)
    .map((document) => ({ ...document, address: [document["address"]].flat() }));

Deno.test("read: takes every good config, and gives what zod gives, keys in the same order", () => {
  for (const document of documents()) {
    const found = read(schema, document);
    assert(found, JSON.stringify(document));
    assertEquals(judge(document), { data: found });
    assertEquals(JSON.stringify(judge(document)), JSON.stringify({ data: found }));
  }
});

/** What may stand in a value's place. */
const ODD: unknown[] = [
  ...[null, undefined, true, false, 0, -0, 1, 1.5, 65536, NaN, Infinity, 2 ** 53, 10n],
  ...["", " ", "off", "auto", "all", "ping", "10.0.0.0/8", "10.0.0.1", "::1", "1h", "5min", "eth0", "\u0000", "é"],
  ...[[], {}, [[]], [null], [{}], ["10.0.0.0/8"], { to: "10.0.0.0/8" }, new Date(0), Object.create(null), () => {}],
  ...[Object.create({ per64: 1 }), JSON.parse('{"__proto__": {"per64": 1}}'), { per64: 5 }, { toString: 1 }, new Map()],
];

/** The document with an odd value in each place in turn, without each key, and with one more. */
function* spoilt(value: unknown): Generator<unknown> {
  for (const odd of ODD) yield odd;
  if (typeof value !== "object" || value === null) return;
  const copy = (): Json => Array.isArray(value) ? [...value] as unknown as Json : { ...value };
  for (const key of Object.keys(value)) {
    for (const inner of spoilt((value as Json)[key])) yield Object.assign(copy(), { [key]: inner });
    const less = copy();
    if (Array.isArray(less)) yield less.filter((_, i) => String(i) !== key);
    else {
      delete less[key];
      yield less;
      yield { ...less, [`${key}2`]: 1 };
    }
  }
  if (Array.isArray(value)) yield [...value, ...value];
}

Deno.test("read: what it takes, zod takes, with the same result", () => {
  let [taken, refused] = [0, 0];
  for (const document of documents().slice(0, 8)) {
    for (const other of spoilt(document)) {
      const found = read(schema, other);
      if (found === undefined) refused++;
      else {
        taken++;
        assertEquals(judge(other), { data: found });
      }
    }
  }
  assert(taken > 100 && refused > 1000, `${taken} taken, ${refused} refused`);
});

Deno.test("read: a default that was read belongs to its reader", () => {
  const [document] = documents().filter((d) => d["nat64"] === undefined && d["prefix"] !== undefined);
  const overlay = () => read(schema, { ...document, nat64: {} })!.nat64!;
  overlay().clients.push("2001:db8::/32");
  assertEquals(overlay().clients, ["::/0"]);
});
