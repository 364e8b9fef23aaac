import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import hjson from "hjson";
import { planLines } from "../../gateway/plan.ts";
import { CrxnError } from "../../gateway/errors.ts";
import { maskSecrets } from "../../gateway/mask.ts";
import { identityOf, yggdrasilConfig } from "../../gateway/yggdrasil_config.ts";
import { OVERLAY } from "./yggdrasil_overlay.ts";

const KEY = "c0ffee".repeat(10) + "beef" + "1d1a30df7330a0110330d8f57b905d135a502d2f1db48a01420ca68a103bc286";
const MINE = `{
  # This is the node in the cellar.
  # Do not touch.
  PrivateKey: ${KEY}

  Peers: [
    tls://198.51.100.1:443
  ]
  Listen: []
  /* for the neighbours */
  MulticastInterfaces: [
    { Regex: "eth.*", Beacon: true, Listen: true, Port: 0, Priority: 0 }
  ]
  AllowedPublicKeys: []
  IfName: auto
  IfMTU: 65535
  NodeInfoPrivacy: true
  NodeInfo: { name: "cellar" }
}
`;

Deno.test("yggdrasilConfig: an existing file keeps its key, its comments and all that is not ours", () => {
  const text = yggdrasilConfig(OVERLAY, identityOf(MINE));
  for (
    const kept of [
      `PrivateKey: ${KEY}`,
      "# This is the node in the cellar.",
      "# Do not touch.",
      "/* for the neighbours */",
    ]
  ) {
    assertStringIncludes(text, kept);
  }
  // The library lays lists out anew; what they say stays.
  const { Peers: _, IfName: __, ...rest } = hjson.parse(MINE) as Record<string, unknown>;
  const { Peers, IfName, ...now } = hjson.parse(text) as Record<string, unknown>;
  assertEquals([now, Peers, IfName], [rest, OVERLAY.peers, "ygg"]);
  assertStringIncludes(text, "IfName: ygg\n");
  assert(!text.includes("198.51.100.1"), "the peers are those of crxn.yaml");
  assertStringIncludes(text, "tls://192.0.2.1:443");
});

Deno.test("yggdrasilConfig: strings that look like something else stay strings", () => {
  const strange = [
    "true",
    "5",
    "-1e3",
    "null",
    " a ",
    "a # b",
    "{x",
    "[",
    "'q'",
    '"q"',
    "a, b",
    "tab\t",
    "a\nb",
    "",
    ":",
    "// c",
  ];
  const config = { PrivateKey: KEY, Peers: [], NodeInfo: Object.fromEntries(strange.map((s, i) => [`k${i}`, s])) };
  const text = yggdrasilConfig(OVERLAY, identityOf(JSON.stringify(config)));
  assertEquals((hjson.parse(text) as typeof config).NodeInfo, config.NodeInfo);
});

Deno.test("yggdrasilConfig: the link of a link-local peer is written as it is", () => {
  const overlay = { ...OVERLAY, peers: ["tls://[fe80::1%25eth0]:9001"] };
  const identity = { publicKey: KEY.slice(64), address: "", from: "new" as const, keys: { PrivateKey: KEY } };
  for (const text of [yggdrasilConfig(overlay, identity), yggdrasilConfig(overlay, identityOf(MINE))]) {
    assertEquals((hjson.parse(text) as { Peers: unknown }).Peers, overlay.peers);
  }
});

Deno.test("yggdrasilConfig: what it has written it leaves byte for byte", () => {
  const once = yggdrasilConfig(OVERLAY, identityOf(MINE));
  assertEquals(yggdrasilConfig(OVERLAY, identityOf(once)), once);
});

Deno.test("yggdrasilConfig: a file that says what it should is left byte for byte, however it is written", () => {
  const json = JSON.stringify({ PrivateKey: KEY, Peers: OVERLAY.peers, Listen: [], IfName: "ygg" });
  for (const text of [json, MINE.replace(/tls.*443/, OVERLAY.peers[0]!).replace("IfName: auto", "IfName: ygg")]) {
    assertEquals(yggdrasilConfig(OVERLAY, identityOf(text)), text);
  }
});

Deno.test("yggdrasilConfig: a new file has the key and can be read again", () => {
  const publicKey = KEY.slice(64);
  const text = yggdrasilConfig(OVERLAY, { publicKey, address: "", from: "new", keys: { PrivateKey: KEY } });
  assertEquals(identityOf(text).publicKey, publicKey);
  const changed = yggdrasilConfig({ ...OVERLAY, listen: ["tls://[::]:9001"] }, identityOf(text));
  assertStringIncludes(changed, `PrivateKey: ${KEY}`);
  assertStringIncludes(changed, "# Made by crxn");
  assertStringIncludes(changed, "tls://[::]:9001");
  assertEquals(identityOf(changed).publicKey, publicKey);
});

Deno.test("yggdrasilConfig: a device's name is a string to the daemon, whatever it looks like", () => {
  const publicKey = KEY.slice(64);
  for (const name of ["200", "1.", "1e5", "007", "2ygg", "true", "false", "null", "True", "_5", "y.g-1"]) {
    const overlay = { ...OVERLAY, interface: name };
    const made = yggdrasilConfig(overlay, { publicKey, address: "", from: "new", keys: { PrivateKey: KEY } });
    const edited = yggdrasilConfig(overlay, identityOf(MINE));
    for (const text of [made, edited]) {
      assertEquals((hjson.parse(text) as { IfName: unknown }).IfName, name);
      assertEquals(yggdrasilConfig(overlay, identityOf(text)), text, "what it has written it leaves");
    }
  }
  const plain = MINE.replace(/tls.*443/, OVERLAY.peers[0]!);
  for (const name of ["2ygg", '"200"', "007"]) {
    const text = plain.replace("IfName: auto", `IfName: ${name}`);
    assertEquals(yggdrasilConfig({ ...OVERLAY, interface: name.replaceAll('"', "") }, identityOf(text)), text);
  }
});

