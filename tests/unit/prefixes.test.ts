import { assertEquals } from "@std/assert";
import { contains, host, network, parseAddress } from "../../gateway/cidr.ts";
import { decide, matches } from "../../gateway/netfilter/iptables_walk.ts";
import { placesFor } from "../../gateway/netfilter/rule_index.ts";
import { Prefixes } from "../../gateway/prefixes.ts";

const four = (n: number) => `10.${n & 3}.${(n >> 2) & 3}.${(n >> 4) & 255}`;
const six = (n: number) => `2001:db8:${(n & 3).toString(16)}::${(n >> 2 & 0xffff).toString(16)}`;
/** Numbers that look like chance, and are the same each time. */
function* numbers(): Generator<number> {
  for (let x = 12345;;) yield (x = (Math.imul(x, 1103515245) + 12345) >>> 0) >>> 4;
}

Deno.test("Prefixes: who holds a network is the same as one by one, the longest prefix first", () => {
  const random = numbers();
  const next = () => random.next().value!;
  const texts = Array.from(
    { length: 300 },
    (_, i) =>
      i % 2 === 0
        ? `${four(next())}/${[0, 1, 8, 15, 16, 22, 24, 31, 32][next() % 9]}`
        : `${six(next())}/${[0, 1, 32, 47, 48, 64, 112, 127, 128][next() % 9]}`,
  );
  const prefixes = new Prefixes<string>();
  for (const text of texts) prefixes.add(network(text), text);
  for (const asked of [...texts, "0.0.0.0/0", "::/0", "10.0.0.1/32", "::/128", "255.255.255.255/32"]) {
    const want = texts.filter((text) => contains(network(text), network(asked)))
      .sort((a, b) => network(b).length - network(a).length);
    assertEquals(prefixes.holding(network(asked)), want, asked);
  }
});

Deno.test("placesFor: what it leaves out of a long chain matches no such packet, and what it keeps is in order", () => {
  const random = numbers();
  const next = () => random.next().value!;
  const network4 = () => `${four(next())}/${[0, 8, 14, 22, 24, 32][next() % 6]}`;
  const rule = (): string[] => {
    const more = next() % 3 === 0 ? ["-i", "eth0"] : [];
    const end = [...more, "-j", next() % 2 ? "DROP" : "ACCEPT"];
    switch (next() % 6) {
      case 0:
        return ["!", "-s", network4(), ...end];
      case 1:
        return ["-s", network4(), "-d", network4(), ...end];
      case 2:
        return ["-s", network4(), ...end];
      case 3:
        return ["-d", "10.0.0.1/255.0.0.255", ...end];
      case 4:
        return ["-p", "tcp", "-m", "tcp", ...end];
      default:
        return ["-d", network4(), ...end];
    }
  };
  for (let round = 0; round < 40; round++) {
    const rules = Array.from({ length: 60 }, rule).filter((words) => next() % 2 === 0 || !words.includes("-p"));
    for (let i = 0; i < 20; i++) {
      const packet = {
        in: "eth0",
        out: "eth1",
        protocol: "udp",
        state: "NEW" as const,
        ...(next() % 3 === 0 ? {} : { source: four(next()) }),
        ...(next() % 3 === 0 ? {} : { destination: four(next()) }),
      };
      const places = [...placesFor(rules, packet)];
      assertEquals(places, places.toSorted((a, b) => a - b));
      const rest = ([side, , ...more]: string[]) => `${side} ${more.join(" ")}`;
      const untold = rules.filter((words, at) => {
        const match = matches(words, packet);
        const before = places.some((place) => place < at && rest(rules[place]!) === rest(words));
        return !places.includes(at) && match !== "no" && !(match === "maybe" && before);
      });
      assertEquals(untold, []);
      const first = rules.findIndex((words) => matches(words, packet) === "yes");
      const table = { FORWARD: { name: "FORWARD", policy: "ACCEPT", rules } };
      assertEquals(decide(table, "FORWARD", packet)?.top, first < 0 ? rules.length : first);
    }
  }
});

Deno.test("placesFor: of rules that drop what may come from anywhere one is enough, and only of such", () => {
  const of = (tail: string[]) => Array.from({ length: 40 }, (_, i) => ["-s", `10.0.${i}.0/24`, ...tail]);
  const packet = { in: "eth0", destination: "10.9.9.9", state: "NEW" as const };
  const rules = [
    ...of(["!", "-i", "tun0", "-j", "DROP"]),
    ...of(["-j", "MARK", "--set-xmark", "0x1/0x0"]),
    ...of(["-j", "LOG"]),
    ["-j", "ACCEPT"],
  ];
  assertEquals([...placesFor(rules, packet)], [0, ...Array.from({ length: 81 }, (_, i) => 40 + i)]);
  const table = { FORWARD: { name: "FORWARD", policy: "DROP", rules } };
  assertEquals(decide(table, "FORWARD", packet)?.doubts, ["DROP"]);
  assertEquals(decide(table, "FORWARD", packet)?.top, 120);
  assertEquals(decide(table, "FORWARD", { ...packet, source: "10.0.39.1" })?.top, 39);
  assertEquals(decide(table, "FORWARD", { ...packet, source: "10.1.0.1" })?.top, 120);
});

Deno.test("placesFor: a chain that has got longer since is looked through anew", () => {
  const rules = Array.from({ length: 40 }, (_, i) => ["-d", `10.0.${i}.0/24`, "-j", "RETURN"]);
  const packet = { destination: "10.9.9.9", state: "NEW" as const };
  assertEquals([...placesFor(rules, packet)], []);
  rules.push(["-d", "10.9.0.0/16", "-j", "DROP"]);
  assertEquals([...placesFor(rules, packet)], [40]);
});

Deno.test("parseAddress, host: what is none stays none", () => {
  const none = [
    "",
    ".",
    "1.2.3",
    "1.2.3.4.",
    ".1.2.3.4",
    "1.2.3.4.5",
    "01.2.3.4",
    "1.2.3.256",
    "1.2.3.-4",
    "1.2.3.4 ",
    "1..2.3",
  ];
  const odd = [
    "1:2",
    ":::",
    "1::2::3",
    "12345::",
    "::1.2.3",
    "1.2.3.4::",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7::8",
    "::g",
  ];
  assertEquals([...none, ...odd].filter((text) => parseAddress(text)), []);
  assertEquals(host(parseAddress("0.0.0.0")!), { family: 4, value: 0n, length: 32 });
  assertEquals(parseAddress("255.255.255.255")!.value, 0xffffffffn);
  assertEquals(parseAddress("::ffff:1.2.3.4")!.value, 0xffff01020304n);
});
