/** What `crxn report` leaves out. CRXN_SEED does a fuzzing again. */

import { assert, assertEquals } from "@std/assert";
import { Hider } from "../../gateway/hide.ts";
import { commandLine, shellWord } from "../../gateway/action.ts";
import { redact } from "../../gateway/redact.ts";
import { dice } from "./dice.ts";

const KEY = "bdbacfd82240de3dcd123924cbb55256fb8dab08aa98e305528ab84f419e6efb";
const KNOWN = new Set([KEY]);

Deno.test("redact: secrets where programs and people write them", async (t) => {
  const cases: [string, string][] = [
    [`  PrivateKey: ${"ab".repeat(64)}`, "  PrivateKey: [redacted]"],
    [`PrivateKey: "${"ab".repeat(64)}"`, 'PrivateKey: "[redacted]"'],
    [`EncryptionPrivateKey: ${"ab".repeat(32)}`, "EncryptionPrivateKey: [redacted]"],
    [`a bare ${"ab".repeat(64)} one`, "a bare [redacted] one"],
    ["PrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=", "PrivateKey = [redacted]"],
    ["peer yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk= up", "peer [redacted] up"],
    [
      "tls://u:hunter2@h.example.net:443?password=hunter2&priority=1",
      "tls://[redacted]@h.example.net:443?password=[redacted]&priority=1",
    ],
    ["tls://[fe80::1%25eth0]:443?password=hunter2", "tls://[fe80::1%25eth0]:443?password=[redacted]"],
    ["socks://u:hun/ter2@h:1/x?token=hunter2#hunter2", "socks://[redacted]@h:1/x?token=[redacted]#[redacted]"],
    [`tls://h:443?key=${KEY}`, `tls://h:443?key=${KEY}`],
    [`tls://h:443?key=${"ab".repeat(32)}`, "tls://h:443?key=[redacted]"],
    [
      '-A INPUT -m comment --comment "the door code is hunter2" -j ACCEPT',
      '-A INPUT -m comment --comment "[comment]" -j ACCEPT',
    ],
    ["-A INPUT -m comment --comment hunter2 -j ACCEPT", '-A INPUT -m comment --comment "[comment]" -j ACCEPT'],
    // As somebody prints it who has lost the quotes.
    ["-A INPUT --comment the code hunter2 is it -j ACCEPT", '-A INPUT --comment "[comment]" -j ACCEPT'],
    [
      'the rule "-m comment --comment "pin hunter2 x" -j DROP" of IPv4',
      'the rule "-m comment --comment "[comment]" -j DROP" of IPv4',
    ],
    ["-A INPUT -m comment --comment crxn:jump -j CRXN-INPUT", "-A INPUT -m comment --comment crxn:jump -j CRXN-INPUT"],
    ['iifname "x" drop comment "hunter2 \\"x\\""', 'iifname "x" drop comment "[comment]"'],
    ['log prefix "hunter2 " drop', 'log prefix "[comment]" drop'],
    ['comment "crxn:limits"', 'comment "crxn:limits"'],
    ["gre1: ikey 1.2.3.4 okey 0xdeadbeef", "gre1: ikey [redacted] okey [redacted]"],
    ["openvpn --auth-user-pass hunter2 --port 1194", "openvpn --auth-user-pass [redacted] --port 1194"],
    ["wg set wg0 private-key /etc/wireguard/key", "wg set wg0 private-key [redacted]"],
    ["login failed: password hunter2", "login failed: password [redacted]"],
    ["the passphrase is hunter2 today", "the passphrase is [redacted] today"],
    ['{"password":"hunter2","port":3}', '{"password":"[redacted]","port":3}'],
    ['{\\"password\\":\\"hunter2\\",\\"port\\":3}', '{\\"password\\":\\"[redacted]\\",\\"port\\":3}'],
    ["password: hunter2 and more words", "password: [redacted]"],
    ["API_TOKEN=hunter2", "API_TOKEN=[redacted]"],
    ["-----BEGIN PRIVATE KEY-----\nMC4CAQ\nhunter2\n-----END PRIVATE KEY-----\nnext", "[redacted]\n\n\n\nnext"],
    ["a\n-----BEGIN OpenVPN Static key V1-----\nhunter2", "a\n[redacted]\n"],
    ["<tls-crypt>\nhunter2\n</tls-crypt>\nport 1", "[redacted]\n\n\nport 1"],
    // Quotes, as shells, YAML and people have them.
    ["password: 'it''s hunter2'", "password: '[redacted]'"],
    ["PASSWORD='it'\\''s hunter2' x", "PASSWORD='[redacted]' x"],
    ['password=""hunter2', "password=[redacted]"],
    ['password="hunter2 and no end', "password=[redacted]"],
    ["password: |\n  hunter2\n\n  hunter2\nnext: x", "password: [redacted]\n  [redacted]\n\n  [redacted]\nnext: x"],
    ["x:\n  password:\n    hunter2\n  y: 3", "x:\n  password:\n    [redacted]\n  y: 3"],
    ["--password hun,ter2;} x", "--password [redacted] x"],
    ["--password hun'ter2 x", "--password [redacted] x"],
    ["the password was: hunter2", "the password was: [redacted]"],
    ["DB_PASS=hunter2", "DB_PASS=[redacted]"],
    ["mypass=hunter2", "mypass=[redacted]"],
    ["smtp_pwd: hunter2", "smtp_pwd: [redacted]"],
    ["WG_KEY=hunter2", "WG_KEY=[redacted]"],
    ["SSH_KEY=hunter2", "SSH_KEY=[redacted]"],
    ["curl -u user:hunter2 https://h/", "curl -u [redacted] https://h/"],
    ["curl --user 'user:hunter2 x' -s", "curl --user [redacted] -s"],
    ['-A INPUT -m comment --comment "the code is hunter2', '-A INPUT -m comment --comment "[comment]"'],
    ['drop comment "the code is hunter2', 'drop comment "[comment]"'],
    [
      commandLine(["iptables", "-A", "INPUT", "-m", "comment", "--comment", "it's hunter2", "-j", "DROP"]),
      'iptables -A INPUT -m comment --comment "[comment]" -j DROP',
    ],
    // Peers that are just wrong enough.
    ["peers: [user:hunter2@h:443]", "peers: [[redacted]@h:443]"],
    ["tls:/user:hunter2@h", "[redacted]@h"],
    ["t://user:hunter2@h", "[redacted]@h"],
    ["tls://u:it'shunter2@h:443", "tls://[redacted]@h:443"],
    ["peers: ['tls://u:it''shunter2@h:443', x]", "peers: ['tls://[redacted]@h:443', x]"],
    ["tls://h:443?password=it'shunter2", "tls://h:443?password=[redacted]"],
    ["tls://u:hunt#er2@h", "tls://[redacted]@h"],
    ["tls://u:hunt?er2@h", "tls://[redacted]@h"],
    ["tls://u:hun<ter2@h", "tls://[redacted]@h"],
    ["tls://u:hun ter2@h:443", "tls://[redacted]@h:443"],
    ["peers: ['user:hun ter2@h:443', x]", "peers: ['[redacted]@h:443', x]"],
    ["<tls://u:hunter2@h>", "<tls://[redacted]@h>"],
    ["tls://h:1?password=hun@ter2", "tls://[redacted]"],
    ["Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.c2ln", "Bearer [redacted]"],
  ];
  for (const [given, want] of cases) {
    await t.step(given, () => {
      assertEquals(redact(given, KNOWN), want);
      assertEquals(redact(want, KNOWN), want, "twice");
    });
  }
});