Deno.test("identityOf: an unusable file is an error that never quotes a key", () => {
  const cases = {
    "no PrivateKey": "{ Peers: [] }",
    "empty key": '{ PrivateKey: "" }',
    "128 hex digits": `{ PrivateKey: ${KEY.slice(2)} }`,
    "not hex": `{ PrivateKey: "${KEY.slice(0, -1)}z" }`,
    "HJSON": `{ PrivateKey: ${KEY}`,
    "a list": `[ ${KEY} ]`,
    "of yggdrasil 0.3": `{ EncryptionPrivateKey: ${KEY.slice(64)} SigningPrivateKey: ${KEY} }`,
  };
  for (const [name, text] of Object.entries(cases)) {
    const error = assertThrows(() => identityOf(text), CrxnError, undefined, name) as CrxnError;
    assertEquals(error.exit, 69, name);
    const all = `${error.message} ${error.remedy} ${JSON.stringify(error.detail ?? "")}`;
    assert(!all.includes("c0ffee") && !all.includes("1d1a30"), `${name}: ${all}`);
  }
});

Deno.test("maskSecrets: keys in every spelling, whole or damaged, and nothing else", () => {
  for (
    const text of [
      MINE,
      JSON.stringify({ PrivateKey: KEY }),
      `'PrivateKey' : '${KEY}'`,
      `PrivateKey:\n  ${KEY}`,
      `PrivateKey: '''\n${KEY}\n'''`,
    ]
  ) {
    assert(!maskSecrets(text).includes("c0ffee"), maskSecrets(text));
  }
  const damaged = maskSecrets(`PrivateKey: zz${KEY}zz\nIfName: ygg`);
  assert(!damaged.includes("c0ffee") && damaged.endsWith("\nIfName: ygg"), damaged);
  assert(!maskSecrets(`EncryptionPrivateKey: "c0ffee"`).includes("c0ffee"));
  const open = `PublicKey: ${KEY.slice(64)}\nPrivateKeyPath: /etc/yggdrasil/key.pem\n`;
  assertEquals(maskSecrets(open), open);
});

Deno.test("maskSecrets: a key behind comments, and former ones in them", () => {
  const [former, seed] = ["facade".repeat(10) + "abcd", KEY.slice(0, 64)];
  for (
    const text of [
      `{\n  PrivateKey: # of this node\n    "${KEY}"\n  Peers: []\n}`,
      `{\n  PrivateKey: // of this node\n    # and no other\n  ${KEY}\n  Peers: []\n}`,
      `{\n  "PrivateKey" /* mine */ : /* of\n this node */ "${KEY}"\n  Peers: []\n}`,
      `{\n  "Private\\u004bey": "${KEY}"\n  Peers: []\n}`,
      `{\n  EncryptionPrivateKey: # ${former}\n    ${seed}\n  # ${seed}\n  Peers: []\n}`,
      `{\n  # formerly ${former}${seed}\n  PrivateKey: "${KEY}" # was ${former}\n  Peers: []\n}`,
      `{\n  # the private key of before is ${former}, and one more ${former}\n  Peers: []\n}`,
      `{\n  # the key of before:\n  #   "${former}",\n  Peers: []\n}`,
    ]
  ) {
    const masked = maskSecrets(text);
    assert(!masked.includes("c0ffee") && !masked.includes("facade"), masked);
    assertStringIncludes(masked, "(not shown)");
    assert(masked.endsWith("\n  Peers: []\n}"), masked);
  }
});

Deno.test("maskSecrets: public keys of others stay, alone on a line and beside a secret", () => {
  const [a, b] = ["1d".repeat(32), "2e".repeat(32)];
  const lists = `  AllowedPublicKeys: [\n    ${a}\n    "${b}"\n  ]\n  TunnelRouting: { "${b}": ["10.0.0.0/8"] }\n}`;
  for (const head of [`{\n`, `{\n  PrivateKey: # mine\n  "${KEY}"\n`]) {
    const masked = maskSecrets(head + lists);
    assert(masked.endsWith(lists) && !masked.includes("c0ffee"), masked);
  }
  const line = maskSecrets(JSON.stringify({ PrivateKey: KEY, AllowedPublicKeys: [a] }));
  assertEquals(line, `{"PrivateKey":(not shown),"AllowedPublicKeys":["${a}"]}`);
});

Deno.test("planLines: a file with a key is shown without it", () => {
  const diff = {
    path: "/etc/yggdrasil/yggdrasil.conf",
    before: MINE,
    after: MINE.replace("auto", "ygg"),
    secret: true,
  };
  const write = { do: "write" as const, path: diff.path, content: diff.after, mode: 0o640 };
  const lines = planLines([{ title: "change it", actions: [write], diff }]).join("\n");
  assert(!lines.includes("c0ffee"), lines);
  assertStringIncludes(lines, "+  IfName: ygg");
});
