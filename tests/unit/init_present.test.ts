/** `crxn init` where there is a config already. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { parse as parseYaml } from "@std/yaml";
import { Asker } from "../../commands/init_ask.ts";
import { givenOf, type InitAnswers, settingsOf } from "../../commands/init_options.ts";
import { settleAlone } from "../../commands/init_settle.ts";
import { parseConfig } from "../../gateway/config/parse.ts";
import { documentOf, valueOf } from "../../gateway/init/answers.ts";
import { type Present, presentOf } from "../../gateway/init/present.ts";
import { ground, known, Person, textOf } from "./init_person.ts";
import { TODAY } from "./keys.ts";
import { usual } from "./terrains.ts";

const PRESENT = `
address: [10.5.0.7/32, 10.5.0.8/32]
prefix: 2001:db8:300:9::/96
overlay:
  type: yggdrasil
  tunnel: vxlan
  peers: [tls://peer.example.net:443]
  routes: [{to: 10.0.0.0/8, via: ${TODAY}}]
  access: none
nat64: {pool: 192.168.64.0/18, workers: 2}
`;

/** What a config that is there says. */
async function presentIn(text: string): Promise<Present> {
  return presentOf(await parseConfig(text, "present.yaml"), parseYaml(text));
}

Deno.test("crxn init: of a config that is there the answers are proposed, and what would be lost is known", async () => {
  const present = await presentIn(PRESENT);
  assertEquals(present.leftOut, ["overlay.access", "nat64.workers"]);
  const settings = settingsOf({}, new Map(), present.settings);
  const person = new Person(Array(9).fill(""));
  const answers = await new Asker(settings, { ...ground(usual()), present: present.answers }, person).settle();
  assertEquals(person.left, 0);
  assertStringIncludes(person.heard.join("\n"), "1) yggdrasil (in the present config)");
  const alone = settleAlone(settings, { ...ground(usual()), present: present.answers });
  assertEquals(await textOf(alone.answers, usual()), await textOf(answers, usual()));
  const config = await parseConfig(await textOf(answers, usual()), "crxn.yaml");
  const { nat64, overlay, ...rest } = await parseConfig(PRESENT, "present.yaml");
  assertEquals(config, {
    ...rest,
    uplink: "eth0",
    overlay: { ...overlay, access: "ping" },
    nat64: { ...nat64!, workers: 1 },
  });
});

Deno.test("crxn init: of a config that is there only what still fits is taken", async () => {
  const { answers: present } = await presentIn(PRESENT.replace("192.168.64.0/18", "192.0.2.0/24"));
  present.set("overlay", "wg7");
  const { answers } = settleAlone(known(usual(), { routed: "2001:db8:300:5::/64" }), { ...ground(usual()), present });
  const document = JSON.parse(JSON.stringify(documentOf(answers)));
  assertEquals(document.overlay.interface, "wg0", "a link that is gone");
  assertEquals(document.prefix, "2001:db8:300:5::/96", "a prefix outside of what is routed now");
  assertEquals(document.nat64, undefined, "a pool that collides now");
});

Deno.test("crxn init: --daemon outweighs the present config's, Debian's too", () => {
  const over = { overlay: "yggdrasil" };
  const settled = (options: InitAnswers) =>
    valueOf(settingsOf(options, givenOf(options), { daemon: "/usr/local/sbin/old" }), "daemon");
  assertEquals(settled(over), "/usr/local/sbin/old");
  assertEquals(settled({ ...over, daemon: "/usr/local/sbin/new" }), "/usr/local/sbin/new");
  assertEquals(settled({ ...over, daemon: "/usr/sbin/yggdrasil" }), undefined, "the default, which is not written");
});
