/** What drop-ins do of crxn's own work, which goes when crxn does it, and what of them stays. */

import { assertEquals } from "@std/assert";
import { handWorkOf } from "../../gateway/hand_work.ts";
import type { Survey } from "../../gateway/survey.ts";

Deno.test("handWorkOf: what drop-ins do of crxn's work is taken, the rest kept, and one with neither left alone", () => {
  const of = (text: string) =>
    handWorkOf("tayga@ygg.service", {
      units: { "tayga@ygg.service": { dropIns: ["/x/override.conf", "/x/50-crxn.conf", "/x/zz-crxn.conf"] } },
      files: {
        "/x/override.conf": { content: text },
        "/x/zz-crxn.conf": { content: "[Service]\nExecStartPre=/usr/sbin/ip link\n" },
      },
    } as unknown as Survey);
  assertEquals(of("[Service]\nNice=7\nExecStartPost=/usr/local/bin/notify up\n"), undefined);
  assertEquals(of("[Service]\nExecStart=\nExecStart=/opt/tayga --nodetach --config /etc/tayga/%i.conf\n"), undefined);
  assertEquals(of("[Unit]\nExecStartPre=/usr/sbin/ip link\n"), undefined);
  const both = `[Service]
ExecStartPre=
ExecStartPre=-/usr/sbin/ip -6 route add blackhole \\
  2001:db8:300:4::/64
ExecStartPre=+/usr/sbin/tayga --mktun --config /etc/tayga/ygg.conf
ExecStartPost=/bin/sh -c 'iptables -t nat -A POSTROUTING -j MASQUERADE'
ExecStartPost=/usr/local/bin/notify up
ExecStopPost=/usr/bin/systemctl restart zip-archive
`;
  assertEquals(of(both), {
    paths: ["/x/override.conf"],
    taken: [
      "ExecStartPre=-/usr/sbin/ip -6 route add blackhole 2001:db8:300:4::/64",
      "ExecStartPre=+/usr/sbin/tayga --mktun --config /etc/tayga/ygg.conf",
      "ExecStartPost=/bin/sh -c 'iptables -t nat -A POSTROUTING -j MASQUERADE'",
    ],
    kept: ["ExecStartPost=/usr/local/bin/notify up", "ExecStopPost=/usr/bin/systemctl restart zip-archive"],
  });
});

Deno.test("handWorkOf: a later empty list, arguments, scripts and comments between lines are read as systemd reads them", () => {
  const of = (...texts: string[]) =>
    handWorkOf("tayga@ygg.service", {
      units: { "tayga@ygg.service": { dropIns: texts.map((_, i) => `/x/${i}.conf`) } },
      files: Object.fromEntries(texts.map((content, i) => [`/x/${i}.conf`, { content }])),
    } as unknown as Survey);
  const ours = "[Service]\nExecStartPre=/usr/sbin/ip link set nat64-ygg up\n";
  assertEquals(of("[Service]\nExecStartPost=/old\n", `${ours}ExecStartPost=\n`)?.kept, [], "its owner switched it off");
  assertEquals(of(ours, "[Service]\nExecStartPre=\n"), undefined);
  for (
    const kept of ["/usr/local/bin/ddns --ip 10.5.0.1", "/usr/bin/logger our ip is up", "/bin/sh -c 'echo ip link'"]
  ) {
    assertEquals(of(`${ours}ExecStartPost=${kept}\n`)?.kept, [`ExecStartPost=${kept}`]);
  }
  for (
    const taken of [
      "-+/bin/sh -c 'sleep 1; ip addr add 10.5.0.1 dev x'",
      '/bin/bash -ec "sysctl -w a=1"',
      "!!/usr/sbin/ip link",
    ]
  ) {
    assertEquals(of(`[Service]\nExecStartPost=${taken}\n`)?.taken, [`ExecStartPost=${taken}`]);
  }
  assertEquals(of(`${ours}ExecStartPost=/usr/local/bin/notify \\\n# why\n  up\n`)?.kept, [
    "ExecStartPost=/usr/local/bin/notify up",
  ]);
});