Deno.test("redact: what is none stays", () => {
  const lines = [
    "default via fe80::1 dev eth0 proto ra metric 1024 expires 1798sec hoplimit 64 pref medium",
    "10.0.0.0/8 dev crxn-bdbacfd8 proto 64 scope link",
    "Using tun device nat64-ygg with MTU 1500",
    "tayga@ygg.service: Main process exited, code=exited, status=1/FAILURE",
    "-A CRXN-FORWARD -i nat64-ygg -o ygg -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN",
    "iptables-restore -w -n",
    "own key  " + KEY,
    "  via: " + KEY,
    "unix:///var/run/yggdrasil/yggdrasil.sock",
    "/usr/local/lib/crxn/yggdrasil-0123456789ab",
    "net/ipv6/conf/all/accept_ra 2",
    "The private key is not shown: only root can read the passwords of others.",
    "A `via` that is no key of this generation",
    "token",
    "password:",
    "tls://[2001:db8::1]:443",
    "tls://h:443?priority=1&maxbackoff=5m&sni=a.example",
    "Connected outbound: 200:abcd::1@192.0.2.1:443, source 10.0.0.1:5000",
    "own 200:abcd::1@tls://192.0.2.1:443",
    'systemd[1]: Starting "tayga@ygg.service"...',
    "/etc/systemd/system/tayga@ygg.service.d/zz.conf: x",
    '"unit":"tayga@ygg.service","x":1',
    "Failed password for root from 192.0.2.1 port 22",
    "date -u +%F",
    "Failed to connect to tls://h.example:443: i/o timeout, tayga@ygg.service",
    'msg="Starting: tayga@ygg.service"',
    "in: peers of 'a: b' and c@d",
    "mail to operator@example.net: now",
    "monkey=3",
  ];
  for (const line of lines) assertEquals(redact(line, KNOWN), line);
});

