import { assert, assertEquals, assertMatch } from "@std/assert";
import { Lab, type Machine, type Namespace } from "../rig/mod.ts";
import { doctor, told } from "./diagnosis.ts";
import {
  assertAnswers,
  assertNothingToDo,
  assertSilent,
  chaptersOf,
  crxn,
  HOST,
  sceneOf,
  someDebians,
} from "./story.ts";

/** A firewall of somebody else that takes the gateway's packets. */
interface Foreign {
  name: string;
  make: string;
  undo: string;
  id: "forward-policy" | "nat-rule";
  /** What the finding says: the place, and whose it is. */
  says: RegExp;
}

const table = (declared: string, chain: string, rules = "") =>
  `printf '%s' 'table ${declared} {\n chain mine {\n ${chain}\n ${rules}\n }\n}\n' | nft -f -`;

const FOREIGN: Foreign[] = [
  {
    name: "native policy drop",
    make: table("inet mine", "type filter hook forward priority 10; policy drop;"),
    undo: "nft delete table inet mine",
    id: "forward-policy",
    says: /the policy of nftables table inet mine, chain mine \(hook forward, priority 10\), made by hand/,
  },
  {
    name: "native drop by a set, of nftables.service",
    make: `${
      table(
        "ip mine",
        "type filter hook prerouting priority raw;",
        'iifname "nat64-*" ip daddr { 10.0.0.0/8, 192.0.2.1 } drop',
      )
    }; nft list ruleset > /root/all; cp /etc/nftables.conf /root/; nft list table ip mine > /etc/nftables.conf`,
    undo: "nft delete table ip mine; cp /root/nftables.conf /etc/nftables.conf",
    id: "forward-policy",
    says: /hook prerouting, priority -300\), set by nftables\.service/,
  },
  {
    name: "a native chain in iptables' own table",
    make: table("ip6 filter", "type filter hook forward priority 5; policy drop;"),
    undo: "nft delete chain ip6 filter mine",
    id: "forward-policy",
    says: /nftables table ip6 filter, chain mine/,
  },
  {
    name: "the policy of iptables-legacy",
    make: "iptables-legacy -P FORWARD DROP",
    undo: "iptables-legacy -P FORWARD ACCEPT; iptables-legacy -F",
    id: "forward-policy",
    says: /IPv4 filter FORWARD \(iptables-legacy, /,
  },
  {
    name: "a drop in raw",
    make: "ip6tables -t raw -A PREROUTING -i eth0 -d 2a04:5b80:300:4::/96 -j DROP",
    undo: onlyOurs("ip6tables"),
    id: "forward-policy",
    says: /IPv6 raw PREROUTING \(iptables, /,
  },
  {
    name: "a drop in mangle, before crxn's jump",
    make: "iptables -t mangle -I FORWARD -o ovl0 -j DROP",
    undo: "iptables -t mangle -D FORWARD -o ovl0 -j DROP; iptables -t mangle -D FORWARD -i nat64-ygg -o ovl0 -j ACCEPT",
    id: "forward-policy",
    says: /the rule "-o ovl0 -j DROP" of IPv4 mangle FORWARD/,
  },
  {
    name: "tracking switched off",
    make: "iptables -t raw -A PREROUTING -j CT --notrack",
    undo: onlyOurs("iptables"),
    id: "nat-rule",
    says: /are not tracked, by the rule "-j CT --notrack"/,
  },
  {
    name: "source NAT of a younger table",
    make: table("ip mine", "type nat hook postrouting priority srcnat;", 'oifname "ovl0" snat to 10.5.0.99'),
    undo: "nft delete table ip mine",
    id: "nat-rule",
    says: /before crxn's rule another one decides.*nftables table ip mine/,
  },
];

/** What is left of raw when everybody else's rules are gone. */
function onlyOurs(iptables: string): string {
  const jump = "-m comment --comment crxn:jump -j CRXN-PREROUTING";
  return `${iptables} -t raw -F PREROUTING; ${iptables} -t raw -A PREROUTING ${jump}`;
}

/** The finding's own commands have to be the cure. */
async function foreign(gw: Machine, client: Namespace, { make, undo, id, says }: Foreign): Promise<void> {
  await gw.must(make);
  try {
    await assertSilent(client);
    const seen = await doctor(gw, 1, ` --target ${HOST} --skip probe`);
    const failing = seen.findings.filter((f) => f.verdict === "fail");
    assertEquals(failing.map((f) => f.id), [id], told(seen));
    assertMatch(failing[0]!.found!, says);
    const commands = failing[0]!.fix ?? [];
    assert(commands.length > 0);
    for (const argv of commands) await gw.must(argv);
    await assertAnswers(client);
    assertEquals(told(await doctor(gw, 0, " --skip probe")), "");
  } finally {
    await gw.must(undo);
  }
}

for (const debian of someDebians("foreign firewalls")) {
  Deno.test(`crxn doctor: names the firewalls of others, and the commands that let packets pass, ${debian}`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const { client, gw } = await sceneOf(lab, { debian, image: "ready" });
    await chapter("healthy beside rules that concern nobody here", async () => {
      await gw.must("iptables-legacy -A FORWARD -i eth9 -j DROP");
      await gw.must(
        table(
          "inet fw",
          "type filter hook forward priority 0; policy drop;",
          'iifname "nat64-ygg" accept\n oifname "nat64-ygg" accept',
        ),
      );
      await crxn(gw, "up --yes");
      await assertAnswers(client);
      assertEquals(told(await doctor(gw, 0, " --skip probe")), "");
      await gw.must("nft delete table inet fw; iptables-legacy -F");
    });
    for (const one of FOREIGN) await t.step(one.name, () => foreign(gw, client, one));
    await chapter("a REJECT at the end of FORWARD: `up` accepts before it, and follows when it goes", async () => {
      await gw.must("iptables -A FORWARD -j REJECT; ip6tables -A FORWARD -j REJECT");
      await assertSilent(client);
      assertMatch(
        told(await doctor(gw, 1, " --skip probe")),
        /^fail forward-policy: .*"-j REJECT --reject-with icmp-port-unreachable" of IPv4 filter FORWARD.*IPv6/,
      );
      await crxn(gw, "up --yes");
      await assertAnswers(client);
      await assertNothingToDo(gw);
      assertEquals(told(await doctor(gw, 0, " --skip probe")), "");
      await gw.must("iptables -D FORWARD -j REJECT; ip6tables -D FORWARD -j REJECT");
      assertMatch(told(await doctor(gw, 0, " --skip probe")), /^warn drift: /);
      await crxn(gw, "up --yes");
      await assertNothingToDo(gw);
    });
    await chapter("all tables emptied is one finding", async () => {
      await gw.must("nft flush ruleset");
      assertMatch(
        told(await doctor(gw, 1, " --skip probe")),
        /^fail forward-policy: all of crxn's rules are gone[^\n]*$/,
      );
      await crxn(gw, "doctor --fix --yes --skip probe");
      await assertAnswers(client);
    });
  });
}
