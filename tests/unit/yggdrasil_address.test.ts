import { assert, assertEquals, assertThrows } from "@std/assert";
import { addressFromKey, publicKeyOf, subnetFromKey } from "../../gateway/yggdrasil_address.ts";
import { CrxnError } from "../../gateway/errors.ts";

// The vector of yggdrasil's own src/address/address_test.go.
const KEY = "bdbacfd82240de3dcd123924cbb55256fb8dab08aa98e305528ab84f419e6efb";

Deno.test("addressFromKey: yggdrasil's own test vector", () => {
  assertEquals(addressFromKey(KEY), "200:848a:604f:bb7e:4384:65db:8db6:6895");
  assertEquals(addressFromKey(KEY.toUpperCase()), "200:848a:604f:bb7e:4384:65db:8db6:6895");
});

Deno.test("subnetFromKey: same bits, 300::/8, length 64", () => {
  assertEquals(subnetFromKey(KEY), "300:848a:604f:bb7e::/64");
});

Deno.test("addressFromKey: counts the leading zeros of a strong key", () => {
  // 12 leading zero bits, then a one that is dropped.
  assertEquals(addressFromKey("000f" + "f".repeat(60)), "20c::");
  assertEquals(addressFromKey("0008" + "f".repeat(60)), "20c:e000::");
});

Deno.test("publicKeyOf: the second half, in lower case", () => {
  assertEquals(publicKeyOf("A1".repeat(32) + KEY.toUpperCase()), KEY);
});

Deno.test("publicKeyOf: an error never quotes the key", () => {
  const secret = "c0ffee".repeat(21);
  const error = assertThrows(() => publicKeyOf(secret), CrxnError, "126 characters instead of 128");
  assert(!error.message.includes("c0ffee"), error.message);
  assertThrows(() => publicKeyOf("x" + "0".repeat(127)), CrxnError, "character 1");
  assertThrows(() => addressFromKey(KEY + "00"), CrxnError, "66 characters instead of 64");
});
