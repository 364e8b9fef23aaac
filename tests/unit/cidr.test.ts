import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  clearHostBits,
  contains,
  formatAddress,
  formatNetwork,
  hostBits,
  network,
  overlaps,
} from "../../gateway/cidr.ts";
import { lastAddress, parseAddress, parseNetwork } from "../../gateway/cidr.ts";

const round = (text: string) => {
  const address = parseAddress(text);
  return address && formatAddress(address);
};

Deno.test("formatAddress: the examples of RFC 5952", () => {
  assertEquals(round("2001:0DB8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");
  assertEquals(round("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");
  assertEquals(round("2001:0:0:1:0:0:0:1"), "2001:0:0:1::1");
  assertEquals(round("2001:db8::1:0:0:1"), "2001:db8::1:0:0:1");
  assertEquals(round("0:0:0:0:0:0:0:0"), "::");
  assertEquals(round("::1"), "::1");
  assertEquals(round("1::"), "1::");
  assertEquals(round("64:ff9b::192.0.2.33"), "64:ff9b::c000:221");
});

Deno.test("parseAddress: refuses what is not an address", () => {
  const not = [
    "",
    ".",
    ":",
    ":::",
    "1",
    "1.2.3",
    "1.2.3.4.5",
    "01.2.3.4",
    "256.1.1.1",
    "1.2.3.-4",
    "1.2.3.4 ",
    "0x1.2.3.4",
  ];
  not.push(
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "::12345",
    "fe80::1%eth0",
    "1.2.3.4::",
    "::1.2.3",
  );
  not.push("1:2:3:4:5:6:7:1.2.3.4", "::g", "１.2.3.4", ":1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:", "::1:");
  for (const text of not) assertEquals(parseAddress(text), undefined, text);
});

Deno.test("parseNetwork: length in range and without leading zero", () => {
  assertEquals(parseNetwork("10.0.0.0/8"), { family: 4, value: 0x0a000000n, length: 8 });
  for (
    const text of [
      "10.0.0.0",
      "10.0.0.0/33",
      "10.0.0.0/08",
      "10.0.0.0/",
      "10.0.0.0/8/8",
      "::/129",
      "::/-1",
      "/8",
      "10.0.0.0/+8",
    ]
  ) {
    assertEquals(parseNetwork(text), undefined, text);
  }
  assertEquals(parseNetwork("::/0")?.length, 0);
});

Deno.test("network: the error quotes the text", () => {
  assertThrows(() => network("10.0.0.0/99"), TypeError, '"10.0.0.0/99"');
});

Deno.test("hostBits, clearHostBits, lastAddress: both families and the whole range of lengths", () => {
  assertEquals(hostBits(network("10.5.0.1/24")), 1n);
  assertEquals(hostBits(network("10.5.0.1/32")), 0n);
  assertEquals(formatNetwork(clearHostBits(network("10.5.3.1/16"))), "10.5.0.0/16");
  assertEquals(formatNetwork(clearHostBits(network("2001:db8::1/0"))), "::/0");
  assertEquals(formatNetwork(clearHostBits(network("2001:db8:0:4:8000::1/65"))), "2001:db8:0:4:8000::/65");
  assertEquals(formatAddress(lastAddress(network("10.0.0.0/8"))), "10.255.255.255");
  assertEquals(formatAddress(lastAddress(network("2001:db8::/126"))), "2001:db8::3");
});

Deno.test("contains, overlaps: inside, outside, equal, other family", () => {
  const is = (a: string, b: string) => [contains(network(a), network(b)), overlaps(network(a), network(b))];
  assertEquals(is("10.0.0.0/8", "10.1.0.0/16"), [true, true]);
  assertEquals(is("10.1.0.0/16", "10.0.0.0/8"), [false, true]);
  assertEquals(is("10.0.0.0/8", "11.0.0.0/8"), [false, false]);
  assertEquals(is("10.0.0.0/8", "10.0.0.0/8"), [true, true]);
  assertEquals(is("0.0.0.0/0", "10.0.0.0/8"), [true, true]);
  assertEquals(is("::/0", "10.0.0.0/8"), [false, false]);
  assertEquals(is("100.64.0.0/16", "100.65.0.0/16"), [false, false]);
  assertEquals(is("2a04:5b80:300:4::/64", "2a04:5b80:300:4::/96"), [true, true]);
  assert(contains(network("10.5.0.1/8"), network("10.9.9.9/32")), "host bits of the outer network do not count");
});
