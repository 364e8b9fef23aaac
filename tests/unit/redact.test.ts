/** What `crxn report` leaves out, and what it exchanges. CRXN_SEED does a fuzzing again. */

import { assert, assertEquals } from "@std/assert";
import { contains, host, parseAddress, parseNetwork } from "../../gateway/cidr.ts";
import { Hider } from "../../gateway/hide.ts";
import { redact } from "../../gateway/redact.ts";
import { shareable } from "../../commands/report.ts";
import { type Report, reportText, withStrings } from "../../commands/report_text.ts";
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
    ["Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.c2ln", "Bearer [redacted]"],
  ];
  for (const [given, want] of cases) await t.step(given, () => assertEquals(redact(given, KNOWN), want));
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
  ];
  for (const line of lines.slice(0, -5)) assertEquals(redact(line, KNOWN), line);
  for (const line of lines.slice(-1)) assertEquals(redact(line), line);
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
  const password = () => chars(alnum + "._~-", 8 + Math.floor(random() * 20)).replace(/^[.-]+/, "x");
  const places: ((s: string) => string)[] = [
    (s) => `tls://user:${s}@h:1`,
    (s) => `tcp://h:1?password=${s}`,
    (s) => `wss://h:1/?priority=1&key=${s}&sni=a.example`,
    (s) => `password=${s}`,
    (s) => `"AdminPassword": "${s}",`,
    (s) => `secret: '${s}'`,
    (s) => `DB_PASSWD=${s} x`,
    (s) => `--password ${s}`,
    (s) => `--token=${s}`,
    (s) => `psk "${s}"`,
    (s) => `preshared-key ${s}`,
    (s) => `the password is ${s}`,
    (s) => `-m comment --comment "${s} and more"`,
    (s) => `comment "a ${s}"`,
    (s) => `-----BEGIN X PRIVATE KEY-----\n${s}\n-----END X PRIVATE KEY-----`,
    (s) => `<key>\n${s}\n</key>`,
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
    const [secret, context] = random() < 0.6 ? [password(), pick(places)] : [
      pick([chars(hex, 128), chars(hex, 64), `${chars(alnum, 42)}A=`, `aB3${chars(alnum, 40)}`]),
      pick([...bare, ...places]),
    ];
    const text = `${around()}${context(secret)}${around()}`;
    const clean = redact(text, KNOWN);
    assert(!clean.includes(secret), `CRXN_SEED=${seed}: ${text}\n-> ${clean}`);
    assertEquals(redact(clean, KNOWN), clean, `CRXN_SEED=${seed}: not the same twice: ${text}`);
    assertEquals(clean.split("\n").length, text.split("\n").length, text);
    // The control: the text had it.
    assert(text.includes(secret));
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
    ]
  ) {
    const start = performance.now();
    redact(text);
    new Hider([KEY], ["host"]).hide(text);
    assert(performance.now() - start < 3000, text.slice(0, 20));
  }
});

Deno.test("Hider: the same by the same, and who lies inside of whom still shows", () => {
  const hider = new Hider([KEY], ["gateway1"]);
  const hide = (text: string) => hider.hide(text);
  assertEquals(
    hide("2a04:5b80:300:4::/64 2a04:5b80:300:4::a01:3 2a04:5b80:300:5::1"),
    "2001:db8:1:4::/64 2001:db8:1:4::a01:3 2001:db8:1:5::1",
  );
  assertEquals(hide("2a04:5b80:300:4::/96 dev x"), "2001:db8:1:4::/96 dev x");
  assertEquals(hide("2a00:1:2:3:5054:ff:fe12:3456"), "2001:db8:2:3::1");
  assertEquals(hide("[2a00:1:2:3::9]:443"), "[2001:db8:2:3::9]:443");
  assertEquals(hide("8.8.8.8 8.8.8.0/24 9.9.9.9"), "198.18.1.8 198.18.1.0/24 198.18.2.9");
  for (
    const kept of [
      "10.5.0.1/32",
      "100.64.0.0/16",
      "127.0.0.1",
      "::1",
      "fd00::1",
      "::/0",
      "0.0.0.0/0",
      "2001:db8::5",
      "fe80::1",
      "12:30:45",
      "2000::/3",
    ]
  ) {
    assertEquals(hide(kept), kept);
  }
  assertEquals(hide("fe80::5054:ff:fe12:3456 fe80::5054:ff:fe12:3456"), "fe80::1 fe80::1");
  assertEquals(hide("200:1234:5678:9abc:def0:1:2:3 300:1234:5678:9abc::/64"), "200:0:0:1::2 300:0:0:1::/64");
  assertEquals(hide("52:54:00:12:34:56 52:54:00:12:34:57"), "02:00:00:00:00:01 02:00:00:00:00:02");
  assertEquals(hide(`${KEY} dev crxn-bdbacfd8 key bdbacfd82240de3d...`), "KEY-1 dev crxn-KEY-1 key KEY-1");
  assertEquals(
    hide("tls://peer.mine.net:443 on gateway1 of peer.mine.net"),
    "tls://host-2.example:443 on host-1.example of host-2.example",
  );
  for (
    const kept of [
      "crxn.yaml tayga@ygg.service net.ipv4.ip_forward /etc/tayga/ygg.conf a.example.net",
      "50-crxn.conf rules.v4",
    ]
  ) {
    assertEquals(hide(kept), kept);
  }
});

