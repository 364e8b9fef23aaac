/** Keys of both generations. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { keyWarnings } from "../../gateway/config/key_warnings.ts";
import { parseConfig } from "../../gateway/config/parse.ts";
import { problemText } from "../../gateway/config/problem.ts";
import { CrxnError } from "../../gateway/errors.ts";
import { canBeOf } from "../../gateway/key_kind.ts";
import { addressFromKey, subnetFromKey } from "../../gateway/yggdrasil_address.ts";
import { keyPathIn, publicHalf, publicKeyIn, publicKeyOfPem } from "../../gateway/yggdrasil_keys.ts";
import { newIdentity } from "../../machine/identity.ts";
import { KEY as BOX } from "./broken_configs.ts";
import { OLD_KEYS, OLD_NODES, oldKeys, SEED, TODAY } from "./keys.ts";

Deno.test("addressFromKey, subnetFromKey: nodes of 0.3, as the daemon itself has it", () => {
  for (const { box, address, subnet } of OLD_NODES) {
    assertEquals([addressFromKey(box, "0.3"), subnetFromKey(box, "0.3")], [address, subnet]);
    assert(addressFromKey(box, "0.5") !== address);
    assertEquals(addressFromKey(box, "0.4"), addressFromKey(box));
  }
});

Deno.test("publicHalf: the keys that 0.3 made", () => {
  for (const { box, secret, sign, signSeed } of OLD_NODES) {
    assertEquals(publicHalf("x25519", secret), box);
    assertEquals(publicHalf("ed25519", signSeed), sign);
  }
  assertEquals(publicHalf("ed25519", SEED), TODAY);
});

Deno.test("canBeOf: every key can be one of its own generation", async () => {
  for (const { box, sign } of OLD_NODES) {
    assert(canBeOf("0.3", box), box);
    assert(canBeOf("0.5", sign), sign);
  }
  for (let i = 0; i < 20; i++) {
    const [old, today] = await Promise.all([newIdentity("0.3"), newIdentity("0.5")]);
    assert(canBeOf("0.3", old.publicKey), old.publicKey);
    assert(canBeOf("0.5", today.publicKey) && canBeOf("0.4", today.publicKey), today.publicKey);
  }
});

Deno.test("canBeOf: a key of the other one mostly cannot, and neither can what is no point at all", async () => {
  assert(!canBeOf("0.5", BOX) && !canBeOf("0.4", BOX) && canBeOf("0.3", BOX));
  assert(canBeOf("0.5", "bdbacfd82240de3dcd123924cbb55256fb8dab08aa98e305528ab84f419e6efb"));
  for (const key of ["f".repeat(64), `${"0".repeat(62)}80`, `${"f".repeat(62)}7f`]) {
    assert(!canBeOf("0.3", key) && !canBeOf("0.5", key), key);
  }
  let passed = 0;
  for (let i = 0; i < 40; i++) {
    const [old, today] = await Promise.all([newIdentity("0.3"), newIdentity("0.5")]);
    if (canBeOf("0.5", old.publicKey)) passed++;
    if (canBeOf("0.3", today.publicKey)) passed++;
  }
  // One in 16, each: 80 give 5 on average, and 20 practically never.
  assert(passed < 20, `${passed} of 80 keys pass for the other generation`);
});

const fails = (config: Record<string, unknown>, generation: "0.3" | "0.5", name: string): string => {
  const error = assertThrows(() => publicKeyIn(config, generation), CrxnError, undefined, name) as CrxnError;
  assertEquals(error.exit, 69, name);
  const text = `${error.message} ${error.remedy}`;
  const secrets = [SEED, OLD_NODES[0].secret, OLD_NODES[0].signSeed, OLD_NODES[1].secret].map((s) => s.slice(4, 20));
  for (const secret of secrets) assert(!text.includes(secret), `${name}: ${text}`);
  return text;
};

Deno.test("publicKeyIn: the four keys of 0.3, the one of today, in any case and spelling", () => {
  const upper = Object.fromEntries(Object.entries(OLD_KEYS).map(([k, v]) => [k.toLowerCase(), v.toUpperCase()]));
  for (const keys of [OLD_KEYS, upper]) assertEquals(publicKeyIn(keys, "0.3"), OLD_NODES[0].box);
  for (const generation of ["0.4", "0.5"] as const) {
    assertEquals(publicKeyIn({ privatekey: (SEED + TODAY).toUpperCase() }, generation), TODAY);
  }
  // Beside the other generation's keys as well: each daemon looks at its own only.
  const both = { ...OLD_KEYS, PrivateKey: SEED + TODAY };
  assertEquals([publicKeyIn(both, "0.3"), publicKeyIn(both, "0.5")], [OLD_NODES[0].box, TODAY]);
});

Deno.test("publicKeyIn: keys of the other generation only are named as that", () => {
  assertStringIncludes(fails({ PrivateKey: SEED + TODAY }, "0.3", "today's"), "is of yggdrasil 0.4 or later");
  const text = fails(OLD_KEYS, "0.5", "old");
  assertStringIncludes(text, "only keys of yggdrasil 0.3");
  assertStringIncludes(text, "Keys of 0.3 cannot be taken along");
});

Deno.test("publicKeyIn: 0.3 needs all four, for it makes up each that is missing", () => {
  for (const missing of Object.keys(OLD_KEYS)) {
    for (const value of [undefined, "", 7, null]) {
      const text = fails({ ...OLD_KEYS, [missing]: value }, "0.3", missing);
      assertStringIncludes(text, `has no ${missing}`);
    }
  }
  assertStringIncludes(fails({}, "0.3", "none"), "has no EncryptionPublicKey");
});

Deno.test("publicKeyIn: halves that do not belong together, and digits that are none", () => {
  const other = oldKeys(OLD_NODES[1]);
  const cases: [string, Record<string, unknown>, "0.3" | "0.5", string][] = [
    [
      "another box key",
      { ...OLD_KEYS, EncryptionPublicKey: other["EncryptionPublicKey"] },
      "0.3",
      "EncryptionPublicKey is not that of",
    ],
    [
      "another secret",
      { ...OLD_KEYS, EncryptionPrivateKey: other["EncryptionPrivateKey"] },
      "0.3",
      "EncryptionPublicKey is not that of",
    ],
    [
      "another signing key",
      { ...OLD_KEYS, SigningPublicKey: other["SigningPublicKey"] },
      "0.3",
      "SigningPublicKey is not that of",
    ],
    [
      "signing halves",
      { ...OLD_KEYS, SigningPrivateKey: OLD_NODES[0].signSeed + OLD_NODES[1].sign },
      "0.3",
      "SigningPublicKey is not that of",
    ],
    [
      "short",
      { ...OLD_KEYS, EncryptionPrivateKey: "00ff" },
      "0.3",
      "EncryptionPrivateKey in /etc/yggdrasil/yggdrasil.conf is not 64 hex digits (it has 4",
    ],
    ["not hex", { ...OLD_KEYS, EncryptionPublicKey: "z".repeat(64) }, "0.3", "is not 64 hex digits"],
    ["halves", { PrivateKey: SEED + OLD_NODES[0].sign }, "0.5", "its two halves do not belong together"],
    ["a seed alone", { PrivateKey: SEED }, "0.5", "is not 128 hex digits (it has 64"],
    ["nothing", {}, "0.5", "has no PrivateKey"],
    ["a number", { PrivateKey: 7 }, "0.5", "has no PrivateKey"],
  ];
  for (const [name, config, generation, says] of cases) assertStringIncludes(fails(config, generation, name), says);
});

const pem = { format: "pem", type: "pkcs8" } as const;
/** Others than ed25519. */
const OTHER_PEMS = [
  generateKeyPairSync("x25519").privateKey.export(pem),
  generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export(pem),
].map(String);