/** Secrets of every shape, in everything that has a place for one. */
Deno.test("redact: no secret gets through, wherever it stands; twice is as good as once", () => {
  const seed = Number(Deno.env.get("CRXN_SEED") ?? crypto.getRandomValues(new Uint32Array(1))[0]);
  const roll = dice(seed);
  const random = () => roll(1000) / 1000;
  const pick = <T>(list: T[]): T => list[roll(list.length)]!;
  const chars = (alphabet: string, length: number) => Array.from({ length }, () => pick([...alphabet])).join("");
  const hex = "0123456789abcdef";
  const alnum = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  const password = (more: string) => {
    const text = chars(`${alnum}._~-${more.repeat(3)}`, 8 + Math.floor(random() * 20)).replace(/^[.-]+/, "x");
    // So much in one piece that chance does not make it.
    return text + chars(alnum, 6);
  };
  /** Where nothing is in quotes none can be at the beginning. */
  const unquoted = (s: string) => s.replace(/^["':]+/, "x");
  const any = "'\",;}#?@:";
  /** Each with the signs that it can hold. */
  const places: [more: string, place: (s: string) => string][] = [
    [any, (s) => `tls://user:${s}@h:1`],
    [any, (s) => `user:${s}@h:1`],
    [any, (s) => `peers: ['tls://user:${s.replaceAll("'", "''")}@h:1', "tls://h:2"]`],
    // Without an `@` and not like a port.
    ["'\",;}#?: ", (s) => `tls://user:x${s.replaceAll("@", "")}@h:1`],
    ['",;}#?: ', (s) => `peers: ['user:${s} x@h:1']`],
    [`${any} `, (s) => `secret: ${JSON.stringify(s)}`],
    [any, (s) => `tcp://h:1?password=${s}`],
    [any, (s) => `wss://h:1/?priority=1&key=${s}&sni=a.example`],
    [any, (s) => `password=${unquoted(s)}`],
    [any, (s) => `"AdminPassword": ${JSON.stringify(s)},`],
    [any, (s) => `secret: '${s.replaceAll("'", "''")}'`],
    [any, (s) => `secret: ${unquoted(s)}`],
    [any, (s) => `secret: |\n  ${s}\n`],
    [any, (s) => `PASSWORD=${shellWord(s)} x`],
    [any, (s) => `DB_PASSWD=${unquoted(s)} x`],
    [any, (s) => `--password ${unquoted(s)}`],
    [any, (s) => `--password ${shellWord(s)} x`],
    [any, (s) => `--token=${unquoted(s)}`],
    ["',;}#?@:", (s) => `psk "${s}"`],
    [any, (s) => `preshared-key ${unquoted(s)}`],
    [any, (s) => `the password is ${unquoted(s)}`],
    [any, (s) => `curl --user ${shellWord(`me:${s}`)} x`],
    ["',;}#?@:", (s) => `-m comment --comment "${s} and more"`],
    [any, (s) => `-m comment --comment ${shellWord(`${s} and more`)} -j DROP`],
    ["',;}#?@:", (s) => `comment "a ${s}"`],
    ["',;}#?@:", (s) => `comment "a ${s}`],
    [any, (s) => `-----BEGIN X PRIVATE KEY-----\n${s}\n-----END X PRIVATE KEY-----`],
    [any, (s) => `<key>\n${s}\n</key>`],
  ];
  const bare: ((s: string) => string)[] = [
    (s) => s,
    (s) => `x ${s} y`,
    (s) => `a=${s};`,
    (s) => `(${s})`,
    (s) => `\t"${s}",`,
  ];
  const around = () => pick(["", "eth0 up ", "2026-11-29 yggdrasil: ", "10.0.0.0/8 via 10.1.1.1 ", "\n"]);
  for (let i = 0; i < 4000; i++) {
    const [more, place] = pick(places);
    const [secret, context] = random() < 0.6 ? [password(more), place] : [
      pick([chars(hex, 128), chars(hex, 64), `${chars(alnum, 42)}A=`, `aB3${chars(alnum, 40)}`]),
      random() < 0.25 ? pick(bare) : place,
    ];
    const text = `${around()}${context(secret)}${around()}`;
    const clean = redact(text, KNOWN);
    const said = `CRXN_SEED=${seed}: ${text}\n-> ${clean}`;
    // Not a piece of it either.
    const pieces = secret.split(/[^\w]+/).filter((piece) => piece.length > 5);
    for (const piece of pieces) {
      assert(!clean.includes(piece), said);
      // The control: the text had it.
      assert(text.includes(piece), said);
    }
    assert(pieces.length > 0);
    assertEquals(redact(clean, KNOWN), clean, `not the same twice: ${said}`);
    assertEquals(clean.split("\n").length, text.split("\n").length, said);
  }
});

Deno.test("redact: takes no time, whatever it is given", () => {
  for (
    const text of [
      "a".repeat(200_000),
      "password ".repeat(20_000),
      '"\\'.repeat(50_000),
      "::".repeat(50_000),
      "key=".repeat(50_000),
      "psk".repeat(20_000),
      '-u "a:'.repeat(30_000),
      "a:b@".repeat(30_000),
      "tls://u:".repeat(20_000),
      "'a:b ".repeat(30_000),
      "': ".repeat(50_000),
      `"${":".repeat(100_000)}@`,
      `"${"a: ".repeat(60_000)}`,
      "password='".repeat(20_000),
    ]
  ) {
    const start = performance.now();
    redact(text);
    new Hider([KEY], ["host"]).hide(text);
    assert(performance.now() - start < 3000, text.slice(0, 20));
  }
});