Deno.test("Hider: no public address gets through, each has one place, and subnets of a /48 stay together", () => {
  const seed = Number(Deno.env.get("CRXN_SEED") ?? crypto.getRandomValues(new Uint32Array(1))[0]);
  const roll = dice(seed);
  const hider = new Hider([], []);
  const places = new Map<string, string>();
  const word = () => roll(65536).toString(16);
  for (let i = 0; i < 3000; i++) {
    const site = `2a0${roll(16).toString(16)}:${word()}:${roll(8)}`;
    const address = roll(2) === 0
      ? `${site}:${word()}:${word()}:${word()}:${word()}:${(1 + roll(65535)).toString(16)}`
      : `${[11, 45, 93, 185][roll(4)]}.${roll(256)}.${roll(4)}.${roll(256)}`;
    const around = [
      `${address}`,
      `[${address}]:443`,
      `via ${address} dev x`,
      `(${address})`,
      `"${address}"`,
      `${address}/64,`,
    ][roll(6)]!;
    const hidden = hider.hide(around);
    assert(!hidden.includes(address), `CRXN_SEED=${seed}: ${around} -> ${hidden}`);
    const place = /[0-9a-f:]{6,}|[\d.]{7,}/.exec(hidden)![0];
    assertEquals(places.get(address) ?? place, place, `CRXN_SEED=${seed}: ${address}`);
    places.set(address, place);
    if (!address.includes(":")) continue;
    const net = hider.hide(`${site}::/48`);
    const [outer, inner] = [parseNetwork(net)!, parseAddress(place)!];
    assert(contains(outer, host(inner)), `CRXN_SEED=${seed}: ${net} ${place}`);
  }
});

const REPORT: Report = {
  schema: "crxn.report/1",
  made: "2026-11-29T21:00:00.000Z",
  root: true,
  hidden: false,
  versions: { crxn: "0.1.0", kernel: "6.1.0", debian: "Debian 12", packages: { tayga: "0.9.2-8" } },
  config: {
    file: "/etc/crxn/crxn.yaml",
    text: "address: 10.5.0.1/32\n  peers: ['tls://h.mine.net:443?password=hunter2']",
  },
  status: "up",
  doctor: {
    healthy: false,
    findings: [{
      id: "logs",
      verdict: "warn",
      title: "t",
      found: "password hunter2",
      evidence: [{ command: "x --token hunter2", output: "```\n    # not a heading\n\x1b[2J" }],
    }],
  },
  plan: { lines: ["* write x", "    + password=hunter2"] },
  network: [{ command: "ip -br address", output: "eth0 UP 8.8.8.8/24" }],
  units: [],
  logs: ["-----BEGIN PRIVATE KEY-----", "hunter2", "-----END PRIVATE KEY-----", "all is well"].map((text) => ({
    at: "2026-11-29T20:00:00.000Z",
    unit: "yggdrasil.service",
    level: "info",
    text,
  })),
  journal: [],
};

Deno.test("shareable: every part of a report, several lines of a log together", () => {
  const text = reportText(shareable(REPORT, new Set()));
  assert(JSON.stringify(REPORT).includes("hunter2"));
  assert(!text.includes("hunter2"));
  assert(!JSON.stringify(shareable(REPORT, new Set())).includes("hunter2"));
  assert(text.includes("info: all is well"));
  assert(text.includes("8.8.8.8") && text.includes("h.mine.net"));
  const hidden = reportText(shareable(REPORT, new Set(), new Hider([], [])));
  assert(!/8\.8\.8|mine\.net/.test(hidden));
  assert(hidden.includes("tayga 0.9.2-8"));
  assertEquals(withStrings(REPORT, (t) => t), REPORT);
});

Deno.test("reportText: what was read stays in its block, and commands no terminal", () => {
  const text = reportText(shareable(REPORT, new Set()));
  assert(text.includes("\n    ```\n        # not a heading\n    \\x1b[2J\n"), text);
  assertEquals(text.split("\n").filter((l) => /^#/.test(l)).every((l) => /^# crxn report|^## /.test(l)), true);
});
