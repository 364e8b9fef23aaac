/** What `crxn report --hide-addresses` exchanges. CRXN_SEED does a fuzzing again. */

import { assert, assertEquals } from "@std/assert";
import { contains, host, parseAddress, parseNetwork } from "../../gateway/cidr.ts";
import { Hider } from "../../gateway/hide.ts";
import { dice } from "./dice.ts";

const KEY = "bdbacfd82240de3dcd123924cbb55256fb8dab08aa98e305528ab84f419e6efb";

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
  assertEquals(
    hide("udp:8.8.8.8:53 src:2a00:1:2:3::9 a-2a00:1:2:3::9 via:2a00:1:2:3::/64"),
    "udp:198.18.1.8:53 src:2001:db8:2:3::9 a-2001:db8:2:3::9 via:2001:db8:2:3::/64",
  );
  assertEquals(
    hide("64:ff9b::8.8.8.9 64:ff9b::909:909 64:ff9b::808:809/128"),
    "64:ff9b::198.18.1.9 64:ff9b::c612:209 64:ff9b::c612:109/128",
  );
  for (
    const kept of [
      "64:ff9b::/96",
      "64:ff9b::10.1.0.3",
      "64:ff9b::a01:3",
      "prefix:64:ff9b::a01:3",
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
  assertEquals(hide("52:54:00:12:34:56 mac:52:54:00:12:34:57"), "02:00:00:00:00:01 mac:02:00:00:00:00:02");
  assertEquals(hide(`${KEY} dev crxn-bdbacfd8 key bdbacfd82240de3d...`), "KEY-1 dev crxn-KEY-1 key KEY-1");
  assertEquals(
    hide("tls://peer.mine.net:443 on gateway1 of peer.mine.net"),
    "tls://host-2.example:443 on host-1.example of host-2.example",
  );
  for (const ending of "in club coop io me shop edu gov email".split(" ")) {
    assertEquals(/mine/.test(hide(`peer.mine.${ending}: x`)), false, ending);
  }
  for (
    const kept of [
      "install.sh libc.so probe.py notes.md",
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
      `src:${address}`,
      `x-${address}`,
    ][roll(8)]!;
    const hidden = hider.hide(around);
    assert(!hidden.includes(address), `CRXN_SEED=${seed}: ${around} -> ${hidden}`);
    const place = /(?<=^|[^\w:.]|src:)(?:[0-9a-f:]{6,}|[\d.]{7,})/.exec(hidden)![0];
    assertEquals(places.get(address) ?? place, place, `CRXN_SEED=${seed}: ${address}`);
    places.set(address, place);
    if (!address.includes(":")) continue;
    const net = hider.hide(`${site}::/48`);
    const [outer, inner] = [parseNetwork(net)!, parseAddress(place)!];
    assert(contains(outer, host(inner)), `CRXN_SEED=${seed}: ${net} ${place}`);
  }
});
