import { assertEquals, assertThrows } from "@std/assert";
import { Address6 } from "ip-address";
import { embed, extract, slice } from "../../gateway/address.ts";
import { contains, host, network, parseAddress } from "../../gateway/cidr.ts";
import { CrxnError } from "../../gateway/errors.ts";

/** RFC 6052 2.4: the embedding of 192.0.2.33 (the well-known prefix too). */
const RFC6052: [string, string][] = [
  ["2001:db8::/32", "2001:db8:c000:221::"],
  ["2001:db8:100::/40", "2001:db8:1c0:2:21::"],
  ["2001:db8:122::/48", "2001:db8:122:c000:2:2100::"],
  ["2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::"],
  ["2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100:0"],
  ["2001:db8:122:344::/96", "2001:db8:122:344::c000:221"],
  ["64:ff9b::/96", "64:ff9b::c000:221"],
];

for (const [prefix, ipv6] of RFC6052) {
  Deno.test(`embed, extract: the vector of RFC 6052 2.4 for ${prefix}`, () => {
    const want = parseAddress(ipv6)!;
    assertEquals(parseAddress(embed(prefix, "192.0.2.33")), want);
    assertEquals(extract(prefix, ipv6), "192.0.2.33");
  });
}

Deno.test("embed, extract: another implementation comes to the same, for all six lengths", () => {
  const hosts = ["0.0.0.0", "255.255.255.255", "128.0.0.1", "10.1.0.3", "1.2.3.4", "192.0.2.33", "0.255.0.255"];
  for (const [prefix] of RFC6052) {
    for (const ipv4 of hosts) {
      const theirs = Address6.fromAddress4Nat64(ipv4, prefix).correctForm();
      assertEquals(parseAddress(embed(prefix, ipv4)), parseAddress(theirs), `${ipv4} in ${prefix}`);
      assertEquals(extract(prefix, theirs), ipv4, `${theirs} of ${prefix}`);
    }
  }
});

Deno.test("embed: the operator's own host", () => {
  assertEquals(embed("2a04:5b80:300:4::/96", "10.1.0.3"), "2a04:5b80:300:4::a01:3");
});

Deno.test("slice: the operator's own network", () => {
  assertEquals(slice("2a04:5b80:300:4::/96", "10.0.0.0/8"), "2a04:5b80:300:4::a00:0/104");
});

Deno.test("slice: counts the zero octet once the IPv4 bits pass bit 64", () => {
  assertEquals(slice("2001:db8::/32", "10.0.0.0/8"), "2001:db8:a00::/40");
  assertEquals(slice("2001:db8::/32", "10.1.2.3/32"), "2001:db8:a01:203::/64");
  assertEquals(slice("2001:db8:100::/40", "10.1.2.0/24"), "2001:db8:10a:102::/64");
  assertEquals(slice("2001:db8:100::/40", "10.1.2.128/25"), "2001:db8:10a:102:80::/73");
  assertEquals(slice("2001:db8:122::/48", "172.20.0.0/14"), "2001:db8:122:ac14::/62");
  assertEquals(slice("2001:db8:122:300::/56", "10.0.0.0/8"), "2001:db8:122:30a::/64");
  assertEquals(slice("2001:db8:122:344::/64", "10.0.0.0/8"), "2001:db8:122:344:a::/80");
  assertEquals(slice("2001:db8:122:344::/64", "0.0.0.0/0"), "2001:db8:122:344::/64");
});

Deno.test("slice: holds the first and last address of the network and not their neighbours, for all six lengths", () => {
  for (const [prefix] of RFC6052) {
    for (const length of [1, 7, 8, 9, 15, 16, 17, 23, 24, 25, 31, 32]) {
      const covers = (ipv4: string) => contains(network(slice(prefix, net)), host(parseAddress(embed(prefix, ipv4))!));
      const text = (value: bigint) => [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join(".");
      const size = 1n << BigInt(32 - length);
      const first = (0xac14a5b7n / size) * size;
      const net = `${text(first)}/${length}`;
      assertEquals([covers(text(first)), covers(text(first + size - 1n))], [true, true], `${prefix} ${net}`);
      const after = first + size < 1n << 32n ? first + size : first - 1n;
      assertEquals([covers(text(first - 1n)), covers(text(after))], [false, false], `${prefix} ${net}`);
    }
  }
});

Deno.test("extract: refuses an address outside the prefix, and set bits that must be zero", () => {
  assertThrows(
    () => extract("2001:db8::/96", "2001:db9::1"),
    CrxnError,
    '"2001:db9::1": it is not inside 2001:db8::/96',
  );
  assertThrows(() => extract("2001:db8:122:344::/64", "2001:db8:122:344:1c0:2:2100:0"), CrxnError, "keeps zero");
  assertThrows(() => extract("2001:db8::/32", "2001:db8:c000:221::1"), CrxnError, "keeps zero");
});

Deno.test("embed, slice: errors quote the value", () => {
  assertThrows(() => embed("2001:db8::/95", "10.0.0.1"), CrxnError, '"2001:db8::/95"');
  assertThrows(() => embed("2001:db8::1/96", "10.0.0.1"), CrxnError, '"2001:db8::1/96"');
  assertThrows(() => embed("2001:db8:0:0:100::/96", "10.0.0.1"), CrxnError, "bits 64 to 71");
  assertThrows(() => embed("2001:db8::/96", "10.0.1"), CrxnError, '"10.0.1"');
  assertThrows(() => embed("2001:db8::/96", "::1"), CrxnError, '"::1"');
  assertThrows(() => extract("10.0.0.0/8", "::1"), CrxnError, '"10.0.0.0/8"');
  assertThrows(() => slice("2001:db8::/96", "10.0.0.1/8"), CrxnError, '"10.0.0.1/8"');
  assertThrows(() => slice("2001:db8::/96", "::/8"), CrxnError, '"::/8"');
});
