import { assertEquals } from "@std/assert";
import type { Config } from "../../gateway/config/types.ts";
import type { Facts } from "../../gateway/facts.ts";
import { chainItem, type Item } from "../../gateway/item.ts";
import { clampTag, measuredMss, mssMade, mssOf } from "../../gateway/segments.ts";

const facts = (more: Partial<Facts> = {}): Facts => ({
  uplink: { name: "eth0", mtu: 1500 },
  advertised: [],
  overlayMtu: 1500,
  drops: { INPUT: { inet: false, inet6: false }, FORWARD: { inet: false, inet6: false } },
  ...more,
});
const config = (mss: "auto" | "off" | number) => ({ nat64: { mss } }) as unknown as Config;

Deno.test("mssOf: auto is what the narrower side leaves, at most an Ethernet's, or less where less was measured", () => {
  assertEquals(mssOf(config("auto"), facts()), 1440);
  assertEquals(mssOf(config("auto"), facts({ overlayMtu: 1280 })), 1240);
  assertEquals(mssOf(config("auto"), facts({ overlayMtu: 65535, uplink: { name: "eth0", mtu: 9000 } })), 1440);
  assertEquals(mssOf(config("auto"), facts({ measuredMss: 1300 })), 1300);
  assertEquals(mssOf(config("auto"), facts({ overlayMtu: 1280, measuredMss: 1300 })), 1240);
  assertEquals(mssOf(config(1000), facts({ measuredMss: 900 })), 1000);
  assertEquals(mssOf(config("off"), facts()), undefined);
  assertEquals(mssOf({} as Config, facts()), undefined);
});

Deno.test("measuredMss: the least of all legs, where it is less than the links say", () => {
  const leg = (headers: number, passes?: number) => ({ headers, ...(passes ? { passes } : {}) });
  assertEquals(measuredMss(facts(), [leg(60, 1500), leg(40, 1500)], undefined), undefined);
  assertEquals(measuredMss(facts(), [leg(60, 1400), leg(40, 1500)], undefined), 1340);
  assertEquals(measuredMss(facts(), [leg(60, 1500), leg(40, 1280)], undefined), 1240);
  assertEquals(measuredMss(facts(), [leg(110, 1280)], undefined), 1170);
  // A path that passes less than IPv6 demands: no segment gets smaller than 536.
  assertEquals(measuredMss(facts(), [leg(40, 300)], undefined), 536);
});

Deno.test("measuredMss: where nobody answers, what was measured before stands; what has become wider is wider", () => {
  const leg = (headers: number, passes?: number) => ({ headers, ...(passes ? { passes } : {}) });
  assertEquals(measuredMss(facts(), [], 1200), 1200);
  assertEquals(measuredMss(facts(), [leg(60), leg(40)], 1200), 1200);
  // The leg that was narrow may be the one that is silent now.
  assertEquals(measuredMss(facts(), [leg(60, 1500), leg(40)], 1200), 1200);
  assertEquals(measuredMss(facts(), [leg(60, 1500), leg(40, 1500)], 1200), undefined);
  assertEquals(measuredMss(facts(), [leg(60, 1500), leg(40, 1400)], 1200), 1360);
});

Deno.test("mssMade: a measured clamp is known by its comment, and by nothing else", () => {
  const journal = (words: string[]) => {
    const item: Item = chainItem("inet", "mangle", "FORWARD", [[
      ...["-i", "nat64-ygg", "-p", "tcp", ...words, "-j", "TCPMSS", "--set-mss", "1200"],
    ]]);
    return { entries: new Map([[item.id, { item }]]) } as unknown as Parameters<typeof mssMade>[0];
  };
  assertEquals(mssMade(journal(clampTag(facts({ measuredMss: 1200 })))), 1200);
  assertEquals(mssMade(journal(clampTag(facts()))), undefined);
  // What the links say has become less than what was measured.
  assertEquals(mssMade(journal(clampTag(facts({ overlayMtu: 1200, measuredMss: 1300 })))), undefined);
  assertEquals(mssMade({ entries: new Map() }), undefined);
});