Deno.test("publicKeyOfPem: an ed25519 key, and no other", () => {
  // deno-lint-ignore no-explicit-any
  const der = Uint8Array.from(`302e020100300506032b657004220420${SEED}`.match(/../g)!, (p) => parseInt(p, 16)) as any;
  const text = createPrivateKey({ key: der, format: "der", type: "pkcs8" }).export(pem);
  assertEquals(publicKeyOfPem(String(text), "/k"), TODAY);
  for (const bad of [...OTHER_PEMS, "", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]) {
    const error = assertThrows(
      () => publicKeyOfPem(bad, "/k.pem"),
      CrxnError,
      "/k.pem, which holds no ed25519",
    ) as CrxnError;
    assertEquals(error.exit, 69);
  }
  assertThrows(() => publicKeyOfPem(undefined, "/k.pem"), CrxnError, "/k.pem, which does not exist");
});

Deno.test("keyPathIn: 0.5 only, and an empty one is none", () => {
  assertEquals(keyPathIn({ privateKEYpath: "/k" }, "0.5"), "/k");
  assertEquals(keyPathIn({ PrivateKeyPath: "/k" }, "0.4"), undefined);
  assertEquals(keyPathIn({ PrivateKeyPath: "/k" }, "0.3"), undefined);
  assertEquals(keyPathIn({ PrivateKeyPath: "" }, "0.5"), undefined);
  assertEquals(keyPathIn({ PrivateKeyPath: 7 }, "0.5"), undefined);
});

const WITH = (first: string, second: string) =>
  `address: 10.5.0.1/32
overlay:
  type: yggdrasil
  routes:
    - {to: 10.0.0.0/8, via: ${first}}
    - to: 10.7.0.0/16
      via: ${second}
    - {to: 172.20.0.0/14, via: ${first}}
`;

Deno.test("keyWarnings: each route with a key that this daemon's far end cannot have, with its place", async () => {
  const text = WITH(BOX, TODAY);
  const config = await parseConfig(text, "f");
  const lines = (await keyWarnings(config, "0.5", text, "f")).map(problemText);
  assertEquals(lines.map((l) => l.split(" ")[0]), ["f:5:29:", "f:8:32:"]);
  assertStringIncludes(lines[0]!, `overlay.routes[0].via: "${BOX}" cannot be a key of yggdrasil 0.5`);
  assertStringIncludes(lines[0]!, "EncryptionPublicKey of yggdrasil 0.3 — take the public key that `crxn init --key`");
  assertEquals(await keyWarnings(config, "0.3", text, "f").then((w) => w.map((p) => p.path)), [
    "overlay.routes[1].via",
  ]);
});

Deno.test("keyWarnings: nothing to say where every key is right, or the overlay has none", async () => {
  for (
    const [text, generation] of [[WITH(TODAY, OLD_NODES[0].sign), "0.4"], [WITH(OLD_NODES[0].box, BOX), "0.3"]] as const
  ) {
    assertEquals(await keyWarnings(await parseConfig(text, "f"), generation, text, "f"), []);
  }
  const link = "address: 10.5.0.1\noverlay: {type: interface, interface: wg0, routes: [{to: 10.0.0.0/8}]}\n";
  assertEquals(await keyWarnings(await parseConfig(link, "f"), "0.5", link, "f"), []);
});
